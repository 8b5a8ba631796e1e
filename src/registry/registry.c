/* SPDX-License-Identifier: MIT */
/*
 * Finding and walking plugins. Sources stand in the order in which they were
 * added; within a directory the order is the catalog's, by name. A place is a
 * source and an index in it.
 *
 * Two names can be one file (a link), and then one module: the registry
 * borrows it once and remembers its first place, so that a walk ends.
 *
 * What a catalog says is compared with the files before it is given out, where
 * that costs little: a "no" with the directory and the file that is bad, a
 * plugin with its file being there. A source that was found to be wrong, or
 * could not be read, is in doubt: it is scanned again, and asked once more. So
 * find, walk and count answer alike. Scans are done without the lock.
 */
#include "registry/registry.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/event.h"
#include "base/hash.h"
#include "base/nearest.h"
#include "catalog/below.h"
#include "catalog/catalog.h"
#include "catalog/scan.h"
#include "load/loading.h"
#include "ledger/ledger.h"
#include "load/load.h"
#include "load/metadata.h"
#include "load/quarantine.h"
#include "registry/changes.h"
#include "registry/source.h"
#include "registry/watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct lock registry_lock = LOCK_INIT(LOCK_REGISTRY);

static struct dlazy_registry *registries; /* under registry_lock */

/* Catalogs whose records modules use: they stay, as modules do. */
static struct kept {
	struct catalog *catalog;
	struct kept *next;
} * kept;

static void catalog_drop_locked(struct catalog *c, bool keep)
{
	struct kept *entry = keep ? malloc(sizeof(*entry)) : NULL;

	if (!keep)
		catalog_close(c);
	if (!entry)
		return;
	*entry = (struct kept){c, kept};
	kept = entry;
}

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
	struct dlazy_registry *r = calloc(1, sizeof(*r));

	if (!r) {
		status_fail(DLAZY_ENOMEM, "registry: out of memory");
		return NULL;
	}
	r->watch = -1;
	LOCKED(&registry_lock);
	r->next = registries;
	registries = r;
	return r;
}

static void source_clear(struct source *s)
{
	free(s->name);
	free(s->dir);
	free(s->prefix);
	free(s->full);
	free(s->why);
	free(s->modules);
	known_free(s->known);
	map_clear(&s->sonames);
	catalog_drop_locked(s->catalog, s->adopted);
	*s = (struct source){.name = NULL};
}

static void free_changes(struct dlazy_registry *r)
{
	struct change *next, *change = changes_take(r);

	for (; change; change = next) {
		next = change->next;
		free(change);
	}
}

void registry_free(struct dlazy_registry *r)
{
	LOCKED(&registry_lock);
	struct dlazy_registry **at = &registries;

	for (struct cursor_link *c = r->cursors; c; c = c->next)
		c->registry = NULL;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
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

/* ------------------------------------------------------------------ */
/* Places                                                             */

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

static size_t source_count(const struct source *s)
{
	if (s->module)
		return 1;
	return s->gone ? 0 : catalog_count(s->catalog);
}

/* Something of a source's catalog could not be read: it is to be scanned again,
 * unless that is a state of ours, which scanning does not mend. */
static void doubt_unread(struct source *s)
{
	s->doubt |= !status_is_state(status_last());
}

/* The record at an index; NULL, with message: it cannot be read. */
static const struct record *source_record(struct source *s, size_t index)
{
	const struct record *record = catalog_record(s->catalog, index);

	if (!record)
		doubt_unread(s);
	return record;
}

/* The part of a plugin's name that is its name in the source's directory; NULL: it
 * is of another directory. */
static const char *name_within(const struct source *s, const char *name)
{
	size_t n = s->prefix ? strlen(s->prefix) : 0;

	return n && strncmp(name, s->prefix, n) != 0 ? NULL : name + n;
}

/* A name in the source's directory as the registry has it; until the next call.
 * NULL, with message: out of memory. */
static const char *name_with_prefix(struct source *s, const char *name)
{
	char *full;

	if (!s->prefix)
		return name;
	if (asprintf(&full, "%s%s", s->prefix, name) < 0) {
		status_fail(DLAZY_ENOMEM, "%s: out of memory", name);
		return NULL;
	}
	free(s->full);
	return s->full = full;
}

/* The record of a name; NULL: none, or *ret_unknown, with message. */
static const struct record *source_find(struct source *s, const char *name,
					size_t *ret_index, bool *ret_unknown)
{
	name = name_within(s, name);
	if (s->gone || !name)
		return NULL;
	const struct record *record =
		catalog_find(s->catalog, name, ret_index, ret_unknown);
	if (!record && *ret_unknown)
		doubt_unread(s);
	return record;
}

/* The name at a place; NULL: its record cannot be read, or there is none. */
static const char *source_name(struct source *s, size_t index)
{
	if (s->module)
		return s->name;
	if (index >= catalog_count(s->catalog))
		return NULL;
	const struct record *record = source_record(s, index);
	return record ? name_with_prefix(s, record_name(record)) : NULL;
}

/* Whether an earlier source than `end` has a usable plugin of that name. */
static bool is_shadowed(struct dlazy_registry *r, size_t end, const char *name)
{
	for (size_t i = 0; i < end; i++) {
		struct source *s = &r->sources[i];
		bool unknown = false;
		size_t index;

		if (s->module ? !strcmp(s->name, name)
			      : source_find(s, name, &index, &unknown) &&
					index < catalog_count(s->catalog))
			return true;
	}
	return false;
}

/*
 * The registry now has `m`, with one borrow to keep or give back, at a place.
 * false: out of memory.
 */
static bool place_module_locked(struct dlazy_registry *r,
				struct dlazy_module *m, const char *name,
				size_t source, size_t index)
{
	struct place *place = map_get(&r->by_module, map_pointer_key(m));
	_cleanup_free_ char *own_name = strdup(name);
	struct place new = {.module = m,
			    .source = source,
			    .index = index,
			    .shadowed = is_shadowed(r, source, name)};

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

/* ------------------------------------------------------------------ */
/* Adding                                                             */

/* Coarse, as files have it: what is written later is not earlier than this. */
static uint64_t now_of_files(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int add_source_locked(struct dlazy_registry *r, struct source *s,
			     size_t *ret)
{
	if (!array_reserve(&r->sources, r->count, &r->room,
			   sizeof(*r->sources)))
		return status_fail(DLAZY_ENOMEM, "registry: out of memory");
	if (s->name && !map_get(&r->by_name, hash_string(s->name)) &&
	    !map_put(&r->by_name, hash_string(s->name),
		     (void *)(uintptr_t)(r->count + 1)))
		return status_fail(DLAZY_ENOMEM, "registry: out of memory");
	*ret = r->count;
	s->since_ns = now_of_files();
	if (s->module && s->module->path[0])
		s->mark = changes_mark(s->module->path);
	r->sources[r->count++] = *s;
	*s = (struct source){.name = NULL};
	return 0;
}

/* Adds a module, borrowed for this, under a name. */
static int add_module(struct dlazy_registry *r, struct dlazy_module *m,
		      const char *name, int flags)
{
	struct source s = {.name = strdup(name), .module = m, .flags = flags};
	size_t source;
	int status = -DLAZY_ENOMEM;
	{
		LOCKED(&registry_lock);
		if (s.name)
			status = add_source_locked(r, &s, &source);
		if (status == 0) {
			if (place_module_locked(r, m, name, source, 0))
				return 0;
			s = r->sources[--r->count];
		}
	}
	source_clear(&s);
	module_return(m);
	return status_fail(DLAZY_ENOMEM, "%s: out of memory", name);
}

/* A failed load is remembered by the module, and no failure of declaring. */
static void load_early(struct dlazy_module *m, const void *by)
{
	struct touch touch = {.caller = by};
	struct load_handle loaded;

	if (load_module(m, &touch, &loaded) == 0)
		load_promote(m);
	load_release(&loaded);
}

static bool wants_early(int flags)
{
	return flags & DLAZY_EAGER || module_flags_global(flags) ||
	       module_mode() != MODULE_LAZY;
}

int registry_add_file(struct dlazy_registry *r, const char *name,
		      const char *path, int flags, const void *by)
{
	struct module_declaration declaration = {
		.name = name, .path = path, .flags = flags, .by = by};
	_cleanup_free_ char *own_name = NULL;
	struct dlazy_module *m;
	int status = module_declare(&declaration, true, &m, NULL);

	if (status < 0)
		return status;
	if (!name)
		name = own_name = record_plugin_name(file_base_name(path));
	if (!name) {
		module_return(m);
		return status_fail(DLAZY_ENOMEM, "%s: out of memory", path);
	}
	status = add_module(r, m, name, flags);
	if (status == 0 && wants_early(flags)) {
		struct touch touch = {.caller = by};
		struct load_handle loaded;

		status = load_module(m, &touch, &loaded);
		load_release(&loaded);
	}
	return status < 0 ? status : load_promote(m);
}

int registry_add_builtin(struct dlazy_registry *r, const char *name,
			 const struct dlazy_symbol *symbols, size_t n,
			 const void *by)
{
	struct dlazy_module *m;
	int status = module_declare_builtin(name, symbols, n, by, &m);

	return status < 0 ? status : add_module(r, m, name, 0);
}

static bool is_file_of(const struct catalog *c, const struct file_identity *but)
{
	struct file_identity own = catalog_identity(c);

	return own.ino && file_identity_equal(&own, but);
}

/* The catalog of a directory: a fresh one, of another file than `but`, or of a
 * scan made now; *ret_why says why it had to be made. */
static int open_catalog(int dirfd, const char *dir,
			const struct file_identity *but, struct catalog **ret,
			char **ret_why)
{
	struct scan_options options = {.metadata = metadata_scan};
	int status = catalog_open(dirfd, dir, ret);

	if (status == 0 && but && is_file_of(*ret, but)) {
		catalog_close(TAKE_PTR(*ret));
		status = status_fail(DLAZY_EFORMAT,
				     "its catalog is damaged, or does not know "
				     "its files as they are");
	}
	if (status == 0)
		return 0;
	*ret_why = strdup(status_message());
	if (!*ret_why)
		return status_fail(DLAZY_ENOMEM, "%s: out of memory", dir);
	status_clear();
	return scan_directory(dirfd, dir, &options, NULL, ret);
}

static int open_directory(const char *dir, int *ret)
{
	*ret = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret >= 0)
		return 0;
	return status_fail(status_from_errno(errno), "%s: cannot open: %s", dir,
			   strerror(errno));
}

static struct dlazy_module *module_at_locked(struct dlazy_registry *r,
					     size_t source, size_t index);

/* DLAZY_EAGER: loads what a directory declares. */
static void load_directory(struct dlazy_registry *r, size_t source,
			   const void *by)
{
	for (size_t i = 0;; i++) {
		struct dlazy_module *m = NULL;
		{
			LOCKED(&registry_lock);
			struct source *s = &r->sources[source];
			const char *name = source_name(s, i);

			if (i >= source_count(s))
				return;
			if (name && !is_shadowed(r, source, name))
				m = module_at_locked(r, source, i);
		}
		if (m)
			load_early(m, by);
	}
}

static int compare_entries(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int select_plugins(const struct dirent *entry)
{
	return scan_is_plugin_name(entry->d_name);
}

/* DLAZY=off: as without this library, a dlopen for each file. */
static int add_each_file(struct dlazy_registry *r, const char *dir,
			 const char *prefix, int flags, const void *by)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, select_plugins, compare_entries);

	if (n < 0)
		return status_fail(status_from_errno(errno), "%s: %s", dir,
				   strerror(errno));
	for (int i = 0; i < n; i++) {
		_cleanup_free_ char *path = NULL, *full = NULL;
		_cleanup_free_ char *name =
			record_plugin_name(entries[i]->d_name);

		if (name && asprintf(&full, "%s%s", prefix, name) < 0)
			full = NULL;
		if (asprintf(&path, "%s/%s", dir, entries[i]->d_name) < 0)
			path = NULL;
		if (path && full)
			registry_add_file(r, full, path, flags, by);
		free(entries[i]);
	}
	free(entries);
	return 0;
}

/* One directory, whose plugins' names get a prefix. */
static int add_directory(struct dlazy_registry *r, const char *dir,
			 const struct source *like, const char *prefix)
{
	_cleanup_(source_clear) struct source s = {.flags = like->flags,
						   .by = like->by,
						   .recursive =
							   like->recursive};
	_cleanup_close_ int dirfd = -1;
	size_t source;
	int status = open_directory(dir, &dirfd);

	if (status < 0)
		return status;
	if (module_mode() == MODULE_OFF)
		return add_each_file(r, dir, prefix, s.flags, s.by);
	s.dir = strdup(dir);
	s.prefix = *prefix ? strdup(prefix) : NULL;
	if (!s.dir || (*prefix && !s.prefix))
		return status_fail(DLAZY_ENOMEM, "%s: out of memory", dir);
	status = open_catalog(dirfd, dir, NULL, &s.catalog, &s.why);
	if (status < 0)
		return status;
	{
		LOCKED(&registry_lock);
		status = add_source_locked(r, &s, &source);
		/* A refresh will say so if it cannot be. */
		if (status == 0 && r->watch >= 0 &&
		    watch_directory(r->watch, dir) < 0)
			status_clear();
	}
	if (status == 0)
		ledger_declare(dir);
	if (status == 0 && wants_early(like->flags))
		load_directory(r, source, like->by);
	return status;
}

static bool has_directory(struct dlazy_registry *r, const char *dir,
			  const char *prefix)
{
	LOCKED(&registry_lock);
	for (size_t i = 0; i < r->count; i++) {
		const struct source *s = &r->sources[i];

		if (s->dir && !strcmp(s->dir, dir) && s->prefix &&
		    !strcmp(s->prefix, prefix))
			return true;
	}
	return false;
}

/* Those below a directory that have plugins and are not there yet. One that has gone
 * meanwhile, or may not be read, is passed over. */
static int add_below(struct dlazy_registry *r, const char *dir,
		     const struct source *like)
{
	_cleanup_(below_free) struct below below = {.paths = NULL};
	size_t n = strcmp(dir, "/") ? strlen(dir) + 1 : 1;
	int status = below_add(&below, dir);

	for (size_t i = 0; status == 0 && i < below.count; i++) {
		_cleanup_free_ char *prefix = NULL;

		if (strlen(below.paths[i]) < n)
			continue; /* itself */
		if (asprintf(&prefix, "%s/", below.paths[i] + n) < 0) {
			prefix = NULL;
			return status_fail(DLAZY_ENOMEM, "out of memory");
		}
		if (has_directory(r, below.paths[i], prefix))
			continue;
		status = add_directory(r, below.paths[i], like, prefix);
		if (status == -DLAZY_ENOMEM)
			return status;
		if (status < 0)
			status_clear();
		status = 0;
	}
	return status;
}

int registry_add_dir(struct dlazy_registry *r, const char *dir, int flags,
		     const void *by)
{
	struct source like = {.flags = flags & ~DLAZY_RECURSIVE,
			      .by = by,
			      .recursive = flags & DLAZY_RECURSIVE};
	int status = add_directory(r, dir, &like, "");

	like.recursive = false;
	return status == 0 && flags & DLAZY_RECURSIVE ? add_below(r, dir, &like)
						      : status;
}

/* ------------------------------------------------------------------ */
/* Modules of a directory                                             */

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

/* Whether a file that the catalog has as bad is so still. One that could not be
 * read then has no identity: it is in doubt each time. */
static bool is_bad_still(int dirfd, const struct record *bad)
{
	struct file_identity now;
	bool same = file_identify(dirfd, record_file(bad), &now) == 0 &&
		    record_is_current(bad, dirfd, &now);

	status_clear();
	return same;
}

/* A "no" about a name is to be given out: is it still one? */
static void doubt_bad(struct source *s, const struct record *bad)
{
	_cleanup_close_ int dirfd = -1;

	s->doubt |= open_directory(s->dir, &dirfd) == 0 &&
		    !is_bad_still(dirfd, bad);
}

/* The same about a name that the catalog does not have, as times alone cannot
 * tell that it is whole: chmod -R makes it younger than its directory. */
static void doubt_absent(struct source *s, const char *name)
{
	_cleanup_free_ char *path = NULL;
	struct stat st;

	name = name_within(s, name);
	if (s->gone || !name || strchr(name, '/') ||
	    asprintf(&path, "%s/%s.so", s->dir, name) < 0)
		path = NULL;
	s->doubt |= path && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* The module of a record, made now if need be; NULL with message. */
static struct dlazy_module *module_at_locked(struct dlazy_registry *r,
					     size_t source, size_t index)
{
	struct source *s = &r->sources[source];
	_cleanup_free_ char *path = NULL;
	struct dlazy_module *m;
	bool adopted;

	if (s->module)
		return s->module;
	if (s->modules && s->modules[index])
		return is_still_there(s, s->modules[index]) ? s->modules[index]
							    : NULL;
	const struct record *record = source_record(s, index);
	if (!record)
		return NULL;
	if (!s->modules)
		s->modules = calloc(catalog_count(s->catalog) +
					    catalog_bad_count(s->catalog),
				    sizeof(*s->modules));
	if (!s->modules ||
	    asprintf(&path, "%s/%s", s->dir, record_file(record)) < 0) {
		path = NULL;
		status_fail(DLAZY_ENOMEM, "%s: out of memory", s->dir);
		return NULL;
	}
	const char *name = name_with_prefix(s, record_name(record));
	if (!name)
		return NULL;
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
	if (!place_module_locked(r, m, name, source, index)) {
		module_return(m);
		status_fail(DLAZY_ENOMEM, "%s: out of memory", s->dir);
		return NULL;
	}
	s->modules[index] = m;
	return m;
}

/* How many names of a catalog come before `name`. */
static size_t names_before(struct catalog *c, const char *name)
{
	size_t low = 0, high = catalog_count(c);

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct record *record = catalog_record(c, middle);

		if (record && strcmp(record_name(record), name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Takes a new catalog in place of the old one; places move with it. */
static void replace_catalog_locked(struct dlazy_registry *r, size_t source,
				   struct catalog *fresh, char *why)
{
	struct source *s = &r->sources[source];

	free(TAKE_PTR(s->modules));
	catalog_drop_locked(s->catalog, s->adopted);
	s->catalog = fresh;
	map_clear(&s->sonames);
	s->has_sonames = false;
	s->adopted = false;
	s->doubt = s->gone = false;
	free(s->why);
	s->why = why;
	for (struct place *p = r->places; p; p = p->next) {
		if (p->source != source)
			continue;
		const char *within = name_within(s, p->name);
		p->index = names_before(fresh, within ? within : p->name);
		const char *name = source_name(s, p->index);
		p->gone = !name || strcmp(name, p->name);
	}
}

/* How much of a source is compared with what is there now. */
enum compare {
	COMPARE_NOTHING,   /* it is refreshed if it is in doubt */
	COMPARE_DIRECTORY, /* what was added, and what was removed */
	COMPARE_ALL,	   /* and files that were bad */
	COMPARE_FILES,	   /* and each file with what was known of it */
};

static void doubt_changed(struct source *s, int dirfd, enum compare compare)
{
	size_t count = catalog_count(s->catalog);
	size_t bad_count =
		compare >= COMPARE_ALL ? catalog_bad_count(s->catalog) : 0;

	if (compare != COMPARE_NOTHING)
		s->doubt |= s->gone || !catalog_is_fresh(s->catalog, dirfd);
	for (size_t i = 0; !s->doubt && i < bad_count; i++) {
		const struct record *bad = source_record(s, count + i);
		s->doubt |= bad && !is_bad_still(dirfd, bad);
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

static bool is_provided_after(struct dlazy_registry *r, size_t source,
			      const char *name)
{
	for (size_t i = source + 1; i < r->count; i++) {
		struct source *s = &r->sources[i];
		bool unknown = false;
		size_t index;

		if (s->module ? !strcmp(s->name, name)
			      : source_find(s, name, &index, &unknown) &&
					index < catalog_count(s->catalog))
			return true;
	}
	return false;
}

/* The module of that name that was handed out last; NULL: none. */
static struct dlazy_module *handed_out(const struct dlazy_registry *r,
				       const char *name)
{
	for (const struct place *p = r->places; p; p = p->next)
		if (!strcmp(p->name, name))
			return p->module;
	return NULL;
}

/* What a name stands for changes if no earlier source has it, too; and it stays if
 * a later one does. */
static void change_locked(void *data, enum dlazy_event_kind kind,
			  const char *name)
{
	const struct changed_source *changed = data;
	struct dlazy_registry *r = changed->r;

	if (!r->sources[changed->source].module)
		name = name_with_prefix(&r->sources[changed->source], name);
	if (!name || is_shadowed(r, changed->source, name))
		return;
	if (is_provided_after(r, changed->source, name))
		kind = DLAZY_EVENT_REPLACED;
	changes_add(r, kind, name, handed_out(r, name));
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
	s->since_ns = now_of_files();
	if (r->is_refreshed)
		s->known = now;
	else
		known_free(now);
}

/*
 * Scans a directory again, if it is in doubt, also after what is to be compared. 1:
 * there is a new catalog; 0: there is no need for one; or, with message, a state
 * that kept us from looking.
 */
static int refresh_source(struct dlazy_registry *r, size_t source,
			  enum compare compare)
{
	_cleanup_catalog_ struct catalog *fresh = NULL;
	_cleanup_free_ char *dir = NULL, *why = NULL;
	_cleanup_close_ int dirfd = -1;
	const struct catalog *old; /* to compare with: another may free it */
	struct file_identity old_file;
	{
		LOCKED(&registry_lock);
		struct source *s = &r->sources[source];

		if (s->module || (compare == COMPARE_NOTHING && !s->doubt))
			return 0;
		int status = open_directory(s->dir, &dirfd);
		if (status_is_state(status))
			return status;
		if (status < 0) {
			bool news = !s->gone;
			_cleanup_known_ struct known *lost = know_locked(s, -1);
			s->known = NULL;
			s->gone = true;
			s->doubt = false;
			status_clear();
			if (news)
				compare_locked(r, source, -1, lost);
			return news;
		}
		if (r->is_refreshed)
			know_locked(s, dirfd);
		doubt_changed(s, dirfd, compare);
		if (!s->doubt)
			return 0;
		know_locked(s, dirfd);
		old = s->catalog;
		old_file = catalog_identity(old);
		dir = strdup(s->dir);
	}
	if (!dir)
		return status_fail(DLAZY_ENOMEM, "out of memory");
	int status = open_catalog(dirfd, dir, &old_file, &fresh, &why);
	if (status < 0)
		return status;
	LOCKED(&registry_lock);
	struct source *s = &r->sources[source];
	if (s->catalog == old) {
		_cleanup_known_ struct known *before = TAKE_PTR(s->known);

		replace_catalog_locked(r, source, TAKE_PTR(fresh),
				       TAKE_PTR(why));
		compare_locked(r, source, dirfd, before);
	}
	return 1;
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

/* A directory has changed: others may be below it now. 1 or a status. */
static int refresh_below(struct dlazy_registry *r, size_t source)
{
	_cleanup_free_ char *dir = NULL;
	struct source like;
	{
		LOCKED(&registry_lock);
		const struct source *s = &r->sources[source];

		if (!s->recursive || s->gone)
			return 1;
		like = (struct source){.flags = s->flags, .by = s->by};
		dir = strdup(s->dir);
	}
	if (!dir)
		return status_fail(DLAZY_ENOMEM, "out of memory");
	int status = add_below(r, dir, &like);
	return status < 0 ? status : 1;
}

/* As refresh_source(), for all; 1 if one of them has a new catalog. */
static int refresh_all(struct dlazy_registry *r, enum compare compare)
{
	int all = 0;

	for (size_t i = 0; i < sources_now(r); i++) {
		int status = refresh_source(r, i, compare);
		if (status > 0)
			status = refresh_below(r, i);
		if (status < 0)
			return status;
		all |= status;
	}
	return all;
}

int registry_look_again(struct dlazy_registry *r, bool all)
{
	return refresh_all(r, all ? COMPARE_ALL : COMPARE_NOTHING);
}

int registry_look(struct dlazy_registry *r)
{
	int status = refresh_all(r, COMPARE_FILES);
	LOCKED(&registry_lock);

	for (size_t i = 0; i < r->count; i++)
		look_at_file(r, i);
	return status < 0 ? status : 0;
}

/* ------------------------------------------------------------------ */
/* Finding                                                            */

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
		return module_at_locked(r, source, index);
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

/* How often a source may turn out to be wrong again while it is looked at. */
#define LOOKS 4

static struct dlazy_module *find_module(struct dlazy_registry *r,
					const char *name)
{
	int status = 1;

	for (int looks = 0;; looks++) {
		{
			LOCKED(&registry_lock);
			struct dlazy_module *m =
				find_locked(r, name, looks == 0);
			if (m || status <= 0 || looks == LOOKS)
				return m;
		}
		/* The first time a "no" is compared with what is there. */
		status = refresh_all(r, looks == 0 ? COMPARE_DIRECTORY
						   : COMPARE_NOTHING);
		if (status < 0)
			return NULL;
	}
}

/* ------------------------------------------------------------------ */
/* Interfaces                                                         */

int registry_interface(struct dlazy_registry *r, const char *name,
		       unsigned major, unsigned minor)
{
	struct interface offered = {strdup(name), major, minor};
	LOCKED(&registry_lock);

	if (offered.name &&
	    array_reserve(&r->interfaces, r->interface_count,
			  &r->interface_room, sizeof(*r->interfaces))) {
		r->interfaces[r->interface_count++] = offered;
		return 0;
	}
	free(offered.name);
	return status_fail(DLAZY_ENOMEM, "registry: out of memory");
}

static bool offers_any(struct dlazy_registry *r)
{
	LOCKED(&registry_lock);
	return r->interface_count > 0;
}

bool interface_offered(const struct interface *interfaces, size_t count,
		       const char *wanted)
{
	const char *slash = strrchr(wanted, '/');
	size_t n = slash ? (size_t)(slash - wanted) : 0;
	bool is_known = false;
	unsigned major, minor;

	if (!slash || sscanf(slash, "/%u.%u", &major, &minor) != 2)
		return true;
	for (size_t i = 0; i < count; i++) {
		const struct interface *offered = &interfaces[i];

		if (strlen(offered->name) != n ||
		    memcmp(offered->name, wanted, n) != 0)
			continue;
		if (offered->major == major && offered->minor >= minor)
			return true;
		is_known = true;
	}
	return !is_known;
}

static bool is_offered(struct dlazy_registry *r, const char *wanted)
{
	LOCKED(&registry_lock);
	return interface_offered(r->interfaces, r->interface_count, wanted);
}

/* What a catalog has of a module, to be used without the lock. */
struct said {
	char *dir;
	struct catalog_metadata *metadata; /* NULL: nothing */
	uint64_t placed_ns;
};

static void said_clear(struct said *said)
{
	free(said->dir);
	free(said->metadata);
}

/* Whether this registry's catalog says something of it. 0, or negative. */
static int copy_said_locked(struct dlazy_registry *r,
			    const struct dlazy_module *m, struct said *ret)
{
	const struct place *p = map_get(&r->by_module, map_pointer_key(m));
	struct source *s = p && !p->gone ? &r->sources[p->source] : NULL;
	const struct catalog_metadata *metadata = NULL;

	if (!s || s->module || s->gone)
		return 0;
	int status = catalog_metadata(s->catalog, p->index, &metadata);
	if (status < 0 && !status_is_state(status)) {
		s->doubt = true;
		status_clear();
	}
	if (!metadata)
		return status_is_state(status) ? status : 0;
	ret->dir = strdup(s->dir);
	ret->metadata = malloc(metadata_size(metadata));
	ret->placed_ns = catalog_identity(s->catalog).ctime_ns;
	if (!ret->dir || !ret->metadata)
		return status_fail(DLAZY_ENOMEM, "out of memory");
	memcpy(ret->metadata, metadata, metadata_size(metadata));
	return 0;
}

static int copy_said(const struct dlazy_module *m, struct said *ret)
{
	int status = 0;
	LOCKED(&registry_lock);

	for (struct dlazy_registry *r = registries;
	     r && status == 0 && !ret->metadata; r = r->next)
		status = copy_said_locked(r, m, ret);
	return status;
}

int registry_metadata(struct dlazy_module *m, const struct document **ret)
{
	_cleanup_(said_clear) struct said said = {.dir = NULL};
	_cleanup_free_ struct catalog_metadata *fresh = NULL;
	int status = copy_said(m, &said);

	*ret = NULL;
	if (status < 0)
		return status;
	if (!said.metadata)
		return metadata_of_module(m, ret);
	if (metadata_is_current(said.dir, said.metadata, said.placed_ns))
		return metadata_of_catalog(m, said.metadata, ret);
	status = metadata_again(said.dir, file_base_name(m->path),
				said.metadata, &fresh);
	return status < 0 || !fresh ? status
				    : metadata_of_catalog(m, fresh, ret);
}

static int check_interface(struct dlazy_registry *r, struct dlazy_module *m)
{
	const struct document *document;
	int status = registry_metadata(m, &document);

	if (status_is_state(status))
		return status;
	const char *wanted =
		document ? document_property(document, "interface") : NULL;
	/* What it says cannot be read, so it says nothing. */
	if (status < 0)
		status_clear();
	if (!wanted || is_offered(r, wanted))
		return 0;
	return status_fail(DLAZY_EINTERFACE,
			   "%s: made for the interface %s, which this program "
			   "does not offer",
			   m->name, wanted);
}

struct dlazy_module *registry_find(struct dlazy_registry *r, const char *name)
{
	struct dlazy_module *m = find_module(r, name);

	if (m && offers_any(r) && check_interface(r, m) < 0)
		return NULL;
	return m;
}

struct dlazy_module *registry_find_in(struct dlazy_registry *r, size_t source,
				      const char *name)
{
	struct dlazy_module *m = NULL;

	for (int looks = 0; !m && looks < LOOKS; looks++) {
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
		if (!m && (!doubt || refresh_all(r, COMPARE_NOTHING) <= 0))
			return NULL;
	}
	if (m && offers_any(r) && check_interface(r, m) < 0)
		return NULL;
	return m;
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

struct dlazy_registry *registry_that_has(const struct dlazy_module *m,
					 const struct dlazy_registry *after)
{
	LOCKED(&registry_lock);
	struct dlazy_registry *r = after ? after->next : registries;

	while (r && !map_get(&r->by_module, map_pointer_key(m)))
		r = r->next;
	return r;
}

struct dlazy_module *registry_find_quietly(struct dlazy_registry *r,
					   const char *name)
{
	struct dlazy_module *m = find_module(r, name);

	if (!m && !status_is_state(status_last()))
		status_clear();
	return m;
}

/* Most plugins have no SONAME: what has one is noted when it is first asked for. */
static void note_sonames_locked(struct source *s)
{
	size_t n = s->has_sonames ? 0 : source_count(s);

	for (size_t i = 0; i < n; i++) {
		const struct record *record = source_record(s, i);
		const char *soname = record ? record_soname(record) : "";

		if (*soname && !map_get(&s->sonames, hash_string(soname)))
			map_put(&s->sonames, hash_string(soname),
				(void *)(uintptr_t)(i + 1));
	}
	status_clear();
	s->has_sonames = true;
}

static struct dlazy_module *find_soname_locked(struct dlazy_registry *r,
					       size_t source,
					       const char *soname)
{
	struct source *s = &r->sources[source];

	if (s->module)
		return module_has_soname(s->module, soname) ? s->module : NULL;
	if (s->gone)
		return NULL;
	note_sonames_locked(s);
	size_t found = (uintptr_t)map_get(&s->sonames, hash_string(soname));
	const struct record *record =
		found ? source_record(s, found - 1) : NULL;
	return record && !strcmp(record_soname(record), soname)
		       ? module_at_locked(r, source, found - 1)
		       : NULL;
}

struct dlazy_module *registry_find_soname(struct dlazy_registry *r,
					  const char *soname)
{
	LOCKED(&registry_lock);
	struct dlazy_module *m = NULL;

	for (size_t i = 0; i < r->count && !m; i++)
		m = find_soname_locked(r, i, soname);
	return m;
}

/* ------------------------------------------------------------------ */
/* What its plugins say                                               */

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
		m = name ? handed_out(r, name) : NULL;
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
			n += name && !is_shadowed(r, i, name);
		}
	}
	return n;
}

size_t registry_count(struct dlazy_registry *r)
{
	enum compare compare = COMPARE_ALL;
	size_t n = 0;

	for (int looks = 0; looks < LOOKS; looks++) {
		int status = refresh_all(r, compare);
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

	if (name && is_shadowed(r, source, name))
		return NULL;
	if (name)
		m = module_at_locked(r, source, index);
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
	if (!after && refresh_all(r, COMPARE_ALL) < 0)
		status_clear();
	for (int looks = 0;; looks++) {
		{
			LOCKED(&registry_lock);
			struct dlazy_module *m =
				next_locked(r, after, skip, &doubt);
			if (m || !doubt)
				return m;
		}
		int status = refresh_all(r, COMPARE_NOTHING);
		if (status < 0)
			return NULL;
		skip = status == 0 || looks == LOOKS;
	}
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
