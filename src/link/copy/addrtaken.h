/* SPDX-License-Identifier: MIT */
/*
 * Address-taken analysis: how a library reaches its own functions and data. A
 * relocation against an exported symbol binds to whatever definition is found
 * first; a relative relocation or an instruction has the library's own address.
 * Data can have a canonical copy elsewhere, and a function a stub, only if the
 * library reaches them by their symbols alone, or never compares addresses.
 */
#ifndef LINK_COPY_ADDRTAKEN_H
#define LINK_COPY_ADDRTAKEN_H

#include "link/code/relocations.h"
#include "link/resolve/symtab.h"

struct addrtaken;

/* A larger datum is not looked at. */
#define ADDRTAKEN_DATUM_MAX (4u << 20)

/*
 * Reads an open file, which has to stay open for as long. own: its definitions;
 * path: for messages. 0, or what elf_data_open() gives.
 */
int addrtaken_open(const struct elf_view *view, const struct definition *own,
		   size_t count, int fd, const char *path,
		   struct addrtaken **ret);
void addrtaken_close(struct addrtaken *addrtaken);
static inline void cleanup_addrtaken(struct addrtaken **addrtaken)
{
	addrtaken_close(*addrtaken);
}
#define _cleanup_addrtaken_ _cleanup_(cleanup_addrtaken)

const struct elf_data *addrtaken_data(const struct addrtaken *addrtaken);

/* Is the definition one of data, with an extent? */
bool addrtaken_datum(const struct addrtaken *addrtaken,
		     const struct definition *definition,
		     struct elf_symbol *ret);

/* The same; and can another definition preempt it? */
bool addrtaken_can_be_preempted(const struct addrtaken *addrtaken,
				const struct definition *definition,
				struct elf_symbol *ret);

/* Makes a range around an address that of a symbol's data, or cuts it down to
 * what lies between two symbols'. true: it has a symbol. */
bool addrtaken_narrow(const struct addrtaken *addrtaken, uint64_t address,
		      struct elf_range *range);

/* How many pointers into a range have a relative relocation. */
size_t addrtaken_pointers(const struct addrtaken *addrtaken,
			  struct elf_range range);

/* Does an instruction have an address of that range? Have several? In doubt
 * they do (link/code/uses.h). */
bool addrtaken_by_code(struct addrtaken *addrtaken, struct elf_range range);
bool addrtaken_by_code_again(struct addrtaken *addrtaken,
			     struct elf_range range);

/* Are the writable data there reached by their symbols, and by these alone? */
bool addrtaken_by_symbol_alone(struct addrtaken *addrtaken,
			       struct elf_range range);

/* Does the library reach the function by its symbols alone, and can these be
 * preempted? Then it calls what others call. */
bool addrtaken_calls_by_symbol(struct addrtaken *addrtaken, uint64_t function);

/* Does the library have its own address of a function, whoever else has another?
 * By a relative relocation, an instruction, or a symbol that it binds to its own
 * definition; a call does not count. */
bool addrtaken_has_function(struct addrtaken *addrtaken, uint64_t function);

static inline struct elf_range addrtaken_range(uint64_t address)
{
	return (struct elf_range){address, address + 1};
}

static inline bool addrtaken_within(struct elf_range inner,
				    struct elf_range outer)
{
	return inner.start >= outer.start && inner.end <= outer.end;
}

#endif
