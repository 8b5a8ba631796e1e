/* SPDX-License-Identifier: MIT */
/*
 * Changes of directories that the host has not been told of. What was known of a
 * directory is compared with what a scan has found, whoever needed that scan, so
 * that dlazy_registry_refresh() tells of each change once. Several changes of one
 * name are one: what was added and is removed again was nothing.
 *
 * A file is the same if its inode, size, time and build-id are; a chmod or another
 * link to it is no change. All of this is under registry_lock.
 */
#ifndef REGISTRY_CHANGES_H
#define REGISTRY_CHANGES_H

#include "registry/source.h"

#include <dlazy/dlazy.h>

/* What a catalog knows now. A portable one's files are looked at. NULL: out of
 * memory. */
struct known *known_read(struct catalog *c, int dirfd);
void known_free(struct known *known);

static inline void cleanup_known(struct known **known)
{
	known_free(*known);
}
#define _cleanup_known_ _cleanup_(cleanup_known)

/* Whether a file of the directory is not what is known of it. */
bool known_differs(const struct known *known, int dirfd);

/* Tells it from other files of its path; 0: there is none. */
uint64_t changes_mark(const char *path);

/* One change, in the order of names. */
typedef void known_change_fn(void *data, enum dlazy_event_kind kind,
			     const char *name);

/*
 * What is different in `now` (NULL: nothing is there any more). Where not all of
 * `before` could be read, a file is new if it has changed since then.
 */
void known_compare(const struct known *before, const struct known *now,
		   uint64_t since_ns, known_change_fn *fn, void *data);

/* All of it has been added. */
void known_each(const struct known *now, known_change_fn *fn, void *data);

/* A change to be told. */
struct change {
	struct change *next;
	enum dlazy_event_kind kind;
	bool undone; /* it is none any more */
	struct dlazy_module *module;
	char name[];
};

/* Adds one; out of memory, it is lost. */
void changes_add(struct dlazy_registry *r, enum dlazy_event_kind kind,
		 const char *name, struct dlazy_module *module);

/* Takes them all, oldest first; each is to be freed. */
struct change *changes_take(struct dlazy_registry *r);

#endif
