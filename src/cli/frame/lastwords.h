/* SPDX-License-Identifier: MIT */
/*
 * The end of what a process wrote: if it gave up, its last line may say why.
 */
#ifndef CLI_FRAME_LASTWORDS_H
#define CLI_FRAME_LASTWORDS_H

#include <stddef.h>

#define LAST_WORDS_MAX 2048

/* The last line that has something in it, cut out of the text; or NULL. */
const char *last_line(char *text);

/* How a process ended, by waitpid()'s status: "killed by SIGSEGV". */
void end_words(int how, char *buffer, size_t size);

/* The last line with something in it, in `buffer`, of what is in a pipe that
 * does not block; NULL: nothing. */
const char *last_words(int fd, char buffer[LAST_WORDS_MAX]);

#endif
