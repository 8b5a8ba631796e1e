/* SPDX-License-Identifier: MIT */
/*
 * A directory of plugins as the library sees it: its fresh catalog, else what
 * a scan finds, which is then left in the user's cache. Nothing is loaded.
 */
#ifndef CLI_PLUGINS_DIRECTORY_H
#define CLI_PLUGINS_DIRECTORY_H

#include "catalog/catalog.h"

#include <stddef.h>

struct directory {
	char *path; /* absolute */
	int fd;
	struct catalog *catalog;
};

/*
 * Opens the directory itself: path and fd. 0 or, with message, -DLAZY_ENOENT,
 * -DLAZY_EIO, -DLAZY_ENOMEM. directory_close() in any case.
 */
int directory_open(const char *path, struct directory *ret);

/* Opens its catalog too. */
int directory_open_catalog(const char *path, struct directory *ret);

/* Makes its catalog anew, as far as files have changed. */
int directory_scan(struct directory *d);

void directory_close(struct directory *d);

/* The malloc'd path of a record's file; NULL: out of memory. */
char *directory_file(const struct directory *d, const struct record *r);

/* Says on standard error which files of it are no plugins, and why. */
void directory_say_bad(const struct directory *d);

/* Names, on standard error, plugins of whose metadata not all is usable. */
void directory_say_problems(const struct directory *d);

#endif
