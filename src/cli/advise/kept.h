/* SPDX-License-Identifier: MIT */
/*
 * What a walk through PATH found out about programs, kept in the user's cache
 * while it goes on: if it was interrupted, the next walk goes on where it was.
 * All of it holds as long as the index of this machine is the same, and each
 * line as long as the program's file is.
 */
#ifndef CLI_ADVISE_KEPT_H
#define CLI_ADVISE_KEPT_H

#include "base/map.h"

#include <stdbool.h>
#include <stdio.h>

struct kept_program {
	size_t libraries, lazy;
	const char *plain; /* why run leaves it as it is; NULL: it does not */
};

struct kept {
	FILE *file; /* to add to; NULL: nothing can be kept */
	char *text; /* what was there */
	struct map lines;
};

/* cache: the user's. What cannot be read or kept is found out anew. */
void kept_open(struct kept *kept, const char *cache);
void kept_close(struct kept *kept);

/* false: nothing is known of it as it is now. */
bool kept_find(const struct kept *kept, const char *path,
	       struct kept_program *ret);
void kept_add(struct kept *kept, const char *path,
	      const struct kept_program *program);

#endif
