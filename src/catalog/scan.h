/* SPDX-License-Identifier: MIT */
/*
 * Scanning: a directory's plugin files are read into a new catalog. Records of
 * files that have not changed are taken over from the old catalog, so that
 * only new and changed files are opened.
 *
 * The write is atomic, and the directory is listed once more after it, a clock
 * tick later: what changed meanwhile starts the scan over. Two scanners at
 * once are safe; a killed one leaves the old catalog.
 */
#ifndef CATALOG_SCAN_H
#define CATALOG_SCAN_H

#include "catalog/catalog.h"

#include <stdbool.h>
#include <stddef.h>

struct scan_result {
	size_t total;   /* plugins, by distinct name */
	size_t added;   /* read for the first time */
	size_t changed; /* read again */
	size_t removed; /* gone since the old catalog */
	size_t bad;     /* files that look like plugins and are none */
	size_t opened;  /* files opened and read: added + changed + bad ones */
};

/* Called as files are gone through, for a progress bar: done of all. */
typedef void scan_progress_fn(size_t done, size_t all, void *data);

struct scan_options {
	bool system;        /* write DIR/dlazy.catalog, portable */
	const char *output; /* write here instead; NULL: the place's own */
	bool dry;           /* write nothing */
	scan_progress_fn *progress; /* or NULL */
	void *progress_data;
};

/*
 * Scans the directory `dir` (absolute path; dirfd: open). ret_result and
 * ret_catalog may be NULL; a catalog is returned also where it could not be
 * written. 0, or, with message, -DLAZY_EIO (the directory, or, with
 * ret_catalog NULL, the catalog could not be written), -DLAZY_ENOMEM.
 */
int scan_directory(int dirfd, const char *dir,
		   const struct scan_options *options,
		   struct scan_result *ret_result,
		   struct catalog **ret_catalog);

/* Whether a file's name is a plugin's: "*.so" or "*.so.VERSION". */
bool scan_is_plugin_name(const char *file);

#endif
