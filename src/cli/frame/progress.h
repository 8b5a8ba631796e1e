/* SPDX-License-Identifier: MIT */
/*
 * A progress bar on standard error, if that is a terminal; nothing else.
 */
#ifndef CLI_FRAME_PROGRESS_H
#define CLI_FRAME_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
	const char *label; /* what is gone through; borrowed */
	bool shown;	   /* there is a terminal */
	uint64_t drawn_ns; /* when it was drawn last */
};

struct progress progress_begin(const char *label);

/* `done` of `all`; data: the struct progress. A scan_progress_fn. */
void progress_update(size_t done, size_t all, void *data);

/* Takes the bar away. */
void progress_end(struct progress *p);

#endif
