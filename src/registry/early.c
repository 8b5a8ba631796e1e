/* SPDX-License-Identifier: MIT */
/*
 * A catalog lists the plugins whose "load" is eager or prefetch. Only these are
 * looked at when their directory is added, so a directory costs nothing for each of
 * the others. A policy that takes precedence over metadata may say otherwise for
 * these; for every other plugin, policies are consulted when the host asks for it.
 */
#include "registry/early.h"

#include "base/cleanup.h"
#include "base/status.h"
#include "registry/provider.h"
#include "registry/rescan.h"
#include "registry/source.h"

#include <stdlib.h>
#include <string.h>

static bool take_due(struct dlazy_registry *r, size_t *ret_source)
{
	LOCKED(&registry_lock);
	for (size_t i = 0; i < r->count; i++)
		if (r->sources[i].early_due) {
			r->sources[i].early_due = false;
			*ret_source = i;
			return true;
		}
	return false;
}

/* The name of the i-th of a source, malloc'd; *ret NULL: an earlier source has it.
 * false: there are no more. */
static bool name_of(struct dlazy_registry *r, size_t source, size_t i,
		    char **ret)
{
	LOCKED(&registry_lock);
	struct source *s = &r->sources[source];
	size_t index;

	*ret = NULL;
	int status = s->gone ? 0 : catalog_early(s->catalog, i, &index);
	s->doubt |= status < 0 && !status_is_state(status);
	if (status <= 0)
		return false;
	const char *name = source_name(s, index);
	if (name && !source_is_shadowed(r, source, name))
		*ret = strdup(name);
	return true;
}

/* Whether a catalog that is damaged there was written anew. */
static bool is_mended(struct dlazy_registry *r, size_t source)
{
	{
		LOCKED(&registry_lock);
		if (!r->sources[source].doubt)
			return false;
	}
	return rescan_all(r, COMPARE_NOTHING) > 0;
}

static void load_listed(struct dlazy_registry *r, size_t source,
			const void *caller)
{
	bool again = false;

	for (size_t i = 0;; i++) {
		_cleanup_free_ char *name = NULL;

		if (!name_of(r, source, i, &name)) {
			if (again || !is_mended(r, source))
				return;
			again = true;
			i = SIZE_MAX; /* from the first one on */
			continue;
		}
		struct dlazy_module *m =
			name ? registry_find_in(r, source, name) : NULL;
		if (m)
			provider_obey_policy(r, m, name, caller);
	}
}

void early_load(struct dlazy_registry *r, const void *caller)
{
	size_t source = 0;

	while (take_due(r, &source))
		load_listed(r, source, caller);
	status_clear();
}
