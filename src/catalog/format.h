/* SPDX-License-Identifier: MIT */
/*
 * The bytes of a catalog file, in the order of the machine that wrote it:
 *
 *   catalog_header           at 0, checked whole at open
 *   sections                 one behind the other, to the end of the file
 *
 * A section is named by its place in the header; one that a reader does not know
 * it does not look at, so that others can be added:
 *
 *   FORMAT_ENTRIES           catalog_entry[count + bad]: where each record is
 *   FORMAT_BUCKETS           catalog_bucket[buckets]: hash table of names
 *   FORMAT_RECORDS           records and metadata: blocks, each with its own
 *                            checksum
 *   FORMAT_METADATA          catalog_entry[count + bad], or nothing if no plugin
 *                            says anything of itself: where its metadata are;
 *                            size 0: it has none
 *   FORMAT_IDS               catalog_id[], sorted by id, of one id the best ranked
 *                            first; length 0: there are no more
 *   FORMAT_ID_BUCKETS        catalog_bucket[]: hash table of ids, each of which
 *                            stands for the first catalog_id that has it
 *   FORMAT_STRINGS           char[]: ids, each ended by NUL, in their order
 *   FORMAT_OPENERS           catalog_opener, each a multiple of 8 bytes, the best
 *                            ranked first; size 0: there are no more. What is
 *                            provided and can open files, with its matchers.
 *
 *   FORMAT_KEYS              catalog_key[keys], by hash (keys.h): where openers and
 *                            plugins with a SONAME are found
 *   FORMAT_KEY_STARTS        uint32_t[]: for each part of all hashes, the first key
 *                            that is of it or of a later one
 *
 *   FORMAT_EARLY             catalog_early[]: plugins that say they are to be loaded
 *                            before they are used; 0: there are no more
 *
 * The four before these are there if something is provided, and are for the whole
 * directory: what is asked for is found without a look at each plugin.
 *
 * Entries and buckets are in tables: blocks of FORMAT_BLOCK bytes, each as many
 * elements as fit, zeros, and a checksum, which counts in the header's and the
 * block's place. So every byte of the file is covered by a checksum, and what is
 * looked up costs the check of the blocks that it touches.
 *
 * The bytes of one record: its head, symbols sorted for binary search, offsets
 * of strings, strings. Offsets in a record count from its head. Everything
 * starts at a multiple of 8. Whoever changes a struct raises FORMAT_VERSION: a
 * catalog of another version is not usable, and is rewritten.
 */
#ifndef CATALOG_FORMAT_H
#define CATALOG_FORMAT_H

#include "base/file.h"
#include "catalog/metadata.h"
#include "catalog/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FORMAT_MAGIC "dlazycat"
#define FORMAT_VERSION 4
#define FORMAT_BYTE_ORDER 0x01020304u
#define FORMAT_ALIGN 8

/* In catalog_header.flags: no identities, for any place. */
#define FORMAT_PORTABLE 1u
/* Ids are indexed: always there; without it, it is of an early version. */
#define FORMAT_INDEXED 2u
/* Plugins of this directory have been probed: new ones are due. */
#define FORMAT_PROBED 4u

enum format_section {
	FORMAT_ENTRIES,
	FORMAT_BUCKETS,
	FORMAT_RECORDS,
	FORMAT_METADATA,
	FORMAT_IDS,
	FORMAT_ID_BUCKETS,
	FORMAT_STRINGS,
	FORMAT_OPENERS,
	FORMAT_KEYS,
	FORMAT_KEY_STARTS,
	FORMAT_EARLY,
	FORMAT_SECTIONS
};

struct catalog_section {
	uint64_t offset; /* in the file */
	uint64_t size;
};

struct catalog_header {
	uint8_t magic[8];
	uint32_t version;
	uint32_t byte_order;
	uint32_t word_size;
	uint32_t machine; /* e_machine of what wrote it */
	uint64_t size;	  /* of the file */
	uint32_t count;	  /* plugins */
	uint32_t bad;	  /* files that are none */
	uint32_t buckets; /* a power of two, twice count + bad or more */
	uint32_t flags;
	uint32_t keys;
	uint32_t unused;
	struct file_identity directory; /* its size left 0; portable: all 0 */
	uint64_t scan_start_ns;		/* since the epoch; portable: 0 */
	struct catalog_section sections[FORMAT_SECTIONS];
	uint64_t checksum; /* of all above */
};

/* The record's checksum stands here too, so that a damaged offset cannot lead
 * to another sound record. */
struct catalog_entry {
	uint64_t offset; /* in the file */
	uint64_t checksum;
	uint32_t size;
	uint32_t unused;
};

struct catalog_early {
	uint32_t index; /* of its record, plus one; 0: the end */
	uint32_t unused;
};

struct catalog_key {
	uint32_t hash;
	uint32_t
		value; /* SONAME: a record's index; shape: itself; else where the
			   opener is in its section, divided by FORMAT_ALIGN */
};

struct catalog_bucket {
	uint32_t hash;	/* upper half of the name's */
	uint32_t index; /* plus one; 0: free */
};

#define FORMAT_BLOCK 512u
#define FORMAT_BLOCK_ROOM (FORMAT_BLOCK - sizeof(uint64_t))

/* In record.flags, above those of enum elf_flags. Young: when the file was read,
 * its times did not tell it from a later self. Noted: it has a note of metadata. */
#define RECORD_PORTABLE (1u << 31)
#define RECORD_YOUNG (1u << 30)
#define RECORD_NOTED (1u << 29)
#define RECORD_FLAGS (RECORD_PORTABLE | RECORD_YOUNG | RECORD_NOTED)

struct record_array {
	uint32_t offset;
	uint32_t count;
};

struct record {
	uint64_t checksum; /* of all that follows, to the end of the block */
	uint32_t size;	   /* of the block, a multiple of FORMAT_ALIGN */
	uint32_t flags;
	struct file_identity identity;
	uint64_t content; /* portable, no build-id: hash of the file's bytes */
	int32_t status;
	uint32_t name; /* offsets of strings, here to message */
	uint32_t file;
	uint32_t soname;
	uint32_t rpath;
	uint32_t runpath;
	uint32_t machine;
	uint32_t message;
	struct record_array build_id; /* bytes */
	struct record_array needs;    /* uint32_t, offsets of strings */
	struct record_array notes;    /* uint32_t */
	struct record_array symbols;  /* record_export */
	uint32_t build_id_at; /* where the file has it; 0: not near its start */
	uint32_t unused;
};

#define EXPORT_DEFAULT 1u
#define EXPORT_VARIANT 2u

struct record_export {
	uint64_t value;
	uint64_t size;
	uint32_t name;
	uint32_t version;
	uint8_t type;
	uint8_t binding;
	uint8_t flags;
	uint8_t unused[5];
};

/* Metadata: the head, arrays, strings. Offsets count from the head; that of an
 * absent string is 0. */
struct catalog_metadata {
	uint64_t checksum; /* of all that follows, to the end of the block */
	uint32_t size;	   /* of the block, a multiple of FORMAT_ALIGN */
	uint32_t flags;	   /* enum metadata_flags */
	struct file_identity plugin;
	struct file_identity sidecar;
	uint64_t sidecar_content;
	uint64_t prober;
	uint32_t name; /* offsets of strings, here to probe */
	uint32_t file;
	uint32_t text;
	uint32_t sources;
	uint32_t problem;
	uint32_t interface;
	uint32_t given[2]; /* static, probe */
	uint32_t probe;
	struct record_array provides; /* metadata_entry */
	uint32_t early;		      /* "load" is eager or prefetch */
};

struct metadata_entry {
	uint32_t id; /* offsets of strings */
	uint32_t description;
	uint32_t symbol;
	int32_t rank;
	struct record_array matchers; /* metadata_pattern */
};

struct metadata_pattern {
	uint64_t offset; /* in the file that is looked at */
	uint32_t kind;	 /* enum metadata_matcher_kind */
	uint32_t bytes;	 /* offset; a string, unless it is magic */
	uint32_t size;
	uint32_t mask; /* offset; 0: all bits count */
};

struct catalog_id {
	uint64_t string; /* in FORMAT_STRINGS */
	uint32_t length;
	uint32_t plugin; /* index of its record */
	uint32_t provided;
	int32_t rank;
};

struct catalog_opener {
	uint32_t size; /* with what follows, a multiple of FORMAT_ALIGN */
	uint32_t plugin;
	uint32_t provided;
	int32_t rank;
	struct record_array matchers; /* metadata_pattern; from the head */
};

/* A hash table of ids has as many buckets at least, so that the size of its section
 * tells how many they are. */
#define FORMAT_ID_BUCKETS_LEAST 32u

_Static_assert(sizeof(struct catalog_id) == 24, "no holes");
_Static_assert(sizeof(struct catalog_opener) % FORMAT_ALIGN == 0, "alignment");
_Static_assert(sizeof(struct catalog_metadata) % FORMAT_ALIGN == 0,
	       "alignment");
_Static_assert(sizeof(struct metadata_pattern) == 24, "no holes");
_Static_assert(sizeof(struct catalog_header) % FORMAT_ALIGN == 0, "alignment");
_Static_assert(sizeof(struct record) % FORMAT_ALIGN == 0, "alignment");
_Static_assert(sizeof(struct record_export) == 32, "no holes");

static inline uint64_t format_align(uint64_t size)
{
	return (size + FORMAT_ALIGN - 1) & ~(uint64_t)(FORMAT_ALIGN - 1);
}

/* The size of a table of `count` elements of `each` bytes. */
static inline uint64_t format_table_size(uint64_t count, size_t each)
{
	uint64_t per = FORMAT_BLOCK_ROOM / each;

	return (count + per - 1) / per * FORMAT_BLOCK;
}

/* Where in its table an element is, and in which block. */
static inline uint64_t format_table_at(uint64_t i, size_t each)
{
	uint64_t per = FORMAT_BLOCK_ROOM / each;

	return i / per * FORMAT_BLOCK + i % per * each;
}

/* How many parts the hashes of so many keys have: a few keys each. */
static inline uint32_t format_key_starts(uint32_t keys)
{
	return keys ? keys / 4 + 1 : 0;
}

/* The part that a hash is of. */
static inline uint32_t format_key_start(uint32_t keys, uint32_t hash)
{
	return (uint32_t)((uint64_t)hash * format_key_starts(keys) >> 32);
}

/* A power of two, at least twice n: one bucket in two is free at least. */
static inline uint64_t format_bucket_count(uint64_t n, uint64_t least)
{
	uint64_t buckets = least;

	while (buckets < 2 * n)
		buckets *= 2;
	return buckets;
}

/* Appends a section to the file. */
static inline void format_add_section(struct catalog_header *h,
				      enum format_section section,
				      uint64_t size)
{
	h->sections[section] = (struct catalog_section){h->size, size};
	h->size += size;
}

/* A block of metadata's checksum, as it should be. */
uint64_t metadata_checksum(const struct catalog_metadata *m);

/* The matchers of an opener or of what metadata provide: base is the head of
 * either. false: there are not so many, or it is damaged. */
bool metadata_pattern(const void *base, size_t size,
		      struct record_array patterns, size_t k,
		      struct metadata_matcher *ret);

/* The hash of a file's bytes, for record.content. false: read error. */
bool record_content(int fd, uint64_t *ret);

/* A record's checksum, as it should be. */
uint64_t record_checksum(const struct record *r);

/* Magic, version, byte order, word size, machine: those of this program. */
void format_header_begin(struct catalog_header *h);

/* The header's checksum, as it should be. */
uint64_t format_header_checksum(const struct catalog_header *h);

/* The checksum of a table's block, as it should be; it stands at the end. */
uint64_t format_block_checksum(const struct catalog_header *h,
			       enum format_section section, uint64_t number,
			       const void *block);

struct catalog;

/* For who reads a catalog beside its user (reader.h). */
const struct catalog_header *catalog_header(const struct catalog *c);
const char *catalog_path(const struct catalog *c);     /* NULL: in memory */
const uint8_t *catalog_bytes(const struct catalog *c); /* of one in memory */

/* One in memory, for one more user, each of which closes it. */
struct catalog *catalog_hold(struct catalog *c);

/* Its file, if it is the one that it was. 0, or, with message, -DLAZY_EFORMAT or a
 * state. */
int catalog_open_again(const struct catalog *c, int *ret_fd);

/* Whether a name does not lead out of its directory. */
bool catalog_is_plain_name(const char *name);

#endif
