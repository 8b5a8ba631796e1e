/* SPDX-License-Identifier: MIT */
/*
 * An entry: what `dlazy run` keeps of one program, in the file `current` of its
 * place in the cache: which generation serves it, or why none does; every file
 * and directory that this was made from; and the verdict on each library.
 *
 * Read at each start, in one read, into memory of our own: the checksum is
 * verified, and each offset at its use.
 */
#ifndef LINK_CACHE_ENTRY_H
#define LINK_CACHE_ENTRY_H

#include "base/file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum entry_kind {
	ENTRY_FILE = 1,	 /* must be what it was */
	ENTRY_ABSENT,	 /* must not be there */
	ENTRY_DIRECTORY, /* searched before where libraries were found: must
			    have none of them, but that very one */
};

/* A file that the entry was made from. */
struct entry_input {
	struct file_identity identity; /* all 0 of one that is absent */
	uint32_t kind;
	uint32_t path; /* in the strings */
	uint32_t name; /* as libraries are searched for: of it, in the path */
	uint32_t reserved;
};

struct entry_library {
	uint32_t path;
	uint32_t why;	  /* "": lazy */
	uint32_t detail;  /* one line for people, or "" */
	uint32_t number;  /* in the record, if lazy */
	uint32_t learned; /* 1: every run needs it, which is known */
};

/* What is read, and what is drafted. */
struct entry {
	uint8_t *data;
	size_t size;
};

struct entry_facts {
	const char *key;	/* all that chose this entry */
	const char *generation; /* the directory's name; "": none */
	const char *plain;	/* why none, in words; or "" */
	uint32_t lazy;		/* libraries in the record */
	uint32_t tls; /* bytes of static TLS that its closure takes plainly, at
			 most; 0: not known, or nothing may be loaded into its
			 processes besides */
};

/*
 * Reads an entry. 0, or, with message, -DLAZY_ENOENT, -DLAZY_EUNTRUSTED (of
 * another user's, or writable by others), -DLAZY_EFORMAT (damaged, or another
 * version's), -DLAZY_EIO, -DLAZY_ENOMEM.
 */
int entry_read(int dirfd, const char *name, struct entry *ret);
void entry_clear(struct entry *entry);
static inline void cleanup_entry(struct entry *entry)
{
	entry_clear(entry);
}
#define _cleanup_entry_ _cleanup_(cleanup_entry)

struct entry_facts entry_facts(const struct entry *entry);

/* Whether all that it was made from is what it was: 1 or 0, or, with message, the
 * state that kept it from being looked at (status_is_state()). */
int entry_is_fresh(const struct entry *entry);

size_t entry_library_count(const struct entry *entry);
struct entry_library entry_library(const struct entry *entry, size_t i);
/* A string of its own; "" where the offset is none. */
const char *entry_string(const struct entry *entry, uint32_t offset);

/* Making one: everything is added, in any order, then it is finished. */
struct entry_draft {
	struct entry_input *inputs;
	size_t input_count, input_room;
	struct entry_library *libraries;
	size_t library_count, library_room;
	char *strings;
	size_t strings_size, strings_room;
	int status; /* the first failure */
};

void entry_draft_input(struct entry_draft *draft, enum entry_kind kind,
		       const char *path, const struct file_identity *identity);
/* What is at the path now: a file, a directory, or nothing. Once for each. If that
 * cannot be told, the draft cannot be finished. */
void entry_draft_path(struct entry_draft *draft, const char *path);
/*
 * How long is to be waited until each input is so old that a change of it would
 * be seen, had it been read at that time (nanoseconds since the epoch); 0: each
 * was.
 */
uint64_t entry_draft_youth(const struct entry_draft *draft, uint64_t read_ns);
void entry_draft_library(struct entry_draft *draft, const char *path,
			 const char *why, const char *detail, uint32_t number);
/* Marks the library that was added last as one that every run needs. */
void entry_draft_learned(struct entry_draft *draft);
/* 0, or what failed first, with message if it fails here: -DLAZY_ENOMEM, or what
 * kept a path from being looked at. */
int entry_draft_finish(struct entry_draft *draft,
		       const struct entry_facts *facts, struct entry *ret);
void entry_draft_clear(struct entry_draft *draft);

#endif
