/* SPDX-License-Identifier: MIT */
/*
 * A requester: an object that needs a library, with those that brought it in,
 * whose RPATHs count for it too.
 */
#ifndef ELF_REQUESTER_H
#define ELF_REQUESTER_H

#include "elf/places.h"
#include "elf/search.h"

struct requester {
	struct search_origin origin;
	const struct requester *loader;	 /* or NULL */
	const struct file_identity *but; /* a file to pass over, or NULL */
};

/* Finds a library: a bare name by searching, one with a slash as a path. As
 * search_library(). *ret_rpath: it was found by an RPATH or as a path, so that
 * LD_LIBRARY_PATH could not have changed that. */
int requester_find(const struct requester *requester,
		   const struct places *places, const char *name,
		   char **ret_path, bool *ret_rpath);

#endif
