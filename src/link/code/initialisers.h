/* SPDX-License-Identifier: MIT */
/*
 * What a library's initialisers reach: DT_INIT and the functions of
 * DT_INIT_ARRAY, and all that these call, or have the address of, within the
 * library; likewise its terminators. Of calls through pointers in data only
 * those are followed whose table the calling function has the address of.
 * x86-64; of other CPUs nothing is known.
 */
#ifndef LINK_CODE_INITIALISERS_H
#define LINK_CODE_INITIALISERS_H

#include "link/code/relocations.h"
#include "elf/view.h"

/* Told of each symbol that they refer to by a relocation; false: stop. */
typedef bool initialisers_fn(const struct elf_symbol *symbol, void *arg);

/* The name in the place of a symbol's where they change the thread's
 * floating-point mode by an instruction, as -ffast-math makes them. */
extern const char initialisers_mode[];

/* calls: elf_data_constructors(), or of destructors. false: it is not known what
 * they reach. */
bool initialisers_reach(const struct elf_data *data,
			const struct elf_view *view, struct elf_calls calls,
			initialisers_fn *fn, void *arg);

#endif
