/* SPDX-License-Identifier: MIT */
/*
 * dlazy_reload(): a module gets the object of the file that its path is now.
 */
#ifndef LOAD_RELOAD_H
#define LOAD_RELOAD_H

struct dlazy_module;

/* As dlazy_reload(), called from `caller`. */
int reload_module(struct dlazy_module *m, const void *caller);

#endif
