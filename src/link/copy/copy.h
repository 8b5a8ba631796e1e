/* SPDX-License-Identifier: MIT */
/*
 * A mirror: data of a lazy library, kept by the stub file as they would be in
 * the library. Who takes them at the program's start finds them without the
 * library; when that is loaded, it finds them there too, as the stub file comes
 * first, and both use the same ones.
 *
 * That is what a copy relocation does with a library's data in a program, and
 * it is allowed where that is: the ABI has libraries reach their exported data
 * through a relocation of that name. So it is not for libraries that are bound
 * to themselves (DT_SYMBOLIC, protected symbols). As nothing of the library has
 * run yet, it is not for what a constructor may write, either; and what can be
 * written is mirrored only where the library is seen to reach it by its name.
 *
 * Data point at other data, which then are mirrored as well: a whole symbol's,
 * or, where there is no symbol, all between two of them, as it is not known
 * where an object begins and ends. They point at functions: at named ones, to
 * which the stub file has stubs or which are there; or at others, to which it
 * gets stubs by their offsets in the very build that was looked at. What has no
 * name has another address here than in the library: so what the library's own
 * code names, and could compare with, is not pointed at.
 */
#ifndef LINK_COPY_COPY_H
#define LINK_COPY_COPY_H

#include "link/copy/constant.h"

enum mirror_part {
	MIRROR_CONSTANT, /* never written */
	MIRROR_RELRO,	 /* relocated, then read-only */
	MIRROR_WRITABLE,
	MIRROR_PARTS
};

/* Neighbours in the library are neighbours in the mirror. */
struct mirror_piece {
	struct elf_range range; /* in the library */
	enum mirror_part part;
	uint8_t *bytes;
	uint64_t place; /* in its part; by mirror_lay_out() */
};

enum mirror_target {
	MIRROR_TO_DATA,	  /* `to` is in the mirror */
	MIRROR_TO_CODE,	  /* `to` is a function, which need not have a name */
	MIRROR_TO_SYMBOL, /* a function of a lazy library, or what is there */
};

/* 8 bytes of a piece. Addresses are the library's. */
struct mirror_fixup {
	uint64_t at;
	enum mirror_target target;
	uint64_t to;
	const struct definition *symbol;
	int64_t addend;
};

struct mirror {
	struct mirror_piece *pieces; /* by address */
	size_t piece_count, piece_room;
	struct mirror_fixup *fixups; /* by address */
	size_t fixup_count, fixup_room;
	uint64_t *functions; /* what TO_CODE points at, each once, sorted */
	size_t function_count;
	struct answer *answers; /* by function */
	size_t answer_count, answer_room;
	uint64_t size; /* of all pieces */
};

struct mirror_request {
	const struct closure *closure;
	struct names *names;
	size_t object;	     /* the library */
	const bool *wanted;  /* for each of its definitions, in their order */
	const bool *resides; /* for each object: it is never lazy */
};

/*
 * Mirrors what is wanted of a library, as far as that can be, and marks its
 * definitions (`mirrored`), among them others that came with it. 0, with an
 * empty mirror if nothing can be (the file cannot be read, ...), or
 * -DLAZY_ENOMEM.
 */
int mirror_make(const struct mirror_request *request, struct mirror *ret);
void mirror_clear(struct mirror *mirror);

/* How far the addresses of its data may tell of their alignment, which nothing
 * says: a power of two. */
uint64_t mirror_alignment(const struct mirror *mirror);

/* Gives each piece its place behind what the parts have already, aligned as it
 * was. */
void mirror_lay_out(struct mirror *mirror, uint64_t alignment,
		    uint64_t sizes[MIRROR_PARTS]);

/* The piece that an address is in; NULL: none. */
const struct mirror_piece *mirror_find(const struct mirror *mirror,
				       uint64_t address);

/* What a function answers; NULL: it has to be asked. */
const struct code_answer *mirror_answer(const struct mirror *mirror,
					uint64_t function);

/* Is all of this in one piece? */
bool mirror_has(const struct mirror *mirror, uint64_t address, uint64_t size);

#endif
