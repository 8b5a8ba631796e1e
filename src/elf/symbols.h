/* SPDX-License-Identifier: MIT */
/*
 * The dynamic symbol table of one file, its versions, and the hash table that
 * finds a name in it.
 */
#ifndef ELF_SYMBOLS_H
#define ELF_SYMBOLS_H

#include "elf/hash.h"
#include "elf/versions.h"

struct elf_symbol;

struct symbols {
	ElfN(Sym) * table;
	size_t count;
	const struct strings *strings; /* borrowed */
	struct versions versions;
	struct gnu_hash gnu;
	struct sysv_hash sysv;
};

/* A file without a symbol table has count 0. 0 or negated status; on failure,
 * too, symbols_clear() frees. */
int symbols_read(struct symbols *symbols, const struct image *image,
		 const struct strings *strings);
void symbols_clear(struct symbols *symbols);

/* As elf_view_symbol(), elf_view_import(), elf_view_find() and
 * elf_view_defines(); h is the name's gnu_hash_of(). */
bool symbols_get(const struct symbols *symbols, size_t i,
		 struct elf_symbol *ret);
bool symbols_get_import(const struct symbols *symbols, size_t i,
			struct elf_symbol *ret);
bool symbols_find(const struct symbols *symbols, const char *name,
		  const char *version, struct elf_symbol *ret);
bool symbols_define(const struct symbols *symbols, const char *name,
		    const char *version, uint32_t h);

#endif
