/* SPDX-License-Identifier: MIT */
/*
 * Would a load succeed, as far as reading tells? elf/check.h, asked in this
 * process: what it has loaded already counts.
 */
#ifndef LOAD_CHECK_H
#define LOAD_CHECK_H

#include "elf/walk.h"
#include "load/module.h"

/* Does somebody else define a symbol, who would be loaded, too? For what lies
 * above this layer (registries); may be NULL. */
typedef bool load_check_elsewhere_fn(const struct dlazy_module *m,
				     const char *symbol, const char *version);

/* Of a module: 0, or, with message, what a load would return. */
int load_check_module(struct dlazy_module *m,
		      load_check_elsewhere_fn *elsewhere);

/* Of a file, opened with these flags of dlopen; m may be NULL. */
int load_check_file(const char *path, int flags, const struct dlazy_module *m,
		    load_check_elsewhere_fn *elsewhere);

/* Tells of each library that a file needs, with its view (walk_run()). */
int load_check_walk(const char *path, walk_found_fn *found, void *data);

#endif
