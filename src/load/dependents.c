/* SPDX-License-Identifier: MIT */
/*
 * Who requires whom, of what is loaded: each module has what it required when it was
 * loaded (load/require.c), under load_lock.
 */
#include "load/dependents.h"

#include "base/array.h"

struct dependents {
	struct dlazy_module **modules;
	size_t count, room;
	bool is_full;
};

static bool is_among(const struct dependents *d, const struct dlazy_module *m)
{
	for (size_t i = 0; i < d->count; i++)
		if (d->modules[i] == m)
			return true;
	return false;
}

/* Whose dependents are looked for, on the way to this one's. */
struct asked {
	const struct dlazy_module *of;
	const struct asked *outer;
	struct dependents *found;
};

static void add_dependents_locked(const struct dlazy_module *m,
				  const struct asked *outer,
				  struct dependents *d);

static bool is_asked(const struct asked *asked, const struct dlazy_module *m)
{
	for (; asked; asked = asked->outer)
		if (asked->of == m)
			return true;
	return false;
}

static void add_if_dependent_locked(struct dlazy_module *m, void *data)
{
	const struct asked *asked = data;
	struct dependents *d = asked->found;

	/* What is not noted would be looked at once for each way to it. */
	if (d->is_full)
		return;
	/* Two reloads at once can make a circle. */
	if (atomic_load(&m->state) != DLAZY_LOADED || is_among(d, m) ||
	    is_asked(asked, m))
		return;
	for (size_t i = 0; i < m->required_count; i++) {
		if (m->required[i] != asked->of)
			continue;
		add_dependents_locked(m, asked, d);
		if (is_among(d, m))
			return;
		d->is_full |= d->count == d->room;
		if (!d->is_full)
			d->modules[d->count++] = m;
		return;
	}
}

static void add_dependents_locked(const struct dlazy_module *m,
				  const struct asked *outer,
				  struct dependents *d)
{
	struct asked asked = {m, outer, d};

	module_each_locked(add_if_dependent_locked, &asked);
}

/* true: there are more than it has room for. */
static bool look(const struct dlazy_module *m, struct dependents *d)
{
	LOCKED(&load_lock);
	d->count = 0;
	d->is_full = false;
	add_dependents_locked(m, NULL, d);
	return d->is_full;
}

ptrdiff_t dependents_find(struct dlazy_module *m, struct dlazy_module ***ret)
{
	struct dependents d = {NULL, 0, 0, false};

	while (look(m, &d)) {
		if (!array_reserve(&d.modules, d.room, &d.room,
				   sizeof(*d.modules))) {
			*ret = d.modules;
			return -1;
		}
	}
	*ret = d.modules;
	return (ptrdiff_t)d.count;
}
