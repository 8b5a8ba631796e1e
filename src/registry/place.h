/* SPDX-License-Identifier: MIT */
/*
 * Modules that a registry has handed out, and where each stands: a source and an
 * index in it. All of it is under registry_lock.
 */
#ifndef REGISTRY_PLACE_H
#define REGISTRY_PLACE_H

#include "registry/source.h"

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

/* The module at a place, made now if need be; NULL with message. */
struct dlazy_module *place_module_locked(struct dlazy_registry *r,
					 size_t source, size_t index);

/*
 * The registry now has `m`, with one borrow to keep or give back, at a place.
 * false: out of memory.
 */
bool place_put_locked(struct dlazy_registry *r, struct dlazy_module *m,
		      const char *name, size_t source, size_t index);

/* The module of that name that was handed out last; NULL: none. */
struct dlazy_module *place_handed_out(const struct dlazy_registry *r,
				      const char *name);

#endif
