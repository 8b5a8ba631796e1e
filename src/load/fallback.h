/* SPDX-License-Identifier: MIT */
/*
 * Another module's functions in the place of one that cannot be loaded, or is not
 * loaded yet: dlazy_fallback().
 */
#ifndef LOAD_FALLBACK_H
#define LOAD_FALLBACK_H

#include "load/module.h"

/* Has a module loaded soon, by another thread: what a first touch of one with
 * DLAZY_WHILE_LOADING calls. 0 or a status. */
typedef int fallback_queue_fn(struct dlazy_module *m, const void *caller);

/* As dlazy_fallback(). */
int fallback_set(struct dlazy_module *m, struct dlazy_module *other, int flags,
		 fallback_queue_fn *queue);

struct fallback {
	struct dlazy_module *other;
	fallback_queue_fn *queue; /* NULL: a first touch waits */
};

/* false: there is none. */
bool fallback_of(struct dlazy_module *m, struct fallback *ret);

#endif
