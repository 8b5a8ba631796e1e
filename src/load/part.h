/* SPDX-License-Identifier: MIT */
/*
 * Parts of this library that need others (libffi, jansson) are modules of their
 * own beside it, so that it needs libc alone. They are declared when they are
 * first asked for, and loaded as any other module.
 */
#ifndef LOAD_PART_H
#define LOAD_PART_H

#include "load/module.h"

/* One of them; of static storage. */
struct part {
	const char *file;     /* "ffi.so" */
	const char *for_what; /* "calls by signature", for messages */
	const char *chosen;   /* by a test: where it is; NULL: as installed */
	_Atomic(struct dlazy_module *) module; /* NULL: not declared yet */
};

/* Finds its file, and loads nothing. 0, or as part_find(). */
int part_declare(struct part *part);

/* One of its functions. 0, or, with message, -DLAZY_ENOSYS: there is no such
 * part here; or a state, or what kept it from being loaded now. */
int part_find(struct part *part, const char *symbol, void **ret);

#endif
