/* SPDX-License-Identifier: MIT */
/*
 * See refresh.h. The descriptor is drained first and the directories are watched
 * again, and only then looked at: what changes after that look makes it readable.
 * Observers are told without a lock.
 */
#include "registry/refresh.h"

#include "base/cleanup.h"
#include "base/event.h"
#include "base/status.h"
#include "load/module.h"
#include "registry/changes.h"
#include "registry/registry.h"
#include "registry/watch.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The directory in which a change of the source shows: its length in *ret_dir; 0:
 * none, as of a built-in. */
static size_t watched_of(const struct source *s, const char **ret_dir)
{
	*ret_dir = s->dir ? s->dir : s->module->path;
	if (s->dir)
		return strlen(s->dir);
	size_t n = (size_t)(file_base_name(*ret_dir) - *ret_dir);
	return n > 1 ? n - 1 : n;
}

static int watch_source(const struct source *s, int watch)
{
	const char *dir;
	size_t length = watched_of(s, &dir);
	_cleanup_free_ char *copy = length ? strndup(dir, length) : NULL;

	if (!length)
		return 0;
	if (!copy)
		return status_no_memory("registry");
	return watch_directory(watch, copy);
}

static int watch_all_locked(const struct dlazy_registry *r, int watch)
{
	int status = 0;

	for (size_t i = 0; status == 0 && i < r->count; i++)
		status = watch_source(&r->sources[i], watch);
	return status;
}

/* The directory of a source that has those below it, too; malloc'd. 1, 0: it is none,
 * -DLAZY_ENOENT: there are no more, or -DLAZY_ENOMEM. */
static int recursive_directory(struct dlazy_registry *r, size_t source,
			       char **ret)
{
	LOCKED(&registry_lock);
	if (source >= r->count)
		return -DLAZY_ENOENT;
	if (!r->sources[source].recursive)
		return 0;
	*ret = strdup(r->sources[source].dir);
	return *ret ? 1 : status_no_memory("registry");
}

static int watch_all_below(struct dlazy_registry *r, int watch)
{
	for (size_t i = 0;; i++) {
		_cleanup_free_ char *dir = NULL;
		int status = recursive_directory(r, i, &dir);

		if (status > 0)
			status = watch_below(watch, dir);
		if (status < 0)
			return status == -DLAZY_ENOENT ? 0 : status;
	}
}

static int begin_locked(struct dlazy_registry *r)
{
	LOCKED(&registry_lock);
	r->is_refreshed = true;
	if (r->watch < 0)
		return -1;
	watch_drain(r->watch);
	if (watch_all_locked(r, r->watch) < 0)
		status_clear(); /* the look itself does not need it */
	return r->watch;
}

static void begin(struct dlazy_registry *r)
{
	int watch = begin_locked(r);

	if (watch >= 0 && watch_all_below(r, watch) < 0)
		status_clear();
}

static struct change *take_changes(struct dlazy_registry *r)
{
	LOCKED(&registry_lock);
	return changes_take(r);
}

int refresh_registry(struct dlazy_registry *r)
{
	int told = 0;

	begin(r);
	int status = registry_look(r);
	if (status < 0)
		return status;
	struct change *next, *change = take_changes(r);
	for (; change; change = next) {
		next = change->next;
		if (!change->undone) {
			told++;
			event_emit(
				(struct dlazy_event){.kind = change->kind,
						     .module = change->module,
						     .registry = r,
						     .name = change->name});
		}
		free(change);
	}
	return told;
}

/* The descriptor, or -1; and how many sources are to be watched. */
static int watch_known(struct dlazy_registry *r, size_t *ret_count)
{
	LOCKED(&registry_lock);
	r->is_refreshed = true;
	*ret_count = r->count;
	return r->watch;
}

/* It is the registry's once it watches all; another thread's, which was faster, is as
 * good. 1; 0: sources were added meanwhile; or a status. */
static int publish_watch(struct dlazy_registry *r, size_t count, int *watch)
{
	LOCKED(&registry_lock);
	if (r->watch >= 0)
		return 1;
	if (r->count != count)
		return 0;
	int status = watch_all_locked(r, *watch);
	if (status < 0)
		return status;
	r->watch = TAKE_FD(*watch);
	return 1;
}

int refresh_watch(struct dlazy_registry *r)
{
	size_t count;
	int known = watch_known(r, &count);

	if (known >= 0)
		return known;
	_cleanup_close_ int watch = watch_new();
	int status = watch < 0 ? watch : 0;
	while (status == 0) {
		watch_known(r, &count);
		status = watch_all_below(r, watch);
		if (status == 0)
			status = publish_watch(r, count, &watch);
	}
	return status < 0 ? status : watch_known(r, &count);
}
