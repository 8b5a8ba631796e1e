/* SPDX-License-Identifier: MIT */
/*
 * What the example hosts need only to be compared: the same done eagerly, as
 * hosts without dlazy do it, and an account of what is mapped. A host of yours
 * has none of this.
 */
#ifndef HOSTS_COMPARE_H
#define HOSTS_COMPARE_H

#include <dlazy/dlazy.h>

/* dlopens every plugin file of a directory and looks `symbol` up in each;
 * returns the handle of the one named, or NULL. */
void *eager_open(const char *dir, const char *name, const char *symbol);

/* Calls `fn` with the name of each plugin of a directory, in their order, and what
 * it exports as `symbol`. */
typedef void eager_fn(const char *name, void *symbol);
void eager_each(const char *dir, const char *symbol, eager_fn *fn);

/* dlsym in such a handle. */
void *eager_symbol(void *handle, const char *symbol);

/* Prints, on standard error, how many plugins of `dir` are declared, used and
 * mapped (/proc/self/maps), and the names of those mapped. registry NULL:
 * eager. */
void print_stats(struct dlazy_registry *registry, const char *dir);

#endif
