/* SPDX-License-Identifier: MIT */
/* The modules that require another one. */
#ifndef LOAD_DEPENDENTS_H
#define LOAD_DEPENDENTS_H

#include "load/module.h"

/*
 * The loaded modules that require m, at any remove, each behind those that require
 * it; malloc'd. Their number; -1: out of memory.
 */
ptrdiff_t dependents_find(struct dlazy_module *m, struct dlazy_module ***ret);

#endif
