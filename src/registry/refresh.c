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

/* The directory in which a change of the source shows; malloc'd; NULL: none. */
static char *watched_of(const struct source *s)
{
	if (s->dir)
		return strdup(s->dir);
	const char *path = s->module->path;
	size_t n = (size_t)(file_base_name(path) - path);
	return n ? strndup(path, n > 1 ? n - 1 : 1) : NULL;
}

static int watch_all_locked(struct dlazy_registry *r)
{
	int status = 0;

	for (size_t i = 0; status == 0 && i < r->count; i++) {
		_cleanup_free_ char *dir = watched_of(&r->sources[i]);
		if (dir)
			status = watch_directory(r->watch, dir);
	}
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
