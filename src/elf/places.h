/* SPDX-License-Identifier: MIT */
/*
 * The places where this system keeps libraries: built-in directories,
 * ld.so.cache and LD_LIBRARY_PATH. They are the same for every object that
 * needs a library. They are read anew for each search or walk, so that the
 * next one sees a change of the system.
 */
#ifndef ELF_PLACES_H
#define ELF_PLACES_H

#include "elf/ldcache.h"

#include <limits.h>

#define PLACES_MAX 4

struct view_cache;

struct places {
	char lib[64];		       /* what $LIB stands for */
	char *directories[PLACES_MAX]; /* the default ones */
	size_t directory_count;
	const char *library_path; /* of the start (started.h), or NULL;
				     borrowed */
	const char *program;	  /* $ORIGIN in it is of that; borrowed; NULL:
				     this process's */
	const char *const *hwcaps;
	struct ldcache cache;
	struct view_cache *views; /* whose files are known; or NULL */
	bool denied; /* a search passed over what it has no permission for: as
			ld.so does, but who has it finds something else */
};

/* 0, or the state (status_is_state()) that kept something from being read, with
 * message; places_close() in any case. */
int places_open(struct places *places);

/* Is ld.so.cache still as it was read? */
bool places_are_fresh(const struct places *places);

/* Makes them ready for another search or walk. */
void places_begin(struct places *places);
void places_close(struct places *places);

/*
 * An element of a search path, or a needed name, of n bytes, with $ORIGIN,
 * $LIB and $PLATFORM (or ${ORIGIN}, ...) replaced. origin: the file that
 * $ORIGIN is the directory of; "" if not known. false: too long, $ORIGIN not
 * known, or not allowed in this process (AT_SECURE): the element is ignored.
 */
bool places_expand(const struct places *places, const char *element, size_t n,
		   const char *origin, char ret[PATH_MAX]);

#endif
