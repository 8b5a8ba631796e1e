/* SPDX-License-Identifier: MIT */
/*
 * Finding a plugin by its name or its SONAME. The first source that has it gives
 * it. Before "there is none" is said, the catalogs are compared with the
 * directories; the message has the name that was perhaps meant.
 */
#include "registry/registry.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/nearest.h"
#include "registry/interface.h"
#include "registry/place.h"
#include "registry/rescan.h"
#include "registry/source.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* A "no" about a name is to be given out: is it still one? */
static void doubt_bad(struct source *s, const struct record *bad)
{
	_cleanup_close_ int dirfd = -1;

	s->doubt |= source_open_directory(s->dir, &dirfd) == 0 &&
		    !rescan_is_bad_still(dirfd, bad);
}

/* The same about a name that the catalog does not have, as times alone cannot
 * tell that it is whole: chmod -R makes it younger than its directory. */
static void doubt_absent(struct source *s, const char *name)
{
	_cleanup_free_ char *path = NULL;
	struct stat st;

	name = source_name_within(s, name);
	if (s->gone || !name || strchr(name, '/') ||
	    asprintf(&path, "%s/%s.so", s->dir, name) < 0)
		path = NULL;
	s->doubt |= path && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* The number of the first single module of that name; r->count: none. */
static size_t single_locked(const struct dlazy_registry *r, const char *name)
{
	size_t found = (uintptr_t)map_get(&r->by_name, hash_string(name));

	if (!found)
		return r->count;
	for (size_t i = found - 1; i < r->count; i++)
		if (r->sources[i].module && !strcmp(r->sources[i].name, name))
			return i;
	return r->count;
}

/* The plugin of that name in a directory. NULL: none; or, with message, the file
 * is none (any more), or a state. */
static struct dlazy_module *find_in_locked(struct dlazy_registry *r,
					   size_t source, const char *name,
					   bool compare)
{
	struct source *s = &r->sources[source];
	bool unknown = false;
	size_t index;

	if (s->module)
		return NULL;
	const struct record *record = source_find(s, name, &index, &unknown);
	if (!record) {
		if (compare && !unknown)
			doubt_absent(s, name);
		return NULL;
	}
	if (index < catalog_count(s->catalog))
		return place_module_locked(r, source, index);
	if (compare)
		doubt_bad(s, record);
	status_fail(-record_status(record), "%s: %s", name,
		    record_message(record));
	return NULL;
}

/* To look through more names for one that was meant takes too long for a host
 * that asks for what may be absent. */
#define SUGGEST_AMONG 1024

static void offer_names(struct source *s, const char *name,
			struct nearest *nearest)
{
	size_t n = s->module || !s->catalog ? 0 : catalog_count(s->catalog);

	if (s->module)
		nearest_offer(nearest, name, s->name);
	for (size_t i = 0; i < n; i++) {
		const struct record *record = catalog_record(s->catalog, i);

		if (record)
			nearest_offer(nearest, name, record_name(record));
	}
}

static void fail_absent_locked(const struct dlazy_registry *r, const char *name)
{
	struct nearest nearest = {NULL, 0};
	size_t all = 0;

	for (size_t i = 0; i < r->count; i++)
		all += r->sources[i].module || !r->sources[i].catalog
			       ? 1
			       : catalog_count(r->sources[i].catalog);
	for (size_t i = 0; i < r->count && all <= SUGGEST_AMONG; i++)
		offer_names(&r->sources[i], name, &nearest);
	status_fail(DLAZY_ENOENT,
		    "no plugin \"%s\" in the directories and files that were "
		    "added%s%s%s",
		    name, nearest.word ? "; did you mean \"" : "",
		    nearest.word ? nearest.word : "",
		    nearest.word ? "\"?" : "");
}

/* NULL with message. What is broken, or gone, does not hide what comes after.
 * compare: a file that was bad may be another now. */
static struct dlazy_module *find_locked(struct dlazy_registry *r,
					const char *name, bool compare)
{
	size_t single = single_locked(r, name);

	status_clear();
	for (size_t i = 0; i < single; i++) {
		struct dlazy_module *m = find_in_locked(r, i, name, compare);
		if (m ||
		    (status_is_pending() && status_is_state(status_last())))
			return m;
		if (r->sources[i].doubt)
			return NULL;
	}
	if (single < r->count)
		return r->sources[single].module;
	if (!status_is_pending())
		fail_absent_locked(r, name);
	return NULL;
}

static struct dlazy_module *find_module(struct dlazy_registry *r,
					const char *name)
{
	int status = 1;

	for (int looks = 0;; looks++) {
		{
			LOCKED(&registry_lock);
			struct dlazy_module *m =
				find_locked(r, name, looks == 0);
			if (m || status <= 0 || looks == RESCANS_MAX)
				return m;
		}
		/* The first time a "no" is compared with what is there. */
		status = rescan_all(r, looks == 0 ? COMPARE_DIRECTORY
						  : COMPARE_NOTHING);
		if (status < 0)
			return NULL;
	}
}

struct dlazy_module *registry_find(struct dlazy_registry *r, const char *name)
{
	struct dlazy_module *m = find_module(r, name);

	if (m && interface_any_offered(r) && interface_check(r, m) < 0)
		return NULL;
	return m;
}

struct dlazy_module *registry_find_in(struct dlazy_registry *r, size_t source,
				      const char *name)
{
	struct dlazy_module *m = NULL;

	for (int looks = 0; !m && looks < RESCANS_MAX; looks++) {
		bool doubt;
		{
			LOCKED(&registry_lock);
			struct source *s = &r->sources[source];

			status_clear();
			m = s->module ? s->module
				      : find_in_locked(r, source, name, true);
			doubt = s->doubt;
			if (!m && !status_is_pending())
				status_fail(DLAZY_ENOENT,
					    "%s: no such plugin any more",
					    name);
		}
		if (!m && (!doubt || rescan_all(r, COMPARE_NOTHING) <= 0))
			return NULL;
	}
	if (m && interface_any_offered(r) && interface_check(r, m) < 0)
		return NULL;
	return m;
}

struct dlazy_module *registry_find_quietly(struct dlazy_registry *r,
					   const char *name)
{
	struct dlazy_module *m = find_module(r, name);

	if (!m && !status_is_state(status_last()))
		status_clear();
	return m;
}

static struct dlazy_module *find_soname_locked(struct dlazy_registry *r,
					       size_t source,
					       const char *soname)
{
	struct source *s = &r->sources[source];
	size_t index;

	if (s->module)
		return module_has_soname(s->module, soname) ? s->module : NULL;
	return source_find_soname(s, soname, &index) > 0
		       ? place_module_locked(r, source, index)
		       : NULL;
}

/* *ret_doubt: a directory may have one and could not tell. */
static struct dlazy_module *find_soname_once(struct dlazy_registry *r,
					     const char *soname,
					     bool *ret_doubt)
{
	LOCKED(&registry_lock);
	struct dlazy_module *m = NULL;

	status_clear();
	*ret_doubt = false;
	for (size_t i = 0; i < r->count && !m; i++) {
		m = find_soname_locked(r, i, soname);
		if (!m && status_is_pending() && status_is_state(status_last()))
			return NULL;
		*ret_doubt |= r->sources[i].doubt;
	}
	return m;
}

struct dlazy_module *registry_find_soname(struct dlazy_registry *r,
					  const char *soname)
{
	bool doubt;
	struct dlazy_module *m = find_soname_once(r, soname, &doubt);

	if (!m && doubt && rescan_all(r, COMPARE_NOTHING) > 0)
		m = find_soname_once(r, soname, &doubt);
	if (!m && !status_is_state(status_last()))
		status_clear();
	return m;
}
