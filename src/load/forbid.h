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

/*
 * dlazy_seal(), called from `caller`. From forbid_seal() on nothing begins, but what a
 * thread that is in the middle of a load or of discarding needs to end it: those are
 * waited for. Then forbid_end_seal() says whether it has come to a seal.
 */
enum forbid_seal {
	FORBID_SEAL_BEGUN,     /* by this call */
	FORBID_SEAL_ELSEWHERE, /* another thread is at it */
	FORBID_SEAL_DONE
};
enum forbid_seal forbid_seal(const void *caller);
void forbid_end_seal(bool done);

/* Whether it is sealed, or about to be, for a thread that is in the middle of nothing
 * but a load that it has just begun. */
bool forbid_is_sealed(void);

/*
 * What unmaps. false: it is sealed, or about to be; nothing has begun. The end can come
 * by an exception that a destructor throws.
 */
bool forbid_begin_discarding(void);
void forbid_end_discarding(const bool *begun);
#define _cleanup_discarding_ _cleanup_(forbid_end_discarding)
bool forbid_is_discarding(void);      /* any thread */
bool forbid_is_discarding_here(void); /* this one */

/* In the child of fork(2), which has none of the other threads. */
void forbid_after_fork(void);

/* Once, before anything is declared: reads the environment. */
void forbid_begin(void);

#endif
