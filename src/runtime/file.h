/* SPDX-License-Identifier: MIT */
/*
 * The file of the library that a linked stub stands for (stub/linked.h): where
 * it is, and whether it is the build for which the stub file was made.
 */
#ifndef RUNTIME_FILE_H
#define RUNTIME_FILE_H

#include "base/file.h"
#include "load/module.h"
#include "stub/linked.h"

#include <stdbool.h>

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

/* What the first of them is called. */
const char *linked_first_file(const struct linked *l);

/*
 * Whether the linker's own search is sure to find the library as ours would:
 * then it is given the bare name, and nothing is looked for before, which costs
 * more than all the rest of a first call.
 */
bool linked_is_left_to_linker(const struct linked *l);

/* The build-id that the stub file was made for; returns its length. */
size_t linked_build(const struct linked *l, uint8_t id[LINKED_BUILD_MAX]);

/* Is the file of the build that the stub file was made for? */
bool linked_is_build(const struct linked *l, const char *path,
		     const struct file_identity *identity);

/* The kind of a module that a linked stub stands for; its source is the struct
 * linked. */
extern const struct module_kind linked_kind
	__attribute__((visibility("hidden")));

/* Whether a reload can put another object in the place of the library's, so that
 * slots which hold an address of it have to be noted. */
bool linked_can_follow(const struct dlazy_module *m);

/* As dlazy_linked_available(), dlazy_linked_has(). */
bool linked_available(const struct linked *l);
bool linked_has(const struct linked *l, const char *symbol);

static inline struct linked_state *linked_state(const struct linked *l)
{
	return (struct linked_state *)linked_at(l, l->state);
}

#endif
