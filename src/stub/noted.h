/* SPDX-License-Identifier: MIT */
/*
 * Which slots of stub files hold an address of a plugin, so that they can be zero again
 * when it is reloaded. Their pages are mapped, as nothing is malloc'd in a first call
 * once the library is loaded. The caller has the lock under which these slots are
 * written.
 */
#ifndef STUB_NOTED_H
#define STUB_NOTED_H

#include <stdatomic.h>
#include <stdbool.h>

struct noted_slots;

/* A page of them. NULL: there is no memory. */
struct noted_slots *noted_new(void);
void noted_free(struct noted_slots *page);

/* Notes one more; *fresh, if there is one, is taken if there is no room else. false:
 * there is none. */
bool noted_add(struct noted_slots **all, _Atomic(void *) *slot,
	       struct noted_slots **fresh);

/* All that are noted are zero, and noted no more. */
void noted_clear(struct noted_slots *all);

#endif
