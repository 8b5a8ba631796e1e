/* SPDX-License-Identifier: MIT */
/*
 * The index as flat tables. They have the same form while they are built, in
 * their file, and where the file is mapped and used.
 *
 * A symbol is a key: 48 bits of a hash of its name, and 16 of its version's
 * (0: it has none).
 */
#ifndef LINK_INDEX_TABLES_H
#define LINK_INDEX_TABLES_H

#include "base/file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TABLES_NONE UINT32_MAX

#define TABLES_VERSION_MASK UINT64_C(0xffff)

/* Elements of another table. */
struct table_span {
	uint32_t first, count;
};

/* A directory to be gone through, as it was asked for. */
struct table_place {
	uint64_t dev, ino; /* 0: there was none */
	uint32_t path;	   /* in the strings */
	uint32_t reserved;
};

/*
 * A directory. Each stands before those below it, which reach up to `end`. Only
 * where one of ours is among its files are they remembered: a file that becomes
 * ELF without a change of its directory is noticed there.
 */
struct table_directory {
	struct file_identity identity; /* size 0; no times: look again */
	uint32_t path;
	uint32_t end;
	struct table_span entries;
};

/* A name in a directory: of a regular file, or of a link to one. */
struct table_entry {
	struct file_identity identity; /* no times: look again */
	uint32_t name;
	uint32_t directory;
	uint32_t elf;  /* TABLES_NONE: not ours */
	uint32_t link; /* 1: it is a symbolic link */
};

/* Which names an ELF file has, and for what; a program none. */
enum table_list {
	TABLE_NEEDS,   /* hashes of DT_NEEDED, whole */
	TABLE_IMPORTS, /* keys, by name: not defined; what is known to be a
			  function is left out */
	TABLE_DATA,    /* keys, by name: exported, and no function */
	TABLE_READ,    /* lists that are read of the file */
	TABLE_IMPORTERS =
		TABLE_READ, /* of each in TABLE_DATA: the first ELF file,
				      by path, that imports it; or
				      TABLES_NONE */
	TABLE_LISTS
};

/* An ELF file, whatever names it has. */
struct table_elf {
	uint64_t soname; /* its hash; 0: none */
	uint32_t entry;	 /* the first of its names that is no link */
	uint32_t reserved;
	struct table_span lists[TABLE_LISTS]; /* of keys */
};

struct tables {
	const struct table_place *places;
	const struct table_directory *directories;
	const struct table_entry *entries;
	const struct table_elf *elves;
	const uint64_t *keys;
	const char *strings;
	size_t place_count, directory_count, entry_count, elf_count, key_count,
		strings_size;
	bool partial; /* not all files are read yet, nor importers found: only a
			 scan goes on from it */
};

uint64_t tables_key(const char *name, const char *version);

static inline uint64_t tables_key_name(uint64_t key)
{
	return key >> 16;
}

static inline unsigned tables_key_version(uint64_t key)
{
	return key & TABLES_VERSION_MASK;
}

/* NULL: it is empty. */
static inline const uint64_t *tables_list(const struct tables *tables,
					  const struct table_elf *elf,
					  enum table_list list)
{
	const struct table_span *span = &elf->lists[list];

	return span->count ? tables->keys + span->first : NULL;
}

/* The path of an entry, malloc'd; NULL: out of memory. */
char *tables_path(const struct tables *tables, uint32_t entry);

/*
 * A file of tables, mapped; or its bytes in memory. Every offset in it was
 * checked when it was opened.
 */
struct tables_file {
	struct file_map map; /* or: */
	uint8_t *data;
	size_t size; /* of the data */
	struct tables tables;
};

/* 0, or, with message, -DLAZY_ENOENT, -DLAZY_EUNTRUSTED (of another user's, or
 * writable by others), -DLAZY_EFORMAT (damaged, or another version's),
 * -DLAZY_EIO. */
int tables_open(const char *path, struct tables_file *ret);

/* The same of bytes (8-byte aligned), taken over in any case. */
int tables_open_memory(uint8_t *data, size_t size, struct tables_file *ret);
void tables_close(struct tables_file *file);

/* The bytes of a file, malloc'd. 0 or -DLAZY_ENOMEM. */
int tables_encode(const struct tables *tables, uint8_t **ret_data,
		  size_t *ret_size);

#endif
