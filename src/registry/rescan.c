/* SPDX-License-Identifier: MIT */
/*
 * See rescan.h. Scans are done without the lock; what has changed is noted for the
 * host (changes.h), whoever needed the scan.
 */
#include "registry/rescan.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "load/module.h"
#include "registry/add.h"
#include "registry/changes.h"
#include "registry/place.h"
#include "registry/registry.h"

#include <stdlib.h>
#include <string.h>

bool rescan_is_bad_still(int dirfd, const struct record *bad)
{
	struct file_identity now;
	bool same = file_identify(dirfd, record_file(bad), &now) == 0 &&
		    record_is_current(bad, dirfd, &now);

	status_clear();
	return same;
}

static bool is_named_before(struct catalog *c, size_t i, const char *name)
{
	const struct record *record = catalog_record(c, i);

	return record && strcmp(record_name(record), name) < 0;
}

/* How many names of a catalog come before `name`. */
static size_t names_before(struct catalog *c, const char *name)
{
	return ARRAY_COUNT_BEFORE(catalog_count(c), i,
				  is_named_before(c, i, name));
}

/* Takes a new catalog in place of the old one; places move with it. */
static void replace_catalog_locked(struct dlazy_registry *r, size_t source,
				   struct catalog *fresh, char *why)
{
	struct source *s = &r->sources[source];

	free(TAKE_PTR(s->modules));
	source_drop_catalog_locked(s->catalog, s->adopted);
	s->catalog = fresh;
	s->adopted = false;
	s->doubt = s->gone = false;
	free(s->why);
	s->why = why;
	for (struct place *p = r->places; p; p = p->next) {
		if (p->source != source)
			continue;
		const char *within = source_name_within(s, p->name);
		p->index = names_before(fresh, within ? within : p->name);
		const char *name = source_name(s, p->index);
		p->gone = !name || strcmp(name, p->name);
	}
}

static void doubt_changed(struct source *s, int dirfd, enum compare compare)
{
	size_t count = catalog_count(s->catalog);
	size_t bad_count =
		compare >= COMPARE_ALL ? catalog_bad_count(s->catalog) : 0;

	if (compare != COMPARE_NOTHING)
		s->doubt |= s->gone || !catalog_is_fresh(s->catalog, dirfd);
	for (size_t i = 0; !s->doubt && i < bad_count; i++) {
		const struct record *bad = source_record(s, count + i);
		s->doubt |= bad && !rescan_is_bad_still(dirfd, bad);
	}
	if (compare == COMPARE_FILES && !s->doubt && s->known)
		s->doubt = known_differs(s->known, dirfd);
}

/* What the host was told of a source last; else what its catalog says. Only a host
 * that is told of changes has it kept. */
static struct known *know_locked(struct source *s, int dirfd)
{
	if (!s->known && !s->gone)
		s->known = known_read(s->catalog, dirfd);
	return s->known;
}

/* Whose changes they are. */
struct changed_source {
	struct dlazy_registry *r;
	size_t source;
};

/* What a name stands for changes if no earlier source has it, too; and it stays if
 * a later one does. */
static void change_locked(void *data, enum dlazy_event_kind kind,
			  const char *name)
{
	const struct changed_source *changed = data;
	struct dlazy_registry *r = changed->r;

	if (!r->sources[changed->source].module)
		name = source_full_name(&r->sources[changed->source], name);
	if (!name || source_is_shadowed(r, changed->source, name))
		return;
	if (source_is_provided_after(r, changed->source, name))
		kind = DLAZY_EVENT_REPLACED;
	changes_add(r, kind, name, place_handed_out(r, name));
}

/* The source is what it is now: notes what has changed for that. */
static void compare_locked(struct dlazy_registry *r, size_t source, int dirfd,
			   struct known *before)
{
	struct changed_source changed = {r, source};
	struct source *s = &r->sources[source];
	struct known *now = s->gone ? NULL : known_read(s->catalog, dirfd);

	if (before)
		known_compare(before, now, s->since_ns, change_locked,
			      &changed);
	else if (now)
		known_each(now, change_locked, &changed);
	s->since_ns = source_now_ns();
	if (r->is_refreshed)
		s->known = now;
	else
		known_free(now);
}

/* A directory that was not there when the host added the one above. */
static void tell_added_locked(struct dlazy_registry *r, size_t source,
			      int dirfd)
{
	compare_locked(r, source, dirfd, NULL);
}

/* What is scanned again without the lock. */
struct doubted {
	char *dir;
	int dirfd;
	const struct catalog
		*old; /* to compare with: another may free it; NULL:
				      there is no need for a new one */
	struct file_identity old_file;
};

static void doubted_clear(struct doubted *doubted)
{
	cleanup_close(&doubted->dirfd);
	free(doubted->dir);
}

/* There is no such directory any more. 1: that is new; else 0. */
static int lose_directory_locked(struct dlazy_registry *r, size_t source)
{
	struct source *s = &r->sources[source];
	_cleanup_known_ struct known *lost = know_locked(s, -1);
	bool news = !s->gone;

	s->known = NULL;
	s->gone = true;
	s->doubt = false;
	status_clear();
	if (news)
		compare_locked(r, source, -1, lost);
	return news;
}

/* Looks whether a source is in doubt. 1: its directory is gone, which is new; 0; or,
 * with message, a state that kept us from looking. */
static int doubt_source_locked(struct dlazy_registry *r, size_t source,
			       enum compare compare, struct doubted *ret)
{
	struct source *s = &r->sources[source];

	if (s->module || (compare == COMPARE_NOTHING && !s->doubt))
		return 0;
	int status = source_open_directory(s->dir, &ret->dirfd);
	if (status_is_state(status))
		return status;
	if (status < 0)
		return lose_directory_locked(r, source);
	if (r->is_refreshed)
		know_locked(s, ret->dirfd);
	doubt_changed(s, ret->dirfd, compare);
	if (!s->doubt)
		return 0;
	know_locked(s, ret->dirfd);
	ret->dir = strdup(s->dir);
	if (!ret->dir)
		return status_no_memory(NULL);
	ret->old = s->catalog;
	ret->old_file = catalog_identity(ret->old);
	return 0;
}

/* Scans a directory again, and takes the new catalog unless another thread has put
 * one there meanwhile. 1, or a status. */
static int rescan_doubted(struct dlazy_registry *r, size_t source,
			  const struct doubted *doubted)
{
	_cleanup_catalog_ struct catalog *fresh = NULL;
	_cleanup_free_ char *why = NULL;
	int status = source_open_catalog(doubted->dirfd, doubted->dir,
					 &doubted->old_file, &fresh, &why);

	if (status < 0)
		return status;
	LOCKED(&registry_lock);
	struct source *s = &r->sources[source];
	if (s->catalog == doubted->old) {
		_cleanup_known_ struct known *before = TAKE_PTR(s->known);

		replace_catalog_locked(r, source, TAKE_PTR(fresh),
				       TAKE_PTR(why));
		compare_locked(r, source, doubted->dirfd, before);
	}
	return 1;
}

/*
 * Scans a directory again, if it is in doubt, also after what is to be compared. 1:
 * there is a new catalog; 0: there is no need for one; or, with message, a state
 * that kept us from looking.
 */
static int refresh_source(struct dlazy_registry *r, size_t source,
			  enum compare compare)
{
	_cleanup_(doubted_clear) struct doubted doubted = {.dirfd = -1};
	int status;
	{
		LOCKED(&registry_lock);
		status = doubt_source_locked(r, source, compare, &doubted);
	}
	return doubted.old ? rescan_doubted(r, source, &doubted) : status;
}

/* Compares the file of a single module with what it was. */
static void look_at_file(struct dlazy_registry *r, size_t source)
{
	struct source *s = &r->sources[source];
	struct changed_source changed = {r, source};

	if (!s->module || !s->module->path[0])
		return;
	uint64_t now = changes_mark(s->module->path);
	if (now == s->mark)
		return;
	change_locked(&changed,
		      !now	 ? DLAZY_EVENT_REMOVED
		      : !s->mark ? DLAZY_EVENT_ADDED
				 : DLAZY_EVENT_REPLACED,
		      s->name);
	s->mark = now;
}

static size_t sources_now(struct dlazy_registry *r)
{
	LOCKED(&registry_lock);
	return r->count;
}

/* Others may be below a directory now. 0 or a status. */
static int refresh_below(struct dlazy_registry *r, size_t source)
{
	_cleanup_free_ char *dir = NULL;
	struct source like;
	{
		LOCKED(&registry_lock);
		const struct source *s = &r->sources[source];

		if (!s->recursive || s->gone)
			return 0;
		like = (struct source){.flags = s->flags, .by = s->by};
		dir = strdup(s->dir);
	}
	if (!dir)
		return status_no_memory(NULL);
	int status = add_below(r, dir, &like, tell_added_locked);
	if (status < 0 && !status_is_state(status)) {
		status_clear(); /* it has gone: the next look says so */
		return 0;
	}
	return status;
}

int rescan_all(struct dlazy_registry *r, enum compare compare)
{
	int all = 0;

	for (size_t i = 0; i < sources_now(r); i++) {
		int changed = refresh_source(r, i, compare);
		int status = changed;

		/* One further down changes no time of this one. */
		if (changed > 0 || (changed == 0 && compare == COMPARE_FILES))
			status = refresh_below(r, i);
		if (status < 0)
			return status;
		all |= changed;
	}
	return all;
}

int registry_look_again(struct dlazy_registry *r, bool all)
{
	return rescan_all(r, all ? COMPARE_ALL : COMPARE_NOTHING);
}

int registry_look(struct dlazy_registry *r)
{
	int status = rescan_all(r, COMPARE_FILES);
	LOCKED(&registry_lock);

	for (size_t i = 0; i < r->count; i++)
		look_at_file(r, i);
	return status < 0 ? status : 0;
}
