/* SPDX-License-Identifier: MIT */
/*
 * Which modules are in use, and which were used least recently: dlazy_pin(), and what
 * trimming goes by.
 *
 * A use is a first call, a pin, or a load. A call through a stub that has its address
 * goes straight to the function, and nobody sees it. So whoever sets a limit has the
 * stubs of all other discardable modules look again at each load and at each trim:
 * that is one slow path for each stub that is called in between.
 */
#ifndef LOAD_USE_H
#define LOAD_USE_H

#include <stdbool.h>

struct dlazy_module;

/* As dlazy_pin() and dlazy_unpin(). No lock is taken for a module that this thread
 * has pinned lately. */
int use_pin(struct dlazy_module *m);
int use_unpin(struct dlazy_module *m);

/* Whether it is pinned. Slots that were armed before this call are seen by who pins it
 * after. */
bool use_is_pinned(struct dlazy_module *m);

/* It is used now. */
void use_note(struct dlazy_module *m);

/* From now on uses are looked for at each load, of this process. */
void use_begin(void);

/* `m` was loaded: what is used from now on is used later. m NULL: of all. */
void use_arm_others(const struct dlazy_module *m);

#endif
