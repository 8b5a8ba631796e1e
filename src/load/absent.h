/* SPDX-License-Identifier: MIT */
/*
 * Names that a module was just seen not to have. dlsym() answers from memory;
 * ours asks files, and each look at a file costs more than a dlsym(). So a "no" is
 * good for as long as the kernel's clock shows the same tick (4 ms or so) and no
 * module is loaded, closed or found changed. No lock: an answer is one word.
 */
#ifndef LOAD_ABSENT_H
#define LOAD_ABSENT_H

#include "load/module.h"

/* Stands for the name in that module now; to be made before it is looked for. m
 * may be any pointer. */
uint64_t absent_key(const struct dlazy_module *m, const char *name);

/* m is a module then, and open. */
bool absent_is_known(uint64_t key);
void absent_note(uint64_t key);

#endif
