/* SPDX-License-Identifier: MIT */
/*
 * All that is there is read, so that the last of it is what was written last; the
 * pipe holds no more than the kernel gives it.
 */
#include "cli/frame/lastwords.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

/* The last line that has something in it, cut out of the text; or NULL. */
static const char *last_line(char *text)
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
