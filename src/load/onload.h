/* SPDX-License-Identifier: MIT */
/*
 * The host's functions that are called when a module was loaded, before any
 * call goes in: dlazy_on_load().
 */
#ifndef LOAD_ONLOAD_H
#define LOAD_ONLOAD_H

#include "load/module.h"

/*
 * Calls those of the module that is loaded in a frame, unless another thread
 * has done so for this load; waits for one that is at it. unfinished: its
 * constructors may be running on this thread, so it calls none. 0, or, with
 * message, the status of the one that failed, or -DLAZY_EDEADLK.
 */
int onload_run(struct loading_frame *frame, bool unfinished);

/* For the object that is to take the place of a loaded module's: calls all of them
 * once more. 0 or, with message, the status of the one that failed. */
int onload_run_again(struct dlazy_module *m);

/* Whether there are any. */
bool onload_is_wanted(struct dlazy_module *m);

/* As dlazy_on_load(), called by code at `by`. */
int onload_set(struct dlazy_module *m, dlazy_load_fn *fn, void *data,
	       const void *by);

#endif
