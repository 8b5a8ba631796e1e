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
	LISTED_UNKNOWN, /* the file system does not say */
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

/* A directory that cannot be listed has no names. What is none of the above
 * kinds, or by its name neither program nor library, is left out. 0 or
 * -DLAZY_ENOMEM. */
int listing_read(const char *path, struct listing *ret);

/* The names that tables have of a directory. */
int listing_recall(const struct tables *tables, uint32_t directory,
		   struct listing *ret);

void listing_clear(struct listing *listing);
#define _cleanup_listing_ _cleanup_(listing_clear)

#endif
