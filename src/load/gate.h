/* SPDX-License-Identifier: MIT */
/*
 * The gate between loads and forks. A child that is forked while another
 * thread is in the dynamic linker inherits an object half relocated; so a fork
 * waits, for a bounded time, until no other thread is loading, and what could
 * not be waited for is marked in the child (module_after_fork()).
 *
 * It also keeps this thread's stack of modules being loaded: a constructor's
 * calls into its own module must go through at once.
 */
#ifndef LOAD_GATE_H
#define LOAD_GATE_H

#include <stdbool.h>

struct dlazy_module;

/* Puts the gate before fork(2), once: before the first lock of the layer is
 * taken. */
void gate_install(void);

/* This thread begins to load a module; false: out of memory. */
bool gate_enter(struct dlazy_module *module);

/* It has ended, and so has what it began in between. */
void gate_leave(const struct dlazy_module *module);

/* Whether this thread is loading this module: we are in its constructor. */
bool gate_is_loading(const struct dlazy_module *module);

/* Whether this thread is loading anything. */
bool gate_is_inside(void);

#endif
