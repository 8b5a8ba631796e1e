/* SPDX-License-Identifier: MIT */
/*
 * Which addresses of a file its own code refers to. All code is searched, as
 * instructions of x86-64 give an address by its distance from themselves.
 * Bytes that only look like an instruction count as one: so "not used" is
 * certain, and "used" is not.
 */
#ifndef LINK_CODE_USES_H
#define LINK_CODE_USES_H

#include "link/code/relocations.h"

struct uses;

/*
 * Reads the code of an open file, which is not needed any more afterwards.
 * 0, or, with message, what elf_view_open() gives; also -DLAZY_ENOSYS: not for
 * this CPU.
 */
int uses_read(int fd, const char *name, struct uses **ret);
void uses_free(struct uses *uses);

/*
 * Returns true if an instruction has an address of that range. Each of these
 * functions returns true where it is not known, and where uses is NULL.
 */
bool uses_has(const struct uses *uses, struct elf_range range);

/*
 * Returns true if several have, or a table that holds distances from its own
 * begin, as compilers make of tables of texts.
 */
bool uses_has_again(const struct uses *uses, struct elf_range range);

/* Returns true if an instruction jumps to it, or calls it. */
bool uses_calls(const struct uses *uses, uint64_t address);

#endif
