/* SPDX-License-Identifier: MIT */
/*
 * A generation: the directory of the cache that serves one program, made from
 * the program's files as they are now; or the reason why a generation would be
 * of no use.
 */
#ifndef LINK_CACHE_GENERATION_H
#define LINK_CACHE_GENERATION_H

#include "link/cache/entry.h"
#include "link/cache/program.h"

/* The files in a generation's directory, beside links named as libraries. */
#define GENERATION_STUB "stub.so"
#define GENERATION_TOUCHED "record"

/* A program's place in the cache. */
struct place {
	int fd;	     /* its directory; -1 until it is there */
	char *path;  /* absolute */
	char *key;   /* the text that it was chosen by */
	bool system; /* every user's to read */
};

/*
 * Makes a generation and its entry, which is returned and put in place. learned:
 * paths of libraries to be left real; NULL-ended, or NULL. 0, or a status with
 * message: nothing has changed then.
 */
int generation_make(const struct place *place, const struct program *program,
		    const struct program_options *options, char *const *learned,
		    struct entry *ret);

/* Its entry alone, put in no place: what would be made. 0 or a status with
 * message. */
int generation_judge(const struct program *program,
		     const struct program_options *options, struct entry *ret);

/* Removes a generation's directory, of that name in another. */
void generation_remove(int parent, const char *name);

/* Removes generations that are old and not `current`. */
void generation_sweep(const struct place *place, const char *current);

#endif
