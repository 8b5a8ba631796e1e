/* SPDX-License-Identifier: MIT */
/*
 * Telling of a setting that cannot be obeyed. The line is written at once,
 * past stdio, which belongs to the host.
 */
#include "base/setting.h"

#include "base/utf8.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024

void setting_refuse(const char *variable, const char *value, const char *why)
{
	char line[LINE_MAX_BYTES];
	int saved = errno;

	int n = snprintf(line, sizeof(line) - 1, "dlazy: %s=%.400s: %.500s",
			 variable, value, why);
	if (n > 0) {
		for (char *c = line; (c = strchr(c, '\n'));)
			*c = ' ';
		utf8_clean(line);
		strcat(line, "\n");
		if (write(STDERR_FILENO, line, strlen(line)) < 0)
			errno = 0; /* there is nobody to tell */
	}
	errno = saved;
}
