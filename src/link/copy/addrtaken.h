/* SPDX-License-Identifier: MIT */
/*
 * The ways to what a library has: by names, which are others' to give, and by
 * pointers and instructions of its own, which are not. What is to be elsewhere
 * must have no ways but names.
 */
#ifndef LINK_COPY_ADDRTAKEN_H
#define LINK_COPY_ADDRTAKEN_H

#include "link/code/relocations.h"
#include "link/resolve/symtab.h"

struct ways;

/* No datum that has a name is larger, or it is none. */
#define WAYS_DATUM_MAX (4u << 20)

/*
 * Reads an open file, which has to stay open for as long. own: its definitions;
 * path: for messages. 0, or what elf_data_open() gives.
 */
int ways_open(const struct elf_view *view, const struct definition *own,
	      size_t count, int fd, const char *path, struct ways **ret);
void ways_close(struct ways *ways);
static inline void cleanup_ways(struct ways **ways)
{
	ways_close(*ways);
}
#define _cleanup_ways_ _cleanup_(cleanup_ways)

const struct elf_data *ways_data(const struct ways *ways);

/* Is the definition one of data, whoever reaches them, with an extent? */
bool ways_datum(const struct ways *ways, const struct definition *definition,
		struct elf_symbol *ret);

/* May others have it from elsewhere, too? */
bool ways_may_move(const struct ways *ways, const struct definition *definition,
		   struct elf_symbol *ret);

/* Makes a range around an address that of a symbol's data, or cuts it down to
 * what lies between two symbols'. true: it has a name. */
bool ways_narrow(const struct ways *ways, uint64_t address,
		 struct elf_range *range);

/* How many pointers there are into a range that are not by name. */
size_t ways_pointers(const struct ways *ways, struct elf_range range);

/* Does the code use it directly? And with several instructions? In doubt it
 * does (link/code/uses.h). */
bool ways_use(struct ways *ways, struct elf_range range);
bool ways_use_again(struct ways *ways, struct elf_range range);

/* Is what lies there, and may be written, reached by its names, and by those
 * alone? */
bool ways_are_names(struct ways *ways, struct elf_range range);

/* Is a function called by its names alone, and found by them as others find it?
 * Then the library gets what they get. */
bool ways_call_by_name(struct ways *ways, uint64_t function);

static inline struct elf_range ways_place(uint64_t address)
{
	return (struct elf_range){address, address + 1};
}

static inline bool ways_lie_within(struct elf_range inner,
				   struct elf_range outer)
{
	return inner.start >= outer.start && inner.end <= outer.end;
}

#endif
