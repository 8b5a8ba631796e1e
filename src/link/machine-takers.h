/* SPDX-License-Identifier: MIT */
/*
 * Who takes data from whom, for all ELF files of the machine together.
 */
#ifndef LINK_MACHINE_TAKERS_H
#define LINK_MACHINE_TAKERS_H

#include "link/machine-file.h"

/*
 * Sets `importer` and `taken` of each ELF file: the first, by path, that takes
 * data from it, and of what it takes the first name. `elves` are those of the
 * tables. 0 or -DLAZY_ENOMEM.
 */
int takers_find(const struct tables *tables, struct table_elf *elves);

#endif
