/* SPDX-License-Identifier: MIT */
/*
 * The index of this machine: every ELF file in the places where programs,
 * libraries and plugins lie, and which data symbols each of them imports. It
 * answers one question: which data of this library does any file here import?
 *
 * Kept in a file of the cache, mapped; refreshed by the identities of
 * directories and files, so that a refresh in which nothing changed reads no
 * file. The first one takes seconds. What it has read is written every now and then,
 * so that the next one continues where it was ended. Names are kept as hashes: a
 * collision makes a library eager. The words for a "yes" are read from the files
 * again.
 *
 * A refresh notices files that are new, gone, replaced or overwritten, with one
 * exception: a file that becomes ELF in place, in a directory that had no ELF file.
 */
#ifndef LINK_INDEX_INDEX_H
#define LINK_INDEX_INDEX_H

#include "base/file.h"

#include <stdbool.h>
#include <stddef.h>

struct index;

/* The file's name in the user's cache. */
#define INDEX_CACHE_NAME "machine"

/* Told from time to time while files are read. */
typedef void index_progress_fn(size_t done, size_t total, void *data);

struct index_options {
	const char *cache_path; /* the file; NULL: keep nothing */
	char *const *places;	/* directories, gone through with those below;
				    NULL-ended; NULL: index_places() */
	index_progress_fn *progress; /* or NULL */
	void *data;
};

/* Opens what is kept, brings it up to date, and keeps it again if it changed
 * (if that fails, it goes on with what is in memory). 0, or the state that kept
 * a file from being read (status_is_state()), with message: nothing is kept
 * then. */
int index_open(const struct index_options *options, struct index **ret);
void index_close(struct index *index);

/* The default places: the directories of programs, libraries and plugins that
 * systems have, those of ld.so.cache and those of PATH. A place "DIR/." is DIR
 * without what is below it. malloc'd, NULL-ended; free each and all; NULL: out
 * of memory, or what says so cannot be read now. */
char **index_places(void);

struct index_stats {
	size_t files, directories;  /* ELF files known; directories watched */
	size_t libraries, imported; /* those with a SONAME; of which data is
				      imported */
	size_t read;		    /* files read by this index_open() */
	bool kept;		    /* the file has all of it */
};
struct index_stats index_stats(const struct index *index);

/* Called with the key of an imported symbol; true: that import does not
 * count. */
typedef bool index_ignore_fn(uint64_t key, void *data);

/* The key of a symbol; "": it has no version. */
uint64_t index_key(const char *name, const char *version);

/*
 * Whether a file imports data from the library at `path` other than those that
 * `ignore` (NULL: none) says true of. 0: no, or the library is not in any of the
 * places and so unknown. 1: what is written is malloc'd: the first symbol (by
 * importer's path, then name), and the importer's path; the symbol is NULL if
 * the importer is not what it was. Or the state that kept the library or the
 * importer from being read, with message.
 */
int index_has_importer(const struct index *index, const char *path,
		       index_ignore_fn *ignore, void *data, char **ret_symbol,
		       char **ret_importer);

#endif
