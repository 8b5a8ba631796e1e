/* SPDX-License-Identifier: MIT */
/*
 * The canonical copy of a lazy library's data, as a copy relocation makes one
 * in a program: the stub file holds the data as they would be in the library.
 * An object that imports them at the program's start binds to the copy, without
 * the library. The library, once loaded, binds to the copy too, as the stub
 * file comes first in the search order. So all use the same data.
 *
 * It is sound where a copy relocation is: the ABI has a library reach its
 * exported data by a relocation against their symbol. So nothing is copied of
 * libraries that bind to themselves (DT_SYMBOLIC, protected symbols). As
 * nothing of the library has run yet, data that a constructor may write are not
 * copied either. Writable data are copied only if the library is seen to reach
 * them by their symbol alone.
 *
 * Data point at other data, which then are copied as well: a whole symbol's,
 * or, where there is no symbol, all between two symbols, as it is not known
 * where an object begins and ends. Data point at functions: at exported ones,
 * which have a stub or are there at the start; or at others, which get stubs by
 * their offsets in the very build that was looked at. What has no symbol has
 * another address here than in the library. So what the library's own code
 * refers to, and could compare with, is not pointed at.
 */
#ifndef LINK_COPY_COPY_H
#define LINK_COPY_COPY_H

#include "link/copy/constant.h"

enum copy_part {
	COPY_CONSTANT, /* never written */
	COPY_RELRO,    /* relocated, then read-only */
	COPY_WRITABLE,
	COPY_PARTS
};

/* Neighbours in the library are neighbours in the copy. */
struct copy_piece {
	struct elf_range range; /* in the library */
	enum copy_part part;
	uint8_t *bytes;
	uint64_t place; /* in its part; by copy_lay_out() */
};

enum copy_target {
	COPY_TO_DATA,	/* `to` is in the copy */
	COPY_TO_CODE,	/* `to` is a function, which need not have a name */
	COPY_TO_SYMBOL, /* a function of a lazy library, or what is there */
};

/* 8 bytes of a piece. Addresses are the library's. */
struct copy_fixup {
	uint64_t at;
	enum copy_target target;
	uint64_t to;
	const struct definition *symbol;
	int64_t addend;
};

struct copy {
	struct copy_piece *pieces; /* by address */
	size_t piece_count, piece_room;
	struct copy_fixup *fixups; /* by address */
	size_t fixup_count, fixup_room;
	uint64_t *functions; /* what TO_CODE points at, each once, sorted */
	size_t function_count;
	struct constant *constants; /* by function */
	size_t constant_count, constant_room;
	uint64_t size; /* of all pieces */
};

struct copy_request {
	const struct closure *closure;
	struct symtab *symtab;
	size_t object;	      /* the library */
	const bool *imported; /* for each of its definitions, in their order */
	const bool *resides;  /* for each object: it is never lazy */
};

/*
 * Copies what is imported of a library, as far as that can be, and sets
 * `copied` of its definitions, among them others that came with it. 0, with an
 * empty copy if nothing can be copied (the file cannot be read, ...), or
 * -DLAZY_ENOMEM.
 */
int copy_make(const struct copy_request *request, struct copy *ret);
void copy_clear(struct copy *copy);

/* How far the addresses of its data may tell of their alignment, which nothing
 * says: a power of two. */
uint64_t copy_alignment(const struct copy *copy);

/* Gives each piece its place behind what the parts have already, aligned as it
 * was. */
void copy_lay_out(struct copy *copy, uint64_t alignment,
		  uint64_t sizes[COPY_PARTS]);

/* The piece that an address is in; NULL: none. */
const struct copy_piece *copy_find(const struct copy *copy, uint64_t address);

/* Finds what a function returns if it is a constant function, else NULL. */
const struct code_constant *copy_constant(const struct copy *copy,
					  uint64_t function);

/* Is all of this in one piece? */
bool copy_has(const struct copy *copy, uint64_t address, uint64_t size);

#endif
