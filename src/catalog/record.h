/* SPDX-License-Identifier: MIT */
/*
 * A record: what the ELF of one plugin file says, in one relocatable block of
 * bytes. The same bytes serve in memory, after reading a file, and read from a
 * catalog: there is one form, looked up in place, never parsed.
 *
 * A block is trusted after record_check() only as far as its size goes: each
 * accessor checks the offsets it uses, and answers "" or "not found" for what
 * is damaged. Strings live as long as the block.
 */
#ifndef CATALOG_RECORD_H
#define CATALOG_RECORD_H

#include "base/file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_view;
struct record;

/* One export, as in struct elf_symbol. */
struct record_symbol {
	const char *name;
	const char *version; /* "" if it has none */
	uint64_t value;	     /* offset from the load address */
	uint64_t size;
	uint8_t type;	 /* enum elf_type */
	uint8_t binding; /* enum elf_binding */
	bool is_default; /* plain lookups get it */
	bool variant;	 /* must be bound at load */
};

/*
 * Reads a plugin file into a new, malloc'd record. A file that is there but
 * cannot be a plugin (text, damaged, of another machine) gives a record too,
 * with record_status() and record_message() saying why: knowing that is what
 * keeps it from being read again.
 *
 * file: the name to open, relative to dirfd. Its plugin name is derived from
 * it. 0, or, with message, -DLAZY_ENOENT, or a state (status_is_state()): what
 * the file is cannot be told now.
 */
int record_read(int dirfd, const char *file, struct record **ret);

/*
 * The same for a catalog that travels (DIR/dlazy.catalog): without device,
 * inode and times, so that equal files make equal records; where there is no
 * build-id to know the file by, with a checksum of all its bytes.
 */
int record_read_portable(int dirfd, const char *file, struct record **ret);

/*
 * A record of a file that could not be read: status and message are this
 * thread's last failure. It has no identity, so it is never current and the
 * file is tried again. 0 or -DLAZY_ENOMEM.
 */
int record_unreadable(const char *file, struct record **ret);

/* Bytes of the block. */
size_t record_size(const struct record *r);

/*
 * Is there a sound record at `data`: its size within `size`, its checksum
 * right? NULL if not. Costs a pass over the block: once, at first use.
 */
const struct record *record_check(const void *data, size_t size);

/* The name of the plugin in `file`: the file name up to ".so"; malloc'd. */
char *record_plugin_name(const char *file);

/* How much of a file's name, which has no slash, is that. */
size_t record_plugin_name_length(const char *file);

const char *record_name(const struct record *r);
const char *record_file(const struct record *r); /* without directory */
const char *record_soname(const struct record *r);
const char *record_rpath(const struct record *r);
const char *record_runpath(const struct record *r);
const char *record_machine(const struct record *r); /* words */
unsigned record_flags(const struct record *r);	    /* enum elf_flags */
int record_status(const struct record *r); /* 0, or a negated DLAZY_E...: why
					      it is no plugin */
const char *record_message(const struct record *r); /* the words for that */
const uint8_t *record_build_id(const struct record *r, size_t *ret_size);
bool record_is_noted(const struct record *r); /* has a note of metadata */
size_t record_needs_count(const struct record *r);
const char *record_need(const struct record *r, size_t i);
/* JSON texts of .note.dlopen (UAPI.12), as they stand in the file. */
size_t record_dlopen_note_count(const struct record *r);
const char *record_dlopen_note(const struct record *r, size_t i);

/* The file it was made from; fields that a portable record lacks are 0. */
struct file_identity record_identity(const struct record *r);

/* Whether a file, found to be `now`, is still what the record was made from:
 * by identity (never, if that did not tell it from its later self when it was
 * read); for a portable record by size and build-id (without one, by the
 * checksum of all bytes), read through dirfd and the record's file name. */
bool record_is_current(const struct record *r, int dirfd,
		       const struct file_identity *now);

/*
 * Where a file is by its identity what the record was made from, but for the
 * device's number (an overlay's is another at each mount), and has its build-id:
 * a malloc'd record of it as it is now. Else NULL: it is to be read.
 */
struct record *record_moved(const struct record *r, int dirfd,
			    const struct file_identity *now);

/* Exports, sorted by name bytewise, of one name the default first. */
size_t record_symbol_count(const struct record *r);
bool record_symbol_at(const struct record *r, size_t i,
		      struct record_symbol *ret);

/* One export: version NULL for the default. O(log n), in place. */
bool record_find(const struct record *r, const char *name, const char *version,
		 struct record_symbol *ret);

#endif
