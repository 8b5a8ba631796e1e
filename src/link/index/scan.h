/* SPDX-License-Identifier: MIT */
/*
 * The scan: makes the index's tables of the files that are there now. Files
 * that the former tables have as they are now are not read again.
 */
#ifndef LINK_INDEX_SCAN_H
#define LINK_INDEX_SCAN_H

#include "link/index/tables.h"
#include "link/index/index.h"

struct scan_options {
	char *const *places;	     /* NULL-ended */
	const struct tables *former; /* or NULL */
	index_progress_fn *progress; /* or NULL */
	void *data;
	const char *path; /* what has been read is kept there from time to time,
			     as partial tables; or NULL */
};

/* Puts tables into a file, with the directories above it. If that fails it is no
 * news: false. */
bool scan_keep(const char *path, const void *data, size_t size);

/* ret_read: how many files were opened. 0, or the state that kept something
 * from being read (status_is_state()). */
int scan_run(const struct scan_options *options, struct tables_file *ret,
	     size_t *ret_read);

#endif
