/* SPDX-License-Identifier: MIT */
/*
 * Adding sources to a registry: directories, files and built-ins. The plugins of a
 * directory are not gone through, unless the host wants all of them loaded.
 */
#include "registry/add.h"

#include "base/cleanup.h"
#include "catalog/below.h"
#include "catalog/scan.h"
#include "ledger/ledger.h"
#include "load/load.h"
#include "registry/place.h"
#include "registry/registry.h"
#include "registry/watch.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Adds a module, borrowed for this, under a name. */
static int add_module(struct dlazy_registry *r, struct dlazy_module *m,
		      const char *name, int flags)
{
	struct source s = {.name = strdup(name), .module = m, .flags = flags};
	size_t source;
	int status = -DLAZY_ENOMEM;
	{
		LOCKED(&registry_lock);
		if (s.name)
			status = source_add_locked(r, &s, &source);
		if (status == 0) {
			if (place_put_locked(r, m, name, source, 0))
				return 0;
			s = r->sources[--r->count];
		}
	}
	source_clear(&s);
	module_return(m);
	return status_no_memory(name);
}

/* A failed load is remembered by the module, and no failure of declaring. */
static void load_early(struct dlazy_module *m, const void *by)
{
	struct touch touch = {.caller = by};
	struct load_handle loaded;

	if (load_module(m, &touch, &loaded) == 0)
		load_promote(m);
	load_release(&loaded);
}

static bool wants_early(int flags)
{
	return flags & DLAZY_EAGER || module_flags_global(flags) ||
	       module_mode() != MODULE_LAZY;
}

int registry_add_file(struct dlazy_registry *r, const char *name,
		      const char *path, int flags, const void *by)
{
	struct module_declaration declaration = {
		.name = name, .path = path, .flags = flags, .by = by};
	_cleanup_free_ char *own_name = NULL;
	struct dlazy_module *m;
	int status = module_declare(&declaration, true, &m, NULL);

	if (status < 0)
		return status;
	if (!name)
		name = own_name = record_plugin_name(file_base_name(path));
	if (!name) {
		module_return(m);
		return status_no_memory(path);
	}
	status = add_module(r, m, name, flags);
	if (status == 0 && wants_early(flags)) {
		struct touch touch = {.caller = by};
		struct load_handle loaded;

		status = load_module(m, &touch, &loaded);
		load_release(&loaded);
	}
	return status < 0 ? status : load_promote(m);
}

int registry_add_builtin(struct dlazy_registry *r, const char *name,
			 const struct dlazy_symbol *symbols, size_t n,
			 const void *by)
{
	struct dlazy_module *m;
	int status = module_declare_builtin(name, symbols, n, by, &m);

	return status < 0 ? status : add_module(r, m, name, 0);
}

/* DLAZY_EAGER: loads what a directory declares. */
static void load_directory(struct dlazy_registry *r, size_t source,
			   const void *by)
{
	for (size_t i = 0;; i++) {
		struct dlazy_module *m = NULL;
		{
			LOCKED(&registry_lock);
			struct source *s = &r->sources[source];
			const char *name = source_name(s, i);

			if (i >= source_count(s))
				return;
			if (name && !source_is_shadowed(r, source, name))
				m = place_module_locked(r, source, i);
		}
		if (m)
			load_early(m, by);
	}
}

static int compare_entries(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int select_plugins(const struct dirent *entry)
{
	return scan_is_plugin_name(entry->d_name);
}

/* DLAZY=off: as without this library, a dlopen for each file. */
static int add_each_file(struct dlazy_registry *r, const char *dir,
			 const char *prefix, int flags, const void *by)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, select_plugins, compare_entries);

	if (n < 0)
		return status_fail(status_from_errno(errno), "%s: %s", dir,
				   strerror(errno));
	for (int i = 0; i < n; i++) {
		_cleanup_free_ char *path = NULL, *full = NULL;
		_cleanup_free_ char *name =
			record_plugin_name(entries[i]->d_name);

		if (name && asprintf(&full, "%s%s", prefix, name) < 0)
			full = NULL;
		if (asprintf(&path, "%s/%s", dir, entries[i]->d_name) < 0)
			path = NULL;
		if (path && full)
			registry_add_file(r, full, path, flags, by);
		free(entries[i]);
	}
	free(entries);
	return 0;
}

static bool has_directory_locked(const struct dlazy_registry *r,
				 const char *dir, const char *prefix)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct source *s = &r->sources[i];

		if (s->dir && !strcmp(s->dir, dir) && s->prefix &&
		    !strcmp(s->prefix, prefix))
			return true;
	}
	return false;
}

static bool has_directory(struct dlazy_registry *r, const char *dir,
			  const char *prefix)
{
	LOCKED(&registry_lock);
	return has_directory_locked(r, dir, prefix);
}

/* One directory, whose plugins' names get a prefix. With `added` it is a refresh
 * that finds it, which loads nothing. */
static int add_directory(struct dlazy_registry *r, const char *dir,
			 const struct source *like, const char *prefix,
			 added_fn *added)
{
	_cleanup_(source_clear) struct source s = {.flags = like->flags,
						   .by = like->by,
						   .recursive =
							   like->recursive};
	_cleanup_close_ int dirfd = -1;
	size_t source;
	int status = source_open_directory(dir, &dirfd);

	if (status < 0)
		return status;
	if (module_mode() == MODULE_OFF)
		return add_each_file(r, dir, prefix, s.flags, s.by);
	s.dir = strdup(dir);
	s.prefix = *prefix ? strdup(prefix) : NULL;
	if (!s.dir || (*prefix && !s.prefix))
		return status_no_memory(dir);
	status = source_open_catalog(dirfd, dir, NULL, &s.catalog, &s.why);
	if (status < 0)
		return status;
	s.early_due = !added && catalog_has_early(s.catalog);
	{
		LOCKED(&registry_lock);
		/* Another thread may have found it meanwhile. */
		if (has_directory_locked(r, dir, prefix))
			return 0;
		status = source_add_locked(r, &s, &source);
		/* A refresh will say so if it cannot be. */
		if (status == 0 && r->watch >= 0 &&
		    watch_directory(r->watch, dir) < 0)
			status_clear();
		if (status == 0 && added)
			added(r, source, dirfd);
	}
	if (status == 0)
		ledger_declare(dir);
	if (status == 0 && !added && wants_early(like->flags))
		load_directory(r, source, like->by);
	return status;
}

int add_below(struct dlazy_registry *r, const char *dir,
	      const struct source *like, added_fn *added)
{
	_cleanup_(below_free) struct below below = {.paths = NULL};
	size_t n = strcmp(dir, "/") ? strlen(dir) + 1 : 1;
	int status = below_add(&below, dir);

	for (size_t i = 0; status == 0 && i < below.count; i++) {
		_cleanup_free_ char *prefix = NULL;

		if (strlen(below.paths[i]) < n)
			continue; /* itself */
		if (asprintf(&prefix, "%s/", below.paths[i] + n) < 0) {
			prefix = NULL;
			return status_no_memory(NULL);
		}
		if (has_directory(r, below.paths[i], prefix))
			continue;
		status = add_directory(r, below.paths[i], like, prefix, added);
		if (status == -DLAZY_ENOMEM)
			return status;
		if (status < 0)
			status_clear();
		status = 0;
	}
	return status;
}

/* A refresh will say so if it cannot be. */
static void watch_late(struct dlazy_registry *r, const char *dir)
{
	int watch;
	{
		LOCKED(&registry_lock);
		watch = r->watch;
	}
	if (watch >= 0 && watch_below(watch, dir) < 0)
		status_clear();
}

int registry_add_dir(struct dlazy_registry *r, const char *dir, int flags,
		     const void *by)
{
	struct source like = {.flags = flags & ~DLAZY_RECURSIVE,
			      .by = by,
			      .recursive = flags & DLAZY_RECURSIVE};
	int status = add_directory(r, dir, &like, "", NULL);

	like.recursive = false;
	if (status == 0 && flags & DLAZY_RECURSIVE)
		status = add_below(r, dir, &like, NULL);
	if (status == 0 && flags & DLAZY_RECURSIVE)
		watch_late(r, dir);
	return status;
}
