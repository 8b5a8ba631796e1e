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

/* In the child of fork(2), which has no worker. */
void prefetch_after_fork(void);

#endif
