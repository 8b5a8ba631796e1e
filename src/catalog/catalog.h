/* SPDX-License-Identifier: MIT */
/*
 * A catalog: the records of one directory in one file, of which what is asked
 * for is read. Opening takes constant time: the header alone is read and
 * checked. (format.h has the bytes.)
 *
 * A catalog is a cache: whatever is wrong with one (damaged, cut, stale, not
 * trusted) costs a scan, never a crash or a wrong answer. It reads more of its
 * file as it is asked, so one thread at a time may ask; records stay where they
 * are until it is closed, and any thread may look at them.
 */
#ifndef CATALOG_CATALOG_H
#define CATALOG_CATALOG_H

#include "catalog/metadata.h"
#include "catalog/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The catalog that travels with a directory. */
#define CATALOG_FILE "dlazy.catalog"

struct catalog;

/*
 * Opens the fresh and trusted catalog of a directory: DIR/dlazy.catalog, else
 * the one in the user's cache. dirfd: the directory, open; dir: its absolute
 * path. 0, or, with message, -DLAZY_ENOENT (none, or not fresh),
 * -DLAZY_EUNTRUSTED, -DLAZY_EFORMAT, -DLAZY_EIO, -DLAZY_ENOMEM; the caller
 * scans then.
 */
int catalog_open(int dirfd, const char *dir, struct catalog **ret);

/*
 * Opens a catalog file whatever its freshness, for what a rescan can take over
 * from it, or for tests. Trust is checked. dir: if dirfd is the directory that it
 * is of, its path; else NULL, and the path `file` is relative to no dirfd but
 * AT_FDCWD.
 */
int catalog_open_file(int dirfd, const char *dir, const char *file,
		      struct catalog **ret);

/* A catalog from bytes in memory (what scan made and could not write); takes
 * over `data`, which is malloc'd. */
int catalog_open_memory(void *data, size_t size, struct catalog **ret);

void catalog_close(struct catalog *c);

/* Leaves it, with a user's share of it, for as long as the process lives: its
 * records are in use. Allocates nothing, so that it cannot fail. */
void catalog_keep(struct catalog *c);

static inline void cleanup_catalog(struct catalog **c)
{
	catalog_close(*c);
}
#define _cleanup_catalog_ _cleanup_(cleanup_catalog)

/* Plugins by distinct name: index 0 to count-1, sorted by name bytewise. */
size_t catalog_count(const struct catalog *c);

/* Files that look like plugins and are none: index count to count+bad-1. */
size_t catalog_bad_count(const struct catalog *c);

/*
 * The record at an index, read and checked at its first use. NULL, with message:
 * -DLAZY_EFORMAT (damaged, or the file was cut or replaced: it has to be scanned
 * again), or a state (status_is_state()).
 */
const struct record *catalog_record(struct catalog *c, size_t index);

/*
 * Gives back what was read, if it is much: for who goes through a large catalog, and
 * has no use for the records that it has had. They are gone then.
 */
void catalog_forget(struct catalog *c);

/* Keeps its file open, for who is about to replace it. */
void catalog_hold_file(struct catalog *c);

/*
 * Finds a plugin, or a bad file, by name. *ret_index is set where the result
 * is not NULL. *ret_unknown (may be NULL) says that "not there" means nothing, as
 * something on the way could not be read, with message as of catalog_record().
 */
const struct record *catalog_find(struct catalog *c, const char *name,
				  size_t *ret_index, bool *ret_unknown);

/* The first plugin of that SONAME. 1; 0: none; or, with message, as of
 * catalog_record(). */
int catalog_find_soname(struct catalog *c, const char *soname,
			size_t *ret_index);

/*
 * What the plugin (or bad file) at an index says of itself. *ret NULL: nothing.
 * Whether its sidecar is still the one that was read has to be compared
 * (metadata_sidecar()). 0, or, with message, as of catalog_record().
 */
int catalog_metadata(struct catalog *c, size_t index,
		     const struct catalog_metadata **ret);

/* Those that say they are to be loaded before they are used: whether there are any;
 * the i-th. 1; 0: no more; or, with message, as of catalog_record(). */
bool catalog_has_early(const struct catalog *c);
int catalog_early(struct catalog *c, size_t i, size_t *ret_index);

/* Whether plugins of the directory were probed, so that new ones are due. */
bool catalog_was_probed(const struct catalog *c);

/* Of its file, as it was when it was opened; all 0: it is in memory alone. */
struct file_identity catalog_identity(const struct catalog *c);

/* Whether its records are portable: without identities. */
bool catalog_is_portable(const struct catalog *c);

/*
 * Is it still what the directory says? Constant time: one fstat of dirfd
 * against what was recorded. false also where it cannot be told: times are as
 * coarse as the file system has them, and the clock may have been set back.
 */
bool catalog_is_fresh(const struct catalog *c, int dirfd);

/* The user's cache directory for catalogs ($DLAZY_CACHE_DIR, XDG, ~/.cache),
 * malloc'd; NULL: none (AT_SECURE; root's below a directory that is not root's).
 * Not made. */
char *catalog_cache_dir(void);

/* The path of a directory's catalog in the user's cache, malloc'd, or NULL. */
char *catalog_user_path(const char *dir);

#endif
