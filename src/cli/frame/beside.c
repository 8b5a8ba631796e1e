/* SPDX-License-Identifier: MIT */
/*
 * Finding files beside the tool. /proc/self/exe has no symbolic links left in
 * it, so "beside the tool" is beside the file that runs.
 */
#include "cli/frame/beside.h"

#include "base/file.h"

#include <stdio.h>
#include <unistd.h>

void beside_own(char ret[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", ret, PATH_MAX - 1);

	ret[n > 0 ? n : 0] = '\0';
}

static bool is_there(const char *own, const char *relative, const char *name,
		     char ret[PATH_MAX])
{
	int n = snprintf(ret, PATH_MAX, "%.*s%s/%s",
			 (int)(file_base_name(own) - own), own, relative, name);

	return n > 0 && n < PATH_MAX && access(ret, R_OK) == 0;
}

bool beside_find(const char *name, const char *relative, const char *configured,
		 char ret[PATH_MAX])
{
	char own[PATH_MAX];

	beside_own(own);
	if (*own && (is_there(own, relative, name, ret) ||
		     is_there(own, ".libs", name, ret)))
		return true;
	snprintf(ret, PATH_MAX, "%s/%s", configured, name);
	return access(ret, R_OK) == 0;
}
