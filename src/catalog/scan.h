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
#include "catalog/inventory.h"

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

/* One plugin of a directory, as it is now. */
struct scan_plugin {
	int dirfd;
	const char *dir;	      /* its absolute path */
	const struct record *record;  /* of the file; may be a bad one */
	struct file_identity sidecar; /* all 0: there is none */
	bool is_young; /* by its times the sidecar is not told from a later self */
	bool portable; /* for a catalog that travels */
	/* What the old catalog had of it, or NULL. */
	const struct catalog_metadata *former;
	bool same_file; /* that was said of this very file; the sidecar may differ */
	bool was_probed; /* plugins of this directory were: if new, it is due */
};

/*
 * Says what a plugin says of itself: *ret a malloc'd block, or NULL: nothing. Called
 * for each plugin of the directory that counts, and for bad files, in the order of
 * their names; again, where the directory changes meanwhile. 0, or, with message,
 * -DLAZY_ENOMEM; a state: the file or its sidecar could not be read, so that nothing
 * is written.
 */
typedef int scan_metadata_fn(const struct scan_plugin *plugin, void *data,
			     struct catalog_metadata **ret);

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
	/* NULL: what is known of unchanged files is kept, nothing else. */
	scan_metadata_fn *metadata;
	void *metadata_data;
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

#endif
