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

/* What a constant function does, each time: return this, and nothing else. */
enum code_constant_kind {
	CODE_CONSTANT_NOTHING, /* the registers stay as they are */
	CODE_CONSTANT_NUMBER,  /* rax */
	CODE_CONSTANT_ADDRESS, /* rax; it is the file's */
};

struct code_constant {
	enum code_constant_kind kind;
	uint64_t value;
};

/* Is the function at that address, of that size, a constant function?
 * false in doubt. */
bool code_returns_constant(const struct elf_data *data, uint64_t function,
			   uint64_t size, struct code_constant *ret);

/*
 * Has the file constructors whose work others could notice? Not counted are
 * those that every file has of its compiler, and those that set up the
 * standard streams of C++, as every file has that includes <iostream>, or the
 * file's own variables, which it reaches directly. true in doubt. view: of the
 * same file.
 */
bool code_constructs(const struct elf_data *data, const struct elf_view *view);

/* The same of destructors, of which only the compiler's are not counted. */
bool code_destructs(const struct elf_data *data, const struct elf_view *view);

#endif
