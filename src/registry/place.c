/* SPDX-License-Identifier: MIT */
/*
 * See place.h. Two names can be one file (a link), and then one module: the registry
 * borrows it once and remembers its first place, so that a walk ends.
 */
#include "registry/place.h"

#include "base/cleanup.h"
#include "load/module.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_before(const struct place *a, const struct place *b)
{
	return a->source < b->source ||
	       (a->source == b->source && a->index < b->index);
}

/* Whether a walk should rather meet the module at `a` than at `b`. */
static bool is_better(const struct place *a, const struct place *b)
{
	bool lost = b->gone || b->shadowed;

	return lost ? !a->shadowed : !a->shadowed && is_before(a, b);
}

bool place_put_locked(struct dlazy_registry *r, struct dlazy_module *m,
		      const char *name, size_t source, size_t index)
{
	struct place *place = map_get(&r->by_module, map_pointer_key(m));
	_cleanup_free_ char *own_name = strdup(name);
	struct place new = {.module = m,
			    .source = source,
			    .index = index,
			    .shadowed = source_is_shadowed(r, source, name)};

	if (!own_name)
		return false;
	if (r->quarantine)
		atomic_store(&m->quarantine, r->quarantine);
	if (!place) {
		place = calloc(1, sizeof(*place));
		if (!place ||
		    !map_put(&r->by_module, map_pointer_key(m), place)) {
			free(place);
			return false;
		}
		place->next = r->places;
		r->places = place;
	} else {
		module_return(m);
		if (!is_better(&new, place))
			return true;
	}
	free(place->name);
	new.name = TAKE_PTR(own_name);
	new.next = place->next;
	*place = new;
	return true;
}

/* Whether the file of a directory's module has not been removed since; if so,
 * with message. */
static bool is_still_there(struct source *s, const struct dlazy_module *m)
{
	struct file_identity now;
	bool gone = file_identify(AT_FDCWD, m->path, &now) == -DLAZY_ENOENT;

	s->doubt |= gone;
	if (!gone)
		status_clear();
	return !gone;
}

static bool make_room_for_modules(struct source *s)
{
	if (!s->modules)
		s->modules = calloc(catalog_count(s->catalog) +
					    catalog_bad_count(s->catalog),
				    sizeof(*s->modules));
	if (!s->modules)
		status_no_memory(s->dir);
	return s->modules;
}

/* The module of a plugin of a directory; NULL, with message. */
static struct dlazy_module *declare_plugin(struct source *s, const char *name,
					   const struct record *record)
{
	_cleanup_free_ char *path = NULL;
	struct dlazy_module *m;
	bool adopted;

	if (asprintf(&path, "%s/%s", s->dir, record_file(record)) < 0) {
		path = NULL;
		status_no_memory(s->dir);
		return NULL;
	}
	struct module_declaration declaration = {.name = name,
						 .path = path,
						 .flags = s->flags,
						 .by = s->by,
						 .record = record};
	if (module_declare(&declaration, true, &m, &adopted) < 0) {
		s->doubt |= !status_is_state(status_last());
		return NULL;
	}
	s->adopted |= adopted;
	return m;
}

struct dlazy_module *place_module_locked(struct dlazy_registry *r,
					 size_t source, size_t index)
{
	struct source *s = &r->sources[source];

	if (s->module)
		return s->module;
	if (s->modules && s->modules[index])
		return is_still_there(s, s->modules[index]) ? s->modules[index]
							    : NULL;
	const struct record *record = source_record(s, index);
	if (!record || !make_room_for_modules(s))
		return NULL;
	const char *name = source_full_name(s, record_name(record));
	struct dlazy_module *m = name ? declare_plugin(s, name, record) : NULL;
	if (!m)
		return NULL;
	if (!place_put_locked(r, m, name, source, index)) {
		module_return(m);
		status_no_memory(s->dir);
		return NULL;
	}
	s->modules[index] = m;
	return m;
}

struct dlazy_module *place_handed_out(const struct dlazy_registry *r,
				      const char *name)
{
	for (const struct place *p = r->places; p; p = p->next)
		if (!strcmp(p->name, name))
			return p->module;
	return NULL;
}
