/* SPDX-License-Identifier: MIT */
/*
 * How a directory is opened, for the commands that take some.
 */
#include "cli/plugins/directory.h"

#include "base/cleanup.h"
#include "base/status.h"
#include "catalog/scan.h"
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
	return scan_directory(d->fd, d->path, &(struct scan_options){0}, NULL,
			      &d->catalog);
}

int directory_open_catalog(const char *path, struct directory *ret)
{
	int status = directory_open(path, ret);

	if (status < 0)
		return status;
	if (catalog_open(ret->fd, ret->path, &ret->catalog) == 0)
		return 0;
	status_clear();
	return directory_scan(ret);
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
		const struct record *r = catalog_record(d->catalog, count + i);

		if (r)
			cli_say("%s/%s: not a plugin: %s", d->path,
				record_file(r), info_reason(r));
	}
}
