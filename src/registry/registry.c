/* SPDX-License-Identifier: MIT */
/*
 * Registries themselves: made and freed, and what all of their plugins have in
 * common: filter, quarantine, what they define together. Sources are added in
 * add.c, plugins found in find.c and walked over in walk.c.
 */
#include "registry/registry.h"

#include "base/cleanup.h"
#include "base/event.h"
#include "load/quarantine.h"
#include "registry/changes.h"
#include "registry/interface.h"
#include "registry/place.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void registry_fork_prepare(void)
{
	lock_take(&registry_lock);
}

void registry_fork_done(void)
{
	lock_drop(&registry_lock);
}

struct dlazy_registry *registry_new(void)
{
	static uint64_t numbers; /* under registry_lock */

	struct dlazy_registry *r = calloc(1, sizeof(*r));

	if (!r) {
		status_no_memory("registry");
		return NULL;
	}
	r->watch = -1;
	LOCKED(&registry_lock);
	r->number = ++numbers;
	r->next = registries;
	registries = r;
	return r;
}

static void free_changes(struct dlazy_registry *r)
{
	struct change *next, *change = changes_take(r);

	for (; change; change = next) {
		next = change->next;
		free(change);
	}
}

static void unlist_locked(struct dlazy_registry *r)
{
	struct dlazy_registry **at = &registries;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
}

static void clear_locked(struct dlazy_registry *r)
{
	while (r->places) {
		struct place *place = TAKE_PTR(r->places);
		r->places = place->next;
		module_return(place->module);
		free(place->name);
		free(place);
	}
	for (size_t i = 0; i < r->count; i++)
		source_clear(&r->sources[i]);
	free_changes(r);
	if (r->watch >= 0)
		close(r->watch);
	for (size_t i = 0; i < r->interface_count; i++)
		free(r->interfaces[i].name);
	free(r->interfaces);
	free(r->sources);
	map_clear(&r->by_name);
	map_clear(&r->by_module);
	free(r);
}

void registry_free(struct dlazy_registry *r)
{
	LOCKED(&registry_lock);

	for (struct cursor_link *c = r->cursors; c; c = c->next)
		c->registry = NULL;
	unlist_locked(r);
	r->freed = true;
	if (!r->holders)
		clear_locked(r);
}

struct dlazy_registry *registry_hold_locked(struct dlazy_registry *r)
{
	r->holders++;
	return r;
}

void registry_release(struct dlazy_registry *r)
{
	LOCKED(&registry_lock);

	if (--r->holders == 0 && r->freed)
		clear_locked(r);
}

void registry_filter(struct dlazy_registry *r, dlazy_policy_fn *fn, void *data)
{
	LOCKED(&registry_lock);
	r->filter = fn;
	r->filter_data = data;
}

dlazy_policy_fn *registry_filter_of(struct dlazy_registry *r, void **ret_data)
{
	LOCKED(&registry_lock);
	*ret_data = r->filter_data;
	return r->filter;
}

static struct dlazy_registry *hold_next(const struct dlazy_module *m,
					uint64_t before)
{
	LOCKED(&registry_lock);
	struct dlazy_registry *r = registries;

	while (r && (r->number >= before ||
		     !map_get(&r->by_module, map_pointer_key(m))))
		r = r->next;
	return r ? registry_hold_locked(r) : NULL;
}

struct dlazy_registry *registry_that_has(const struct dlazy_module *m,
					 struct dlazy_registry *after)
{
	struct dlazy_registry *r =
		hold_next(m, after ? after->number : UINT64_MAX);

	if (after)
		registry_release(after);
	return r;
}

void registry_reloaded(struct dlazy_module *m)
{
	LOCKED(&registry_lock);
	for (struct dlazy_registry *r = registries; r; r = r->next) {
		const struct place *p =
			map_get(&r->by_module, map_pointer_key(m));
		struct source *s = p ? &r->sources[p->source] : NULL;

		if (s && s->modules && !p->gone && s->modules[p->index] &&
		    !strcmp(s->modules[p->index]->path, m->path))
			s->modules[p->index] = m;
	}
}

/* What is refused; observers are told without a lock. */
static void tell_refused(void *data, const char *path)
{
	_cleanup_free_ char *name = record_plugin_name(file_base_name(path));
	struct dlazy_registry *r = data;
	struct dlazy_module *m;
	{
		LOCKED(&registry_lock);
		m = name ? place_handed_out(r, name) : NULL;
	}
	if (name)
		event_emit((struct dlazy_event){.kind = DLAZY_EVENT_FAILED,
						.status = -DLAZY_EPOLICY,
						.module = m,
						.registry = r,
						.name = name});
}

int registry_quarantine(struct dlazy_registry *r, const char *file)
{
	struct quarantine *q;
	int status = quarantine_open(file, &q);

	if (status < 0)
		return status;
	{
		LOCKED(&registry_lock);
		r->quarantine = q;
		for (struct place *p = r->places; p; p = p->next)
			atomic_store(&p->module->quarantine, q);
	}
	return quarantine_list(q, tell_refused, r);
}

int registry_flags(struct dlazy_registry *r, const struct dlazy_module *m)
{
	LOCKED(&registry_lock);
	const struct place *place = map_get(&r->by_module, map_pointer_key(m));

	return place ? r->sources[place->source].flags : 0;
}

/* A source whose plugins are not modules yet is asked by its catalog. */
static bool source_defines(const struct source *s, const char *symbol,
			   const char *version)
{
	struct record_symbol found;

	if (s->module)
		return module_defines(s->module, symbol, version);
	for (size_t i = 0; i < catalog_count(s->catalog); i++) {
		const struct record *record = catalog_record(s->catalog, i);
		if (record && record_find(record, symbol, version, &found))
			return true;
	}
	return false;
}

bool registry_defines(const struct dlazy_module *m, const char *symbol,
		      const char *version)
{
	LOCKED(&registry_lock);
	for (const struct dlazy_registry *r = registries; r; r = r->next) {
		if (!map_get(&r->by_module, map_pointer_key(m)))
			continue;
		for (size_t i = 0; i < r->count; i++)
			if (source_defines(&r->sources[i], symbol, version))
				return true;
	}
	return false;
}

int registry_catalog_state(struct dlazy_registry *r, const char *dir)
{
	LOCKED(&registry_lock);

	for (size_t i = 0; i < r->count; i++) {
		const struct source *s = &r->sources[i];

		if (!s->dir || strcmp(s->dir, dir) != 0)
			continue;
		if (!s->why)
			return 1;
		status_fail(DLAZY_ENOENT,
			    "%s: its files were read, as no catalog was "
			    "usable: %.800s",
			    dir, s->why);
		return 0;
	}
	return status_fail(DLAZY_ENOENT, "%s: not a directory of this registry",
			   dir);
}
