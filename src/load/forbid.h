/* SPDX-License-Identifier: MIT */
/*
 * Phases of a program in which nothing may be loaded: set by the host
 * (dlazy_forbid_loading()), or from the environment for a host as it is.
 */
#ifndef LOAD_FORBID_H
#define LOAD_FORBID_H

#include <stdatomic.h>
#include <stdbool.h>

struct dlazy_module;
struct touch;

/* The cost to a load where nothing is forbidden: one read, and a branch. */
extern _Atomic(bool) forbid_on;

static inline bool forbid_is_on(void)
{
	return atomic_load_explicit(&forbid_on, memory_order_relaxed);
}

/* Whether this module may be loaded now: 0, or -DLAZY_EBUSY with both places.
 * *ret_final: the environment forbids it, and no host is to overhear that. */
int forbid_check(const struct dlazy_module *m, const struct touch *touch,
		 bool *ret_final);

/* As dlazy_forbid_loading(), called from `caller`. */
int forbid_loading(const char *phase, const void *caller);

/* Loading is forbidden for good: dlazy_seal(), called from `caller`. undo: it has
 * not come to that. false: it was so already. */
bool forbid_seal(const void *caller);
void forbid_undo_seal(void);
bool forbid_is_sealed(void);

/* Once, before anything is declared: reads the environment. */
void forbid_begin(void);

#endif
