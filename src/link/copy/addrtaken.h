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

/* Returns true if the definition is one of data, with a size. */
bool addrtaken_datum(const struct addrtaken *addrtaken,
		     const struct definition *definition,
		     struct elf_symbol *ret);

/* Returns true if it is, and another definition can preempt it. */
bool addrtaken_can_be_preempted(const struct addrtaken *addrtaken,
				const struct definition *definition,
				struct elf_symbol *ret);

/*
 * Widens a range around an address to the data of the symbol there, or cuts it
 * down to what lies between two symbols' data. Returns true if there is a
 * symbol.
 */
bool addrtaken_narrow(const struct addrtaken *addrtaken, uint64_t address,
		      struct elf_range *range);

/* How many pointers into a range have a relative relocation. */
size_t addrtaken_pointers(const struct addrtaken *addrtaken,
			  struct elf_range range);

/*
 * Returns true, also in doubt, if an instruction has an address of that range;
 * if several have (link/code/uses.h).
 */
bool addrtaken_by_code(struct addrtaken *addrtaken, struct elf_range range);
bool addrtaken_by_code_again(struct addrtaken *addrtaken,
			     struct elf_range range);

/*
 * Returns true if the library reaches the writable data there by their
 * symbols, and by these alone.
 */
bool addrtaken_by_symbol_alone(struct addrtaken *addrtaken,
			       struct elf_range range);

/*
 * Returns true if the library reaches the function by its symbols alone, and
 * these can be preempted. Then the library calls the definition that others
 * call.
 */
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
