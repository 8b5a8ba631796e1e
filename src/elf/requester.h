/* SPDX-License-Identifier: MIT */
/*
 * A requester: an object that needs a library, with the chain of objects that
 * brought it in. Their RPATHs count for its search too.
 */
#ifndef ELF_REQUESTER_H
#define ELF_REQUESTER_H

#include "elf/places.h"
#include "elf/search.h"

struct elf_view;

/* What a file says of itself as one that needs libraries. */
struct search_origin search_origin_of(const struct elf_view *view,
				      const char *path);

struct requester {
	struct search_origin origin;
	const struct requester *loader;	 /* or NULL */
	const struct file_identity *but; /* a file to pass over, or NULL */
};

/* How a library was found. */
enum requester_way {
	REQUESTER_SEARCH,    /* by what counts behind RPATHs */
	REQUESTER_PATH,	     /* as a path */
	REQUESTER_RPATH,     /* by the requester's RPATH, or the first one's:
				the program's counts for all */
	REQUESTER_INHERITED, /* by that of another that brought it in */
};

/* Finds a library: a bare name by searching, one with a slash as a path. As
 * search_library(); sets places->denied. */
int requester_find(const struct requester *requester, struct places *places,
		   const char *name, char **ret_path,
		   enum requester_way *ret_way);

#endif
