/* SPDX-License-Identifier: MIT */
/*
 * Opening a directory of plugins, for the commands that take some.
 */
#include "cli/plugins/directory.h"

#include "base/cleanup.h"
#include "base/status.h"
#include "catalog/scan.h"
#include "load/metadata.h"
#include "cli/cli.h"
#include "cli/plugins/info.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static const char *what_to_do(int error)
{
	switch (error) {
	case ENOENT:
		return "; is the path right?";
	case ENOTDIR:
		return "; for one file there is \"dlazy info FILE\"";
	default:
		return "";
	}
}

/* "/x//" and "/x" are one directory and have one catalog. */
static void strip_slashes(char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		path[--n] = '\0';
}

int directory_open(const char *path, struct directory *ret)
{
	*ret = (struct directory){.fd = -1};
	if (!*path)
		return status_fail(DLAZY_EINVAL,
				   "the directory's name is empty");
	ret->path = file_absolute(path);
	if (!ret->path)
		return status_last();
	strip_slashes(ret->path);
	ret->fd = open(ret->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ret->fd < 0)
		return status_fail(status_from_errno(errno),
				   "%s: cannot open the directory: %s%s", path,
				   strerror(errno), what_to_do(errno));
	return 0;
}

int directory_scan(struct directory *d)
{
	return scan_directory(d->fd, d->path,
			      &(struct scan_options){.metadata = metadata_scan},
			      NULL, &d->catalog);
}

/* Whether a record is of its file as it is now. Of a portable one of a plugin the
 * directory's times have said so. */
static bool is_current(const struct directory *d, const struct record *r,
		       const struct file_identity *now)
{
	return (record_status(r) == 0 && record_identity(r).ino == 0) ||
	       record_is_current(r, d->fd, now);
}

/* 1: all of the catalog can be read, and is what the files are; 0: it has to be
 * made anew; or, with message, a state. */
static int look_through(const struct directory *d)
{
	size_t all = catalog_count(d->catalog) + catalog_bad_count(d->catalog);
	struct file_identity now;

	for (size_t i = 0; i < all; i++) {
		const struct record *r = catalog_record(d->catalog, i);
		int status = r ? file_identify(d->fd, record_file(r), &now)
			       : status_last();
		if (status_is_state(status))
			return status;
		if (status < 0 || !is_current(d, r, &now)) {
			status_clear();
			return 0;
		}
	}
	return 1;
}

int directory_open_catalog(const char *path, struct directory *ret)
{
	int status = directory_open(path, ret);

	if (status < 0)
		return status;
	if (catalog_open(ret->fd, ret->path, &ret->catalog) == 0)
		status = look_through(ret);
	if (status != 0)
		return status < 0 ? status : 0;
	status_clear();
	catalog_close(TAKE_PTR(ret->catalog));
	status = directory_scan(ret);
	if (status == 0)
		status = look_through(ret);
	/* What has changed since is of no concern; what has no identity, as it
	 * could not be read, is listed as that. */
	return status < 0 ? status : 0;
}

void directory_close(struct directory *d)
{
	if (d->catalog)
		catalog_close(d->catalog);
	cleanup_close(&d->fd);
	free(d->path);
	*d = (struct directory){.fd = -1};
}

char *directory_file(const struct directory *d, const struct record *r)
{
	char *path;
	int n = asprintf(&path, "%s/%s", strcmp(d->path, "/") ? d->path : "",
			 record_file(r));

	return n < 0 ? NULL : path;
}

void directory_say_bad(const struct directory *d)
{
	size_t count = catalog_count(d->catalog);

	for (size_t i = 0; i < catalog_bad_count(d->catalog); i++) {
		catalog_forget(d->catalog);
		const struct record *r = catalog_record(d->catalog, count + i);

		if (r)
			cli_say("%s/%s: not a plugin: %s", d->path,
				record_file(r), info_reason(r));
	}
}

void directory_say_problems(const struct directory *d)
{
	for (size_t i = 0; i < catalog_count(d->catalog); i++) {
		const struct catalog_metadata *m;

		catalog_forget(d->catalog);
		/* What cannot be read of it is told by who counts. */
		if (catalog_metadata(d->catalog, i, &m) < 0)
			status_clear();
		else if (m && metadata_problem(m))
			cli_say("%s/%s: of its metadata not all is usable: %s",
				d->path, metadata_file(m), metadata_problem(m));
	}
}
