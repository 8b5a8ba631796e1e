/* SPDX-License-Identifier: MIT */
/*
 * Writing ELF files: the sections, where each lies, and the headers. Used in
 * four steps:
 *
 * 1. build_section() says what there is, and of which size, in the order of
 *    the file (that of enum build_use);
 * 2. build_layout() gives each section its address and its zeroed bytes in the
 *    file that is to be;
 * 3. the caller fills the contents in: now all addresses are known;
 * 4. build_finish() writes the headers and hands the file over.
 *
 * Running out of memory is remembered (`failed`) and told by the last two.
 * Files are of 64 bits and little-endian.
 */
#ifndef LINK_WRITE_BUILD_H
#define LINK_WRITE_BUILD_H

#include "link/write/cpu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The use of a section, which decides its place and its protection. */
enum build_use {
	BUILD_CONSTANT, /* r-- */
	BUILD_CODE,	/* r-x */
	BUILD_RELRO,	/* rw-, r-- when relocated */
	BUILD_DATA,	/* rw- */
	BUILD_ZERO,	/* rw-, no bytes in the file */
	BUILD_UNLOADED, /* for tools only */
};

struct build_section {
	const char *name; /* static */
	enum build_use use;
	uint32_t type; /* SHT_..., as src/elf sets it; PROGBITS or NOBITS */
	uint64_t size, alignment;
	uint64_t entry_size;
	bool strings;			  /* which link editors may merge */
	const struct build_section *link; /* or NULL */
	uint32_t info;
	uint32_t name_offset;
	/* by build_layout(): */
	uint8_t *data; /* NULL: none in the file */
	uint64_t address, offset;
};

#define BUILD_SEGMENTS_MAX 16

/* A segment covers sections first .. last; type and flags as in ELF. */
struct build_segment {
	uint32_t type, flags;
	const struct build_section *first, *last;
};

struct build {
	const struct build_cpu *cpu;
	bool relocatable; /* else a shared object */
	bool gnu;	  /* has what only the GNU ABI knows: STT_GNU_IFUNC */
	struct build_section *sections; /* [0]: the null */
	size_t section_count, section_room;
	struct build_segment segments[BUILD_SEGMENTS_MAX];
	size_t segment_count;
	uint64_t headers_size, table_offset, size;
	uint8_t *file;
	bool failed;
};

/* 0 or -DLAZY_ENOMEM. more: sections beyond the dozen or two that all have. */
int build_start(struct build *b, enum elf_cpu cpu, bool relocatable,
		size_t more);
void build_clear(struct build *b);

struct build_section *build_section(struct build *b, const char *name,
				    enum build_use use, uint64_t size,
				    uint64_t alignment);

/* Its number in the table of sections. */
uint16_t build_index(const struct build *b, const struct build_section *s);

/* 0; -DLAZY_ENOMEM; -DLAZY_EFORMAT: larger than 2 GiB, which the offsets in
 * it would not reach across; -DLAZY_ENOSYS: this machine is big-endian. */
int build_layout(struct build *b);

/* The file, malloc'd. Gives .note.gnu.build-id the hash of the rest. */
int build_finish(struct build *b, uint8_t **ret_data, size_t *ret_size);

/* Strings one behind the other; offset 0 is the empty one. */
struct build_strings {
	char *data;
	size_t size, room;
	bool failed;
};
uint32_t build_string(struct build_strings *strings, const char *s);
/* "NAME@VERSION" */
uint32_t build_string_version(struct build_strings *strings, const char *name,
			      const char *version);
/* One more NUL: the empty string that ends a list of them. */
void build_string_end(struct build_strings *strings);
void build_strings_clear(struct build_strings *strings);

#endif
