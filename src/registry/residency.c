/* SPDX-License-Identifier: MIT */
/*
 * See residency.h. What is loaded is listed first, under the lock; then modules are
 * discarded without it, as the linker is asked for that. A module that is pinned or
 * touched meanwhile is not discarded, or comes back.
 */
#include "registry/residency.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "load/dependents.h"
#include "load/dl.h"
#include "load/forbid.h"
#include "load/load.h"
#include "load/use.h"
#include "registry/pages.h"
#include "registry/place.h"

#include <dlazy/lifecycle.h>

#include <stdlib.h>

/* A module that is loaded. */
struct resident {
	struct dlazy_module *module;
	uint64_t used;
	uintptr_t start, end;
};

struct residents {
	struct resident *all;
	size_t count, room;
};

static void residents_free(struct residents *residents)
{
	free(residents->all);
}

static int compare_uses(const void *a, const void *b)
{
	const struct resident *x = a, *y = b;

	return (x->used > y->used) - (x->used < y->used);
}

/* The registry's, least recently used first. 0 or -DLAZY_ENOMEM. */
static int list_residents(struct dlazy_registry *r, struct residents *ret)
{
	{
		LOCKED(&registry_lock);
		for (struct place *p = r->places; p; p = p->next) {
			struct dlazy_module *m = p->module;

			if (!module_is_file(m) || !atomic_load(&m->handle))
				continue;
			if (!array_reserve(&ret->all, ret->count, &ret->room,
					   sizeof(*ret->all)))
				return status_no_memory("registry");
			ret->all[ret->count++] = (struct resident){
				m, atomic_load(&m->used), 0, 0};
		}
	}
	if (ret->count)
		qsort(ret->all, ret->count, sizeof(*ret->all), compare_uses);
	return 0;
}

/* Where they are mapped; those that were discarded meanwhile are nowhere. The
 * linker is asked with a reference, which keeps its answer true. */
static void find_ranges(struct residents *residents)
{
	for (size_t i = 0; i < residents->count; i++) {
		struct resident *resident = &residents->all[i];
		struct dlazy_module *m = resident->module;
		void *handle = dl_open_again(module_object(m), 0);

		if (!handle)
			continue;
		dl_range(handle, &resident->start, &resident->end);
		dl_close(handle);
	}
	status_clear();
}

static uint64_t bytes_of(const struct resident *resident)
{
	return resident->end - resident->start;
}

int residency_limit(struct dlazy_registry *r, size_t modules, uint64_t bytes)
{
	use_begin();
	LOCKED(&registry_lock);
	r->limit_modules = modules;
	r->limit_bytes = bytes;
	return 0;
}

/* What may stay. */
struct limits {
	size_t modules;
	uint64_t bytes;
};

static struct limits limits_of(struct dlazy_registry *r)
{
	LOCKED(&registry_lock);
	return (struct limits){
		r->limit_modules ? r->limit_modules : SIZE_MAX,
		r->limit_bytes ? r->limit_bytes : UINT64_MAX,
	};
}

/* It goes after what requires it, which was not used so little. */
static bool is_required(struct dlazy_module *m)
{
	_cleanup_free_ struct dlazy_module **dependents = NULL;

	return dependents_find(m, &dependents) != 0;
}

/* How many went. What cannot go stays, and the next is tried. */
static int discard_down_to(struct residents *residents, struct limits limits)
{
	size_t modules = residents->count;
	uint64_t bytes = 0;
	int gone = 0;

	if (limits.bytes != UINT64_MAX)
		find_ranges(residents);
	for (size_t i = 0; i < residents->count; i++)
		bytes += bytes_of(&residents->all[i]);
	for (size_t i = 0; i < residents->count; i++) {
		struct resident *resident = &residents->all[i];

		if (modules <= limits.modules && bytes <= limits.bytes)
			break;
		if (is_required(resident->module) ||
		    load_discard(resident->module) < 0)
			continue;
		modules--;
		bytes -= bytes_of(resident);
		gone++;
	}
	status_clear();
	return gone;
}

/* Those used before what this returns were not used since it was asked last; all,
 * the first time. */
static uint64_t take_last_use(struct dlazy_registry *r,
			      const struct residents *residents)
{
	LOCKED(&registry_lock);
	uint64_t last = r->trimmed ? r->trimmed : UINT64_MAX;

	if (residents->count)
		r->trimmed = residents->all[residents->count - 1].used + 1;
	return last;
}

static int give_pages_back(struct dlazy_registry *r,
			   struct residents *residents)
{
	uint64_t last = take_last_use(r, residents);
	_cleanup_pages_ struct pages *clean = pages_read();
	int given = 0;

	if (!clean) /* traced, or it cannot be told what is clean */
		return 0;
	find_ranges(residents);
	for (size_t i = 0; i < residents->count; i++) {
		const struct resident *resident = &residents->all[i];

		if (resident->used < last && resident->end &&
		    !atomic_load(&resident->module->pins))
			given += pages_give_back(clean, resident->start,
						 resident->end);
	}
	return given;
}

int residency_trim(struct dlazy_registry *r, int flags)
{
	_cleanup_(residents_free) struct residents residents = {NULL, 0, 0};
	_cleanup_discarding_ bool begun = forbid_begin_discarding();

	if (!begun)
		return status_fail(DLAZY_EBUSY, "dlazy_registry_trim: this "
						"process is sealed "
						"(dlazy_seal())");
	int status = list_residents(r, &residents);

	if (status < 0)
		return status;
	int n = flags & DLAZY_TRIM_PAGES
			? give_pages_back(r, &residents)
			: discard_down_to(&residents, limits_of(r));
	use_arm_others(NULL);
	return n;
}
