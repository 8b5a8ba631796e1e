/* SPDX-License-Identifier: MIT */
/*
 * Prefetching: the same move from DECLARED to LOADED, asked for earlier and
 * made by a thread of ours, while the host does something else.
 */
#ifndef REGISTRY_PREFETCH_H
#define REGISTRY_PREFETCH_H

#include "load/module.h"

/* As dlazy_prefetch(), for an open module. */
int prefetch_module(struct dlazy_module *m, const void *caller);

/* Has the worker stay from now on, as who asks must not wait for one to be made. 0 or
 * -DLAZY_ENOMEM. */
int prefetch_stay(void);

/* Once, before all else here. */
void prefetch_begin(void);

/* In the child of fork(2), which has no worker. */
void prefetch_after_fork(void);

#endif
