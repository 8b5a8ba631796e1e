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

static int watch_source(struct dlazy_registry *r, const struct source *s)
{
	const char *dir;
	size_t length = watched_of(s, &dir);
	_cleanup_free_ char *copy = length ? strndup(dir, length) : NULL;

	if (!length)
		return 0;
	if (!copy)
		return status_fail(DLAZY_ENOMEM, "registry: out of memory");
	return watch_directory(r->watch, copy);
}

static int watch_all_locked(struct dlazy_registry *r)
{
	int status = 0;

	for (size_t i = 0; status == 0 && i < r->count; i++)
		status = watch_source(r, &r->sources[i]);
	return status;
}

static void begin(struct dlazy_registry *r)
{
	LOCKED(&registry_lock);
	r->is_refreshed = true;
	if (r->watch < 0)
		return;
	watch_drain(r->watch);
	if (watch_all_locked(r) < 0)
		status_clear(); /* the look itself does not need it */
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

int refresh_watch(struct dlazy_registry *r)
{
	LOCKED(&registry_lock);
	r->is_refreshed = true;
	if (r->watch >= 0)
		return r->watch;
	int watch = watch_new();
	if (watch < 0)
		return watch;
	r->watch = watch;
	int status = watch_all_locked(r);
	if (status == 0)
		return watch;
	r->watch = -1; /* else the next call would give it */
	close(watch);
	return status;
}
