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
struct known;
struct quarantine;

extern struct lock registry_lock __attribute__((visibility("hidden")));

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
	bool adopted;	    /* a module uses a record: keep the catalog */
	bool doubt;	    /* its catalog is not what the directory is */
	bool gone;	    /* there is no directory: it has no plugins */
	struct map sonames; /* hash -> index + 1; see registry_find_soname() */
	bool has_sonames;
	char *why; /* the catalog that was there is not used; NULL: it is */
	struct known
		*known;	   /* what refreshes compare with; NULL: the catalog */
	uint64_t since_ns; /* when it was added, as files count time */
	uint64_t mark;	   /* of the one module's file; see changes.h */
};

/* Where a module stands first, of those the registry has handed out. */
struct place {
	struct dlazy_module *module;
	size_t source;
	size_t index;
	char *name;    /* there */
	bool shadowed; /* so that any other place is better */
	bool gone;     /* with its file; index is what came after it */
	struct place *next;
};

/* One that the host offers. */
struct interface {
	char *name;
	unsigned major, minor;
};

/* What a registry knows of a cursor: it ends when the registry is freed. */
struct cursor_link {
	struct dlazy_registry *registry; /* NULL: it was freed */
	struct cursor_link *next;
};

struct dlazy_registry {
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
	struct dlazy_registry *next; /* of all that there are */
	struct change *changes;	     /* not told yet */
	struct map change_of;	     /* hash of a name -> its change */
	bool is_refreshed;	     /* the host wants to be told of changes */
	int watch;		     /* inotify; -1: none */
	struct quarantine *quarantine; /* NULL: none */
	size_t limit_modules;	       /* 0: no limit */
	uint64_t limit_bytes;	       /* 0: no limit */
	uint64_t trimmed; /* what was used later is in use; see use.h */
};

/* Whether a plugin made for "NAME/MAJOR.MINOR" can be used: one of these is of the
 * same major and no earlier minor; or none is of that name, so that the host has
 * said nothing. */
bool interface_offered(const struct interface *interfaces, size_t count,
		       const char *wanted);

#endif
