/* SPDX-License-Identifier: MIT */
/*
 * The names in one directory: read from the directory, or taken from the
 * tables of an earlier scan.
 */
#ifndef LINK_INDEX_LISTING_H
#define LINK_INDEX_LISTING_H

#include "link/index/tables.h"

enum listed_kind {
	LISTED_FILE,
	LISTED_LINK,
	LISTED_DIRECTORY,
	LISTED_UNKNOWN, /* the file system does not say: dirwalk.c asks */
};

struct listed {
	char *name;
	enum listed_kind kind;
};

/* Sorted by name. */
struct listing {
	struct listed *list;
	size_t count, room;
};

/* A directory that is not there has no names, and neither has one that we have no
 * permission to list and to search: *ret_denied. What is none of the above kinds,
 * or by its name neither program nor library, is left out. 0, or the state that
 * kept it from being listed (status_is_state()). */
int listing_read(const char *path, struct listing *ret, bool *ret_denied);

/* The names that tables have of a directory. */
int listing_recall(const struct tables *tables, uint32_t directory,
		   struct listing *ret);

void listing_clear(struct listing *listing);
#define _cleanup_listing_ _cleanup_(listing_clear)

#endif
