/* SPDX-License-Identifier: MIT */
/*
 * Linked stubs, as the rest of this layer sees them: a module whose file is
 * known by the stub file (stub/linked.h) and looked for when it is loaded.
 */
#ifndef RUNTIME_MODULE_H
#define RUNTIME_MODULE_H

#include "base/file.h"
#include "load/module.h"

struct linked;

/* The files that may be the library, in order, of those that are there. */
struct linked_search {
	const struct linked *linked;
	const char *next;	       /* name; "": no more */
	char *path;		       /* where the last one was found */
	struct file_identity identity; /* of it */
	int state; /* that kept one from being looked for, or 0 */
};

struct linked_search linked_search(const struct linked *l);
bool linked_search_next(struct linked_search *search);
void linked_search_end(struct linked_search *search);
#define _cleanup_linked_search_ _cleanup_(linked_search_end)

/* Is the file one that goes with what the stub file has of the library, or has
 * said for it? 0, or -DLAZY_ENOENT: it is another build. */
int linked_check_build(const struct linked *l, const char *path,
		       const struct file_identity *identity);

/* What the first of them is called. */
const char *linked_first_file(const struct linked *l);

/* Says which were looked for; returns -DLAZY_ENOENT. */
int linked_not_found(const struct linked *l);

/* One identity for all that is there; all 0: nothing. */
void linked_identify(const struct linked *l, struct file_identity *ret);

/* As dlazy_linked_module(), dlazy_linked_available(), dlazy_linked_load(). */
struct dlazy_module *linked_module(const struct linked *l);
bool linked_available(const struct linked *l);
int linked_load(const struct linked *l, const void *caller);

/* The module has just been LOADED: replacements end. load_lock must be held. */
void linked_arm_locked(struct dlazy_module *m);

#endif
