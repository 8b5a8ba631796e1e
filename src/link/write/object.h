/* SPDX-License-Identifier: MIT */
/*
 * Symbols and relocations of a relocatable object that is being written. They
 * are collected first; build_object_sections() then adds the sections that
 * hold them, and build_object_fill() fills these.
 */
#ifndef LINK_WRITE_OBJECT_H
#define LINK_WRITE_OBJECT_H

#include "link/write/build.h"

struct build_symbol {
	const char *name;		     /* NULL: the section itself */
	const struct build_section *section; /* NULL: undefined */
	uint64_t offset, size;
	bool local, weak, hidden, function;
};

#define BUILD_RELOCATED_MAX 4

struct build_object {
	struct build_strings names;
	void *symbols; /* Elf64_Sym, local ones first */
	size_t symbol_count, symbol_room, local_count;
	struct build_relocated {
		const struct build_section *section;
		const char *name; /* ".rela" and the section's */
		void *entries;	  /* Elf64_Rela */
		size_t count, room;
		struct build_section *table;
	} relocated[BUILD_RELOCATED_MAX];
	size_t relocated_count;
	struct build_section *symbol_table, *name_table;
	bool failed; /* out of memory */
};

void build_object_clear(struct build_object *o);

/* The number of a new symbol; all local ones must come first. */
uint32_t build_object_symbol(struct build_object *o, const struct build *b,
			     const struct build_symbol *symbol);

/* Says that a section has relocations, which are to be in one named `name`. */
void build_object_relocated(struct build_object *o,
			    const struct build_section *section,
			    const char *name);
void build_object_relocate(struct build_object *o, const struct build *b,
			   const struct build_section *section, uint64_t offset,
			   enum build_object_relocation how, uint32_t symbol,
			   int64_t addend);

void build_object_sections(struct build_object *o, struct build *b);
void build_object_fill(const struct build_object *o);

#endif
