/* SPDX-License-Identifier: MIT */
/*
 * What a registry consists of, for the files of this folder: sources in the order
 * in which they were added, and where each module that was handed out stands. All
 * of it is under registry_lock.
 */
#ifndef REGISTRY_SOURCE_H
#define REGISTRY_SOURCE_H

#include "base/lock.h"
#include "base/map.h"
#include "catalog/catalog.h"

#include <dlazy/lifecycle.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct change;
struct dlazy_module;
struct interface;
struct known;
struct place;
struct quarantine;

extern struct lock registry_lock __attribute__((visibility("hidden")));
extern struct dlazy_registry *registries /* all of them, under the lock */
	__attribute__((visibility("hidden")));

/* A directory with its catalog; or one module under a name. */
struct source {
	char *name;		     /* of the one module */
	struct dlazy_module *module; /* the one, or NULL: a directory */
	char *dir;
	char *prefix;	/* of its plugins' names, "foo.lv2/"; NULL: none */
	char *full;	/* the name that source_name() gave last, with it */
	bool recursive; /* directories below it were added, too */
	int flags;
	const void *by;
	struct catalog *catalog;
	struct dlazy_module **modules; /* by catalog index, made late */
	bool adopted;	/* a module uses a record: keep the catalog */
	bool early_due; /* early.c has not looked at it */
	bool doubt;	/* its catalog is not what the directory is */
	bool gone;	/* there is no directory: it has no plugins */
	char *why; /* the catalog that was there is not used; NULL: it is */
	struct known
		*known;	   /* what refreshes compare with; NULL: the catalog */
	uint64_t since_ns; /* when it was added, as files count time */
	uint64_t mark;	   /* of the one module's file; see changes.h */
};

/* What a registry knows of a cursor: it ends when the registry is freed. */
struct cursor_link {
	struct dlazy_registry *registry; /* NULL: it was freed */
	struct cursor_link *next;
};

struct dlazy_registry {
	unsigned
		holders; /* who uses it, but for the host; see registry_hold() */
	bool freed;	 /* by the host: the last holder clears it */
	uint64_t number;	     /* of those that were made, from 1 */
	struct cursor_link *cursors; /* open ones; see query.c */
	dlazy_policy_fn *filter;
	void *filter_data;
	struct interface *interfaces;
	size_t interface_count, interface_room;
	struct source *sources;
	size_t count, room;
	struct map by_name;   /* single modules: name -> source number + 1 */
	struct map by_module; /* module -> place */
	struct place *places;
	struct dlazy_registry *next; /* of all that there are, last first */
	struct change *changes;	     /* not told yet */
	struct map change_of;	     /* hash of a name -> its change */
	bool is_refreshed;	     /* the host wants to be told of changes */
	int watch;		     /* inotify; -1: none */
	struct quarantine *quarantine; /* NULL: none */
	size_t limit_modules;	       /* 0: no limit */
	uint64_t limit_bytes;	       /* 0: no limit */
	uint64_t trimmed; /* what was used later is in use; see use.h */
};

void source_clear(struct source *s);

/* Adds what `s` has, and empties it. 0 or -DLAZY_ENOMEM. */
int source_add_locked(struct dlazy_registry *r, struct source *s, size_t *ret);

/* Coarse, as files have it: what is written later is not earlier than this. */
uint64_t source_now_ns(void);

/* How many plugins it has. */
size_t source_count(const struct source *s);

/* The record at an index; NULL, with message: it cannot be read. */
const struct record *source_record(struct source *s, size_t index);

/* The record of a name; NULL: none, or *ret_unknown, with message. */
const struct record *source_find(struct source *s, const char *name,
				 size_t *ret_index, bool *ret_unknown);

/* 1: a plugin has that SONAME, *ret_index is the first one's; 0, or, with message,
 * a negated status: it cannot be read. */
int source_find_soname(struct source *s, const char *soname, size_t *ret_index);

/* The name at a place; NULL: its record cannot be read, or there is none. */
const char *source_name(struct source *s, size_t index);

/* The part of a plugin's name that is its name in the source's directory; NULL: it
 * is of another directory. */
const char *source_name_within(const struct source *s, const char *name);

/* A name in the source's directory as the registry has it; until the next call.
 * NULL, with message: out of memory. */
const char *source_full_name(struct source *s, const char *name);

/* Whether an earlier source than `end`, or a later one than `source`, has a usable
 * plugin of that name. */
bool source_is_shadowed(struct dlazy_registry *r, size_t end, const char *name);
bool source_is_provided_after(struct dlazy_registry *r, size_t source,
			      const char *name);

/* The catalog of a directory: a fresh one, of another file than `but`, or of a scan
 * made now; *ret_why says why it had to be made. */
int source_open_catalog(int dirfd, const char *dir,
			const struct file_identity *but, struct catalog **ret,
			char **ret_why);
int source_open_directory(const char *dir, int *ret);

/* keep: modules use its records. */
void source_drop_catalog_locked(struct catalog *c, bool keep);

#endif
