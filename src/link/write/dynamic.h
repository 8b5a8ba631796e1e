/* SPDX-License-Identifier: MIT */
/*
 * The dynamic part of a shared object that is being written: what it exports
 * and imports, versions, needed libraries, and the tables the dynamic linker
 * finds them by. Everything is said before build_layout(); then
 * build_dynamic_fill().
 */
#ifndef LINK_WRITE_DYNAMIC_H
#define LINK_WRITE_DYNAMIC_H

#include "base/map.h"
#include "link/write/build.h"

/* Versions: index 0 none, 1 of what has no version, from 2 on the defined. */
#define BUILD_VERSION_PLAIN 1u
#define BUILD_VERSION_HIDDEN 0x8000u /* NAME@VERSION: not the default */

struct build_export {
	uint32_t name; /* in the strings */
	uint32_t hash;
	uint16_t version; /* with BUILD_VERSION_HIDDEN */
	bool weak;
	bool indirect;	       /* STT_GNU_IFUNC: the address is a resolver's */
	bool object;	       /* data */
	uint64_t offset, size; /* in: */
	/* a section, by where it will be told when it is there; NULL: the
	 * code */
	struct build_section *const *section;
};

/* Eight bytes that the dynamic linker fills in. */
struct build_relocation {
	uint64_t address;
	bool imported;
	uint64_t target; /* an address, or, if imported, an import */
	int64_t addend;	 /* of an import */
};

struct build_dynamic {
	struct build_strings strings; /* .dynstr; others may add to it */
	struct build_export *exports;
	size_t export_count, export_room;
	uint32_t *imports; /* names; the first have a pointer in .got each */
	size_t import_count, import_room, pointer_count;
	struct build_relocation *relocated;
	size_t relocated_count, relocated_room;
	struct build_version {
		uint32_t name, hash;
	} * versions; /* from index 2 on */
	size_t version_count, version_room;
	struct map version_map;
	uint32_t soname;
	uint32_t *needed;
	size_t needed_count, needed_room;
	uint64_t flags_1;
	const struct build_section *code;
	bool has_init;
	uint64_t init; /* in the code */
	struct build_section *symbols, *names, *hashes, *versym, *verdef;
	struct build_section *relocations, *dynamic, *got;
	bool failed; /* out of memory */
};

void build_dynamic_clear(struct build_dynamic *d);

void build_dynamic_soname(struct build_dynamic *d, const char *soname);
void build_dynamic_needed(struct build_dynamic *d, const char *name);
/* DT_INIT, an offset in the code, called before all other constructors. */
void build_dynamic_init_first(struct build_dynamic *d, uint64_t offset);
/* Its place in .got, counted in pointers. */
size_t build_dynamic_import(struct build_dynamic *d, const char *name);
/* Something of others that only relocations refer to: its number. After all
 * that have a pointer. */
size_t build_dynamic_refer(struct build_dynamic *d, const char *name);
/* A relocation, which is said once more (build_dynamic_place()) when addresses
 * are known. */
void build_dynamic_relocate(struct build_dynamic *d,
			    struct build_relocation relocation);
/* The index of a version, new or not; "": BUILD_VERSION_PLAIN. 0: there are
 * more than the format can tell apart. */
uint16_t build_dynamic_version(struct build_dynamic *d, const char *version);
/* What is not set is its name's. */
void build_dynamic_export(struct build_dynamic *d, const char *name,
			  struct build_export export);

/* Adds the read-only sections; then, when the code was added, the others. */
void build_dynamic_tables(struct build_dynamic *d, struct build *b);
void build_dynamic_pointers(struct build_dynamic *d, struct build *b,
			    const struct build_section *code);

/* After build_layout(): relocation `i`, with addresses. */
void build_dynamic_place(struct build_dynamic *d, size_t i,
			 struct build_relocation relocation);

/* After build_layout(). 0 or -DLAZY_ENOMEM. */
int build_dynamic_fill(struct build_dynamic *d, const struct build *b);

#endif
