/* SPDX-License-Identifier: MIT */
/*
 * Symbol versions: what the indexes of DT_VERSYM mean, from DT_VERDEF (versions
 * this file defines) and DT_VERNEED (versions it wants of others).
 */
#ifndef ELF_VERSIONS_H
#define ELF_VERSIONS_H

#include "elf/image.h"
#include "elf/strings.h"

struct version {
	const char *name;    /* NULL: no such version */
	const char *library; /* DT_VERNEED: of which library; else "" */
};

struct versions {
	uint16_t *of_symbol;   /* NULL: the file has no versions */
	struct version *table; /* by index */
	size_t count;
};

/* symbol_count: entries of DT_VERSYM to read. 0 or negated status. On failure,
 * too, versions_clear() frees. */
int versions_read(struct versions *versions, const struct image *image,
		  const struct strings *strings, size_t symbol_count);
void versions_clear(struct versions *versions);

/* The version of a symbol; both strings "" if it has none. */
struct version versions_of(const struct versions *versions, size_t symbol);

/* Does a plain lookup get it (NAME@@VERSION, or NAME)? */
bool versions_is_default(const struct versions *versions, size_t symbol);

/* Is its index one that needs no version (local, global)? */
bool versions_is_plain(const struct versions *versions, size_t symbol);

#endif
