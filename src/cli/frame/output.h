/* SPDX-License-Identifier: MIT */
/*
 * An output file. It is written when the work is done, but checked to be
 * writable before, so that the work is not for nothing.
 */
#ifndef CLI_FRAME_OUTPUT_H
#define CLI_FRAME_OUTPUT_H

#include <stddef.h>

struct output {
	char *path; /* where to put it */
	int fd;	    /* -1: there will be another file in the place of it */
};

/*
 * Can it be written? A pipe or a device is opened now: its name may mean
 * nothing later, and who reads it waits. A plain file is left as it is. 0, or a
 * negated status with message.
 */
int output_open(const char *path, struct output *ret);

/* Writes all of it; a plain file becomes that whole or not at all, but where its
 * directory takes no new one. 0, or a negated status with message. */
int output_write(const struct output *output, const void *data, size_t size);

void output_close(struct output *output);

#endif
