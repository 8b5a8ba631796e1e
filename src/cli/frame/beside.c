/* SPDX-License-Identifier: MIT */
/*
 * Finding files beside the tool. /proc/self/exe has no symbolic links left in
 * it, so "beside the tool" is beside the file that runs.
 *
 * Which of the places a file is found in is part of what `dlazy run` keeps of a
 * program. So a call that fails for the moment ends the search: another place
 * would have another entry made.
 */
#include "cli/frame/beside.h"

#include "base/file.h"
#include "base/status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* 0; or, where there is a /proc that does not answer, a state. */
static int read_own(char ret[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", ret, PATH_MAX - 1);

	ret[n > 0 ? n : 0] = '\0';
	if (n >= 0 || errno == ENOENT || errno == ENOTDIR)
		return 0;
	return status_fail(DLAZY_EIO, "/proc/self/exe: %s", strerror(errno));
}

void beside_own(char ret[PATH_MAX])
{
	if (read_own(ret) < 0)
		status_clear();
}

/* 1, 0, or a state. */
static int is_readable(const char *path)
{
	if (access(path, R_OK) == 0)
		return 1;
	if (errno == ENOENT || errno == ENOTDIR)
		return 0;
	return status_fail(DLAZY_EIO, "%s: %s", path, strerror(errno));
}

static int is_there(const char *own, const char *relative, const char *name,
		    char ret[PATH_MAX])
{
	int n = snprintf(ret, PATH_MAX, "%.*s%s/%s",
			 (int)(file_base_name(own) - own), own, relative, name);

	return n > 0 && n < PATH_MAX ? is_readable(ret) : 0;
}

int beside_find(const char *name, const char *relative, const char *configured,
		char ret[PATH_MAX])
{
	char own[PATH_MAX];
	int found = read_own(own);

	if (found == 0 && *own)
		found = is_there(own, relative, name, ret);
	if (found == 0 && *own)
		found = is_there(own, ".libs", name, ret);
	if (found != 0)
		return found;
	snprintf(ret, PATH_MAX, "%s/%s", configured, name);
	return is_readable(ret);
}
