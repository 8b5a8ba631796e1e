/* SPDX-License-Identifier: MIT */
/*
 * Functions that a stub can answer for: they do nothing but return what is
 * known beforehand (link/code/functions.h). A number is the same wherever it comes from.
 * An address is answered if it is that of a text that nobody could compare with
 * the library's own.
 */
#ifndef LINK_COPY_CONSTANT_H
#define LINK_COPY_CONSTANT_H

#include "link/code/functions.h"
#include "link/copy/addrtaken.h"

struct answer {
	uint64_t function; /* its address in the library */
	struct code_answer what;
	struct elf_range text; /* of an address: its NUL included */
};

/*
 * May the library's functions be answered for at all? Not if it has
 * constructors or destructors, as a function that does nothing may be called
 * for these. constructs: code_constructs() of it.
 */
bool answer_may(const struct ways *ways, const struct elf_view *view,
		bool constructs);

/* Is the symbol a function that is known? */
bool answer_find(struct ways *ways, const struct elf_symbol *symbol,
		 struct answer *ret);

#endif
