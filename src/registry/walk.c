/* SPDX-License-Identifier: MIT */
/*
 * Walking a registry's plugins and counting them. Sources stand in the order in
 * which they were added; within a directory the order is the catalog's, by name.
 * A walk goes from place to place (place.h): a source and an index in it.
 */
#include "registry/registry.h"

#include "registry/place.h"
#include "registry/rescan.h"
#include "registry/source.h"

static size_t count_locked(struct dlazy_registry *r)
{
	LOCKED(&registry_lock);
	size_t n = 0;

	for (size_t i = 0; i < r->count; i++) {
		size_t all = source_count(&r->sources[i]);

		if (i == 0) {
			n = all;
			continue;
		}
		for (size_t k = 0; k < all; k++) {
			const char *name = source_name(&r->sources[i], k);
			n += name && !source_is_shadowed(r, i, name);
		}
	}
	return n;
}

size_t registry_count(struct dlazy_registry *r)
{
	enum compare compare = COMPARE_ALL;
	size_t n = 0;

	for (int looks = 0; looks < RESCANS_MAX; looks++) {
		int status = rescan_all(r, compare);
		if (looks > 0 && status <= 0)
			break;
		n = count_locked(r);
		compare = COMPARE_NOTHING;
	}
	status_clear();
	return n;
}

/* The module at a place, if a walk is to stop there. NULL: not so; or a state,
 * with message, as *ret_status. */
static struct dlazy_module *stop_locked(struct dlazy_registry *r, size_t source,
					size_t index, int *ret_status)
{
	const char *name = source_name(&r->sources[source], index);
	struct dlazy_module *m = NULL;

	if (name && source_is_shadowed(r, source, name))
		return NULL;
	if (name)
		m = place_module_locked(r, source, index);
	if (!m) {
		/* A fact about the file: registry_find() says what is wrong. */
		*ret_status =
			status_is_state(status_last()) ? status_last() : 0;
		if (*ret_status == 0)
			status_clear();
		return NULL;
	}
	const struct place *first = map_get(&r->by_module, map_pointer_key(m));
	return first && first->source == source && first->index == index ? m
									 : NULL;
}

/* Where a walk goes on: false, with message: it is not of this registry. */
static bool place_after_locked(struct dlazy_registry *r,
			       const struct dlazy_module *after,
			       size_t *ret_source, size_t *ret_index)
{
	*ret_source = *ret_index = 0;
	if (!after)
		return true;
	const struct place *place =
		map_get(&r->by_module, map_pointer_key(after));
	if (!place) {
		status_fail(DLAZY_EINVAL,
			    "registry_next: not a module of this registry");
		return false;
	}
	*ret_source = place->source;
	*ret_index = place->index + !place->gone;
	return true;
}

/* *ret_doubt: a source turned out to be wrong, and is to be refreshed first; with
 * skip what is wrong is passed over. */
static struct dlazy_module *next_locked(struct dlazy_registry *r,
					const struct dlazy_module *after,
					bool skip, bool *ret_doubt)
{
	size_t source, index;
	int status = 0;

	*ret_doubt = false;
	if (!place_after_locked(r, after, &source, &index))
		return NULL;
	for (; source < r->count; source++, index = 0) {
		struct source *s = &r->sources[source];

		for (; index < source_count(s); index++) {
			struct dlazy_module *m =
				stop_locked(r, source, index, &status);
			if (m || status < 0)
				return m;
			*ret_doubt = s->doubt && !skip;
			if (*ret_doubt)
				return NULL;
		}
	}
	return NULL;
}

struct dlazy_module *registry_next(struct dlazy_registry *r,
				   const struct dlazy_module *after)
{
	bool doubt, skip = false;

	/* A walk begins with what is there now, if that can be looked at. */
	if (!after && rescan_all(r, COMPARE_ALL) < 0)
		status_clear();
	for (int looks = 0;; looks++) {
		{
			LOCKED(&registry_lock);
			struct dlazy_module *m =
				next_locked(r, after, skip, &doubt);
			if (m || !doubt)
				return m;
		}
		int status = rescan_all(r, COMPARE_NOTHING);
		if (status < 0)
			return NULL;
		skip = status == 0 || looks == RESCANS_MAX;
	}
}
