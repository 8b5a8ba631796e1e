/* SPDX-License-Identifier: MIT */
/*
 * Telling why a library cannot be lazy. The index of the machine is brought up
 * to date if `dlazy run` has made one. To make it takes seconds, which is too
 * much for describing one file.
 */
#include "cli/plugins/reasons.h"

#include "base/cleanup.h"
#include "base/status.h"
#include "catalog/catalog.h"
#include "elf/view.h"
#include "link/index/index.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static void cleanup_index(struct index **index)
{
	index_close(*index);
}
#define _cleanup_index_ _cleanup_(cleanup_index)

/* NULL: there is none. */
static struct index *known_index(void)
{
	_cleanup_free_ char *cache = catalog_cache_dir();
	_cleanup_free_ char *path = NULL;
	struct index *index = NULL;

	if (!cache || asprintf(&path, "%s/" INDEX_CACHE_NAME, cache) < 0) {
		path = NULL;
		return NULL;
	}
	if (access(path, R_OK) < 0 ||
	    index_open(&(struct index_options){.cache_path = path}, &index) <
		    0) {
		status_clear();
		return NULL;
	}
	return index;
}

int reasons_of(const char *path, struct verdicts *ret)
{
	_cleanup_close_ int fd = -1;
	_cleanup_elf_view_ struct elf_view *view = NULL;
	struct file_identity identity;
	int status = file_open(AT_FDCWD, path, &fd, &identity);

	if (status == 0)
		status = elf_view_open(fd, path, &view);
	if (status < 0)
		return status;
	_cleanup_index_ struct index *index = known_index();
	return verdict_alone(view, path, index, ret);
}
