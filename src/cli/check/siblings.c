/* SPDX-License-Identifier: MIT */
/*
 * Finding the files beside a plugin. A directory is read once for all plugins
 * in it, and only if one of them misses something.
 */
#include "cli/check/siblings.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/status.h"
#include "catalog/scan.h"
#include "elf/view.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void siblings_clear(struct siblings *siblings)
{
	for (size_t i = 0; i < siblings->count; i++) {
		free(siblings->list[i].soname);
		free(siblings->list[i].file);
	}
	free(siblings->list);
	free(siblings->dir);
	*siblings = (struct siblings){.dir = NULL};
}

/* A file without a SONAME is found by its name. */
static void add_file(struct siblings *siblings, int dirfd, const char *name)
{
	_cleanup_close_ int fd = -1;
	_cleanup_elf_view_ struct elf_view *view = NULL;
	struct sibling s;

	if (file_open(dirfd, name, &fd, NULL) < 0 ||
	    elf_view_open_needs(fd, name, &view) < 0 ||
	    !array_reserve(&siblings->list, siblings->count, &siblings->room,
			   sizeof(s)))
		return;
	const char *soname = elf_view_soname(view);
	s.soname = strdup(*soname ? soname : name);
	s.file = strdup(name);
	if (s.soname && s.file) {
		siblings->list[siblings->count++] = s;
		return;
	}
	free(s.soname);
	free(s.file);
}

static void read_directory(struct siblings *siblings, const char *dir)
{
	_cleanup_closedir_ DIR *stream = opendir(dir);
	struct dirent *entry;

	siblings_clear(siblings);
	siblings->dir = strdup(dir);
	while (stream && (entry = readdir(stream)))
		if (scan_is_plugin_name(entry->d_name))
			add_file(siblings, dirfd(stream), entry->d_name);
	status_clear();
}

static const struct sibling *find_sibling(struct siblings *siblings,
					  const char *path, const char *soname)
{
	char dir[PATH_MAX];

	snprintf(dir, sizeof(dir), "%.*s", (int)(file_base_name(path) - path),
		 path);
	if (!siblings->dir || strcmp(siblings->dir, dir) != 0)
		read_directory(siblings, dir);
	for (size_t i = 0; i < siblings->count; i++)
		if (strcmp(siblings->list[i].soname, soname) == 0)
			return &siblings->list[i];
	return NULL;
}

static void explain(struct siblings *siblings, const char *path,
		    struct problem *p)
{
	_cleanup_free_ char *name = strndup(p->detail, strcspn(p->detail, ","));
	const struct sibling *s =
		name ? find_sibling(siblings, path, name) : NULL;
	char *detail;

	if (!s || asprintf(&detail,
			   "%s: in the same directory, under that SONAME "
			   "(%s): %sload that first",
			   p->detail, s->file,
			   strcmp(s->file, name) == 0
				   ? "link with -Wl,-rpath,'$ORIGIN', or "
				   : "") < 0)
		return;
	free(p->detail);
	p->detail = detail;
	p->is_beside = true;
}

void siblings_explain(struct siblings *siblings, struct subject *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->problems[i].kind == PROBLEM_MISSING_LIBRARY)
			explain(siblings, s->path, &s->problems[i]);
}
