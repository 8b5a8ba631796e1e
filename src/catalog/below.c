/* SPDX-License-Identifier: MIT */
/*
 * The walk is a list that grows while it is gone through, so that depth costs no
 * stack.
 */
#include "catalog/below.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "catalog/scan.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int no_memory(void)
{
	return status_no_memory(NULL);
}

/* Takes over the path. There is always room for a NULL behind it. */
static int below_add_path(struct below *below, char *path)
{
	if (!path || !array_reserve(&below->paths, below->count + 1,
				    &below->room, sizeof(*below->paths))) {
		free(path);
		return no_memory();
	}
	below->paths[below->count++] = path;
	below->paths[below->count] = NULL;
	return 0;
}

static bool is_directory(int dirfd, const struct dirent *d)
{
	struct stat st;

	if (d->d_type != DT_UNKNOWN)
		return d->d_type == DT_DIR;
	return fstatat(dirfd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(st.st_mode);
}

/* Adds those directly below to the list. *ret_plugins: there are files with a
 * plugin's name. */
static int list(struct below *below, const char *path, bool *ret_plugins)
{
	_cleanup_closedir_ DIR *stream = opendir(path);
	struct dirent *d;

	*ret_plugins = false;
	if (!stream)
		return status_fail(status_from_errno(errno),
				   "%s: cannot open the directory: %s", path,
				   strerror(errno));
	while ((d = readdir(stream)) != NULL) {
		char *inner;

		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		*ret_plugins |= scan_is_plugin_name(d->d_name);
		if (!is_directory(dirfd(stream), d))
			continue;
		if (asprintf(&inner, "%s/%s", strcmp(path, "/") ? path : "",
			     d->d_name) < 0)
			inner = NULL;
		int status = below_add_path(below, inner);
		if (status < 0)
			return status;
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int below_add(struct below *below, const char *dir)
{
	_cleanup_(below_free) struct below all = {.paths = NULL};
	int status = below_add_path(&all, strdup(dir));

	for (size_t i = 0; status == 0 && i < all.count; i++) {
		bool has_plugins;

		status = list(&all, all.paths[i], &has_plugins);
		if (status == 0 && (has_plugins || i == 0 || below->every))
			status = below_add_path(below, strdup(all.paths[i]));
		/* Of one that is below, whoever may not read it is no failure. */
		if (status < 0 && i > 0 && status != -DLAZY_ENOMEM) {
			status_clear();
			status = 0;
		}
	}
	if (status == 0 && below->count)
		qsort(below->paths, below->count, sizeof(*below->paths),
		      compare);
	return status;
}

void below_free(struct below *below)
{
	for (size_t i = 0; i < below->count; i++)
		free(below->paths[i]);
	free(below->paths);
	*below = (struct below){.paths = NULL};
}
