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
	size_t total;	/* plugins, by distinct name */
	size_t added;	/* of them, those the old catalog did not have */
	size_t changed; /* those it had otherwise */
	size_t removed; /* plugins of the old catalog that are no more */
	size_t bad;	/* files that look like plugins and are none */
	size_t opened;	/* files opened: new and changed ones, good or bad; for
			   a portable catalog, which has no identities, all */
};

/* Called as files are gone through, for a progress bar: done of all. */
typedef void scan_progress_fn(size_t done, size_t all, void *data);

struct scan_options {
	bool system;	    /* write DIR/dlazy.catalog, portable */
	const char *output; /* write here instead; NULL: the place's own */
	bool dry;	    /* write nothing */
	bool patient; /* wait some 2 s if the directory's times are seconds and
			 it was changed just now, so that what is written can be
			 used (so with system, always) */
	scan_progress_fn *progress; /* or NULL */
	void *progress_data;
};

/*
 * Scans the directory `dir` (absolute path; dirfd: open). ret_result and
 * ret_catalog may be NULL; a catalog is returned also where it could not be
 * written. Of several files of one plugin name the first by file name that is
 * a plugin is it. May wait some 25 ms for a directory that was changed just
 * now. Where a file could not be read for a state of ours (status_is_state()),
 * nothing is written. 0, or, with message, a state (the directory could not be
 * listed, or, with ret_catalog NULL, a file not be read or the catalog not be
 * written).
 */
int scan_directory(int dirfd, const char *dir,
		   const struct scan_options *options,
		   struct scan_result *ret_result,
		   struct catalog **ret_catalog);

/* Whether a file's name is a plugin's: "*.so" or "*.so.VERSION". */
bool scan_is_plugin_name(const char *file);

#endif
