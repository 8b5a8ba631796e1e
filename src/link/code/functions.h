/* SPDX-License-Identifier: MIT */
/*
 * What some functions of a file do, recognised by reading their code; none of
 * it is run. Only x86-64 code is understood: of files for other CPUs nothing
 * is known.
 */
#ifndef LINK_CODE_FUNCTIONS_H
#define LINK_CODE_FUNCTIONS_H

#include "link/code/relocations.h"
#include "elf/view.h"

/* What a constant function returns each time, and does nothing else. */
enum code_constant_kind {
	CODE_CONSTANT_NOTHING, /* the registers stay as they are */
	CODE_CONSTANT_NUMBER,  /* rax */
	CODE_CONSTANT_ADDRESS, /* rax; it is the file's */
};

struct code_constant {
	enum code_constant_kind kind;
	uint64_t value;
};

/*
 * Returns true if the function at that address, of that size, is a constant
 * function; false in doubt.
 */
bool code_returns_constant(const struct elf_data *data, uint64_t function,
			   uint64_t size, struct code_constant *ret);

/*
 * Returns true, also in doubt, if the file has constructors whose work others
 * could notice. Not counted are those that the compiler puts in every file;
 * those that set up the standard streams of C++, as every file has that
 * includes <iostream>; and those that set up the file's own variables, which
 * it reaches directly. view: of the same file.
 */
bool code_constructs(const struct elf_data *data, const struct elf_view *view);

/* The same for destructors; here only the compiler's are not counted. */
bool code_destructs(const struct elf_data *data, const struct elf_view *view);

#endif
