/* SPDX-License-Identifier: MIT */
/*
 * Constant functions: they do nothing but return what is known beforehand
 * (link/code/functions.h), such as a library's version. Their stub returns it
 * without loading the library. A number is the same wherever it comes from. An
 * address counts only if it is that of a text which nobody could compare with
 * the library's own.
 */
#ifndef LINK_COPY_CONSTANT_H
#define LINK_COPY_CONSTANT_H

#include "link/code/functions.h"
#include "link/copy/addrtaken.h"

struct constant {
	uint64_t function; /* its address in the library */
	struct code_constant what;
	struct elf_range text; /* of an address: its NUL included */
};

/*
 * May the library have constant functions at all? Not if it has constructors or
 * destructors, as a function that does nothing may be called to run these.
 * constructs: code_constructs() of it.
 */
bool constant_allowed(const struct addrtaken *addrtaken,
		      const struct elf_view *view, bool constructs);

/* Is the symbol a constant function? */
bool constant_find(struct addrtaken *addrtaken, const struct elf_symbol *symbol,
		   struct constant *ret);

#endif
