/* SPDX-License-Identifier: MIT */
/*
 * The pipe is emptied, as the end of the output is wanted. The kernel bounds how
 * much a pipe holds.
 */
#include "cli/frame/lastwords.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

const char *last_line(char *text)
{
	for (size_t n = strlen(text); n > 0; n = strlen(text)) {
		char *line = strrchr(text, '\n');
		char *begin = line ? line + 1 : text;

		if (begin[strspn(begin, " \t\r")])
			return begin + strspn(begin, " \t\r");
		*(line ? line : text) = '\0';
	}
	return NULL;
}

const char *last_words(int fd, char buffer[LAST_WORDS_MAX])
{
	size_t size = 0;

	for (;;) {
		/* Of more than fits the end is kept. */
		if (size > LAST_WORDS_MAX / 2) {
			memmove(buffer, buffer + size - LAST_WORDS_MAX / 2,
				LAST_WORDS_MAX / 2);
			size = LAST_WORDS_MAX / 2;
		}
		ssize_t n = read(fd, buffer + size, LAST_WORDS_MAX / 2 - 1);
		if (n <= 0)
			break;
		size += (size_t)n;
	}
	for (size_t i = 0; i < size; i++)
		if (buffer[i] == '\0')
			buffer[i] = ' ';
	buffer[size] = '\0';
	return last_line(buffer);
}

void end_words(int how, char *buffer, size_t size)
{
	if (!WIFSIGNALED(how))
		snprintf(buffer, size, "ended the process with status %d",
			 WEXITSTATUS(how));
	else
#ifdef __GLIBC__
		snprintf(buffer, size, "killed by SIG%s",
			 sigabbrev_np(WTERMSIG(how)));
#else
		snprintf(buffer, size, "killed by signal %d", WTERMSIG(how));
#endif
}
