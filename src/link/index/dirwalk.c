/* SPDX-License-Identifier: MIT */
/*
 * Walking the directories. A directory that has not changed is not listed
 * again; each file is stat'ed.
 *
 * A change within a clock tick after a look leaves the times as they were. So
 * the identity of a file that changed just before the walk is not kept, and
 * the next walk looks again.
 *
 * Only facts are found: what is not there, what it is, and what is not for us to
 * read. Where anything else keeps us from looking, the walk fails.
 *
 * Symbolic links to files are followed, as programs and libraries are found
 * through them; links to directories are not, nor is another file system gone
 * into.
 */
#include "link/index/dirwalk.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/status.h"
#include "link/index/facts.h"
#include "link/index/listing.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DEPTH_MAX 40

/* No file is so large, and none has no time. */
struct file_identity dirwalk_denied(const struct file_identity *identity)
{
	return (struct file_identity){
		.dev = identity->dev, .ino = identity->ino, .size = UINT64_MAX};
}

static bool is_denied(const struct file_identity *identity)
{
	return identity->size == UINT64_MAX && identity->ctime_ns == 0;
}

/* What a failed look at a path is: 0: nothing is there (and if it is not for us
 * to see, *ret_denied); or a state. */
static int absent(const char *path, bool *ret_denied)
{
	int error = errno, status = status_from_errno(error);

	*ret_denied = error == EACCES && facts_denied(path, false);
	if (*ret_denied || !status_is_state(-status))
		return 0;
	return status_fail(status, "%s: %s", path, strerror(error));
}

struct file_identity dirwalk_settled(const struct dirwalk *walk,
				     const struct file_identity *identity)
{
	if (is_denied(identity) ||
	    file_time_is_past(identity->ctime_ns, walk->start_ns))
		return *identity;
	return (struct file_identity){.dev = identity->dev,
				      .ino = identity->ino};
}

static struct file_identity directory_identity(const struct stat *st)
{
	struct file_identity identity = file_identity_of(st);

	identity.size = 0;
	return identity;
}

/* All 0 where there is none; errno says why. */
static struct table_place look_at_place(const char *place)
{
	struct stat st;

	errno = ENOTDIR;
	if (stat(place, &st) < 0 || !S_ISDIR(st.st_mode))
		return (struct table_place){0};
	return (struct table_place){.dev = st.st_dev, .ino = st.st_ino};
}

/* ------------------------------------------------------------------ */

static bool places_are_current(const struct tables *t, char *const *places)
{
	size_t n = 0;

	for (; places[n]; n++) {
		const struct table_place *kept = &t->places[n];

		if (n == t->place_count ||
		    strcmp(t->strings + kept->path, places[n]) != 0)
			return false;
		struct table_place now = look_at_place(places[n]);
		if (now.dev != kept->dev || now.ino != kept->ino)
			return false;
	}
	return n == t->place_count;
}

static bool directory_is_current(const struct tables *t,
				 const struct table_directory *d)
{
	struct stat st;

	if (is_denied(&d->identity))
		return facts_denied(t->strings + d->path, true);
	if (lstat(t->strings + d->path, &st) < 0)
		return false;
	struct file_identity identity = directory_identity(&st);
	return file_identity_equal(&identity, &d->identity);
}

static bool entry_is_current(const struct tables *t,
			     const struct table_entry *e)
{
	char path[PATH_MAX];
	struct stat st;
	int n = snprintf(path, sizeof(path), "%s/%s",
			 t->strings + t->directories[e->directory].path,
			 t->strings + e->name);

	if (n < 0 || (size_t)n >= sizeof(path))
		return false;
	if (is_denied(&e->identity))
		return facts_denied(path, false);
	if (stat(path, &st) < 0)
		return false;
	struct file_identity identity = file_identity_of(&st);
	return file_identity_equal(&identity, &e->identity);
}

bool dirwalk_is_current(const struct tables *t, char *const *places)
{
	if (!places_are_current(t, places))
		return false;
	for (size_t i = 0; i < t->directory_count; i++)
		if (!directory_is_current(t, &t->directories[i]))
			return false;
	for (size_t i = 0; i < t->entry_count; i++)
		if (!entry_is_current(t, &t->entries[i]))
			return false;
	return true;
}

/* ------------------------------------------------------------------ */

static void *to_value(size_t i)
{
	return (void *)(uintptr_t)(i + 1);
}

/* false: there is none. */
static bool from_value(const void *value, uint32_t *ret)
{
	*ret = value ? (uint32_t)(uintptr_t)value - 1 : TABLES_NONE;
	return value != NULL;
}

static uint64_t identity_hash(const struct file_identity *identity)
{
	return hash_bytes(identity, sizeof(*identity));
}

static uint64_t inode_hash(const struct stat *st)
{
	const uint64_t key[2] = {st->st_dev, st->st_ino};

	return hash_bytes(key, sizeof(key));
}

static bool index_former(struct dirwalk *w)
{
	const struct tables *t = w->former;

	for (size_t i = 0; t && i < t->entry_count; i++)
		if (t->entries[i].identity.ctime_ns &&
		    !map_put(&w->known, identity_hash(&t->entries[i].identity),
			     to_value(i)))
			return false;
	return true;
}

/* An entry of a file that is as it was, or TABLES_NONE. */
static uint32_t find_former(const struct dirwalk *w,
			    const struct file_identity *identity)
{
	uint32_t entry;

	if (!from_value(map_get(&w->known, identity_hash(identity)), &entry) ||
	    !file_identity_equal(&w->former->entries[entry].identity, identity))
		return TABLES_NONE;
	return entry;
}

/* The directory of that name below a former one (or TABLES_NONE). */
static uint32_t former_below(const struct dirwalk *w, uint32_t former,
			     const char *name)
{
	const struct tables *t = w->former;

	if (former == TABLES_NONE)
		return TABLES_NONE;
	for (uint32_t i = former + 1; i < t->directories[former].end;
	     i = t->directories[i].end)
		if (!strcmp(file_base_name(t->strings + t->directories[i].path),
			    name))
			return i;
	return TABLES_NONE;
}

static uint32_t former_root(const struct dirwalk *w, const char *path)
{
	const struct tables *t = w->former;

	for (uint32_t i = 0; w->recall && i < t->directory_count;
	     i = t->directories[i].end)
		if (!strcmp(t->strings + t->directories[i].path, path))
			return i;
	return TABLES_NONE;
}

static bool former_is(const struct dirwalk *w, uint32_t former,
		      const struct file_identity *identity)
{
	return former != TABLES_NONE &&
	       file_identity_equal(&w->former->directories[former].identity,
				   identity);
}

/* ------------------------------------------------------------------ */

/* The file that a name stands for; made if the name is its first. */
static int find_file(struct dirwalk *w, const struct stat *st, uint32_t *ret)
{
	struct dirwalk_file file = {.identity = file_identity_of(st),
				    .entry = (uint32_t)w->draft.entry_count};
	uint64_t inode = inode_hash(st);

	if (from_value(map_get(&w->seen, inode), ret))
		return 0;
	file.former = find_former(w, &file.identity);
	if (!array_reserve(&w->files, w->count, &w->room, sizeof(file)) ||
	    !map_put(&w->seen, inode, to_value(w->count)))
		return status_no_memory("machine");
	*ret = (uint32_t)w->count;
	w->files[w->count++] = file;
	return 0;
}

static int visit_file(struct dirwalk *w, uint32_t directory,
		      const struct listed *listed, const struct stat *st)
{
	struct table_entry entry = {.directory = directory,
				    .link = listed->kind == LISTED_LINK};
	uint32_t number = (uint32_t)w->draft.entry_count;
	int status = find_file(w, st, &entry.elf);

	if (status < 0)
		return status;
	if (!draft_string(&w->draft, listed->name, &entry.name) ||
	    !draft_entry(&w->draft, &entry))
		return status_no_memory("machine");
	w->draft.directories[directory].entries.count++;
	struct dirwalk_file *file = &w->files[entry.elf];
	if (!entry.link && w->draft.entries[file->entry].link)
		file->entry = number;
	return 0;
}

/*
 * Files that are never loaded: Python's byte code, and debugging information.
 */
static bool is_left_out(const char *path)
{
	return !strcmp(file_base_name(path), "__pycache__") ||
	       !strcmp(path, "/usr/lib/debug");
}

/* The directory at hand: a path that is built on. */
struct visit {
	char path[PATH_MAX];
	dev_t dev; /* of the place */
	bool flat; /* nothing below it */
	int depth;
};

static int visit_directory(struct dirwalk *w, struct visit *v, uint32_t former);

/* Builds on the path; what is too long, nobody can open. */
static bool enter(struct visit *v, size_t n, const char *name)
{
	if (n + 1 + strlen(name) >= sizeof(v->path))
		return false;
	snprintf(v->path + n, sizeof(v->path) - n, "%s%s",
		 strcmp(v->path, "/") != 0 ? "/" : "", name);
	return true;
}

/* A file system that does not say of which kind a name is tells it here, before
 * any is visited: files come first. What fails now fails for the file, too. */
static void settle_kinds(struct visit *v, struct listing *listing)
{
	size_t n = strlen(v->path);
	struct stat st;

	for (size_t i = 0; i < listing->count; i++) {
		struct listed *listed = &listing->list[i];

		if (listed->kind != LISTED_UNKNOWN)
			continue;
		listed->kind = LISTED_FILE;
		if (enter(v, n, listed->name) && lstat(v->path, &st) == 0) {
			if (S_ISDIR(st.st_mode))
				listed->kind = LISTED_DIRECTORY;
			else if (S_ISLNK(st.st_mode))
				listed->kind = LISTED_LINK;
		}
		v->path[n] = '\0';
	}
}

/* What is not a directory. */
static int visit_other(struct dirwalk *w, struct visit *v, uint32_t directory,
		       const struct listed *listed)
{
	struct stat st = {.st_dev = 0};
	bool denied;

	if (stat(v->path, &st) == 0)
		return S_ISREG(st.st_mode)
			       ? visit_file(w, directory, listed, &st)
			       : 0;
	int status = absent(v->path, &denied);
	/* A link into where we may not look: an entry of it, all the same. */
	return denied ? visit_file(w, directory, listed, &st) : status;
}

static int visit_name(struct dirwalk *w, struct visit *v, uint32_t directory,
		      uint32_t former, const struct listed *listed)
{
	size_t n = strlen(v->path);
	int status = 0;

	if (!enter(v, n, listed->name))
		return 0;
	if (listed->kind != LISTED_DIRECTORY) {
		status = visit_other(w, v, directory, listed);
	} else if (!v->flat && v->depth < DEPTH_MAX) {
		v->depth++;
		status = visit_directory(w, v,
					 former_below(w, former, listed->name));
		v->depth--;
	}
	v->path[n] = '\0';
	return status;
}

/* A directory's own files stand together, before those further below. */
static int visit_names(struct dirwalk *w, struct visit *v, uint32_t directory,
		       uint32_t former, const struct listing *listing)
{
	int status = 0;

	for (int below = 0; below < 2; below++)
		for (size_t i = 0; status == 0 && i < listing->count; i++)
			if ((listing->list[i].kind == LISTED_DIRECTORY) ==
			    below)
				status = visit_name(w, v, directory, former,
						    &listing->list[i]);
	return status;
}

static int visit_listed(struct dirwalk *w, struct visit *v, uint32_t former,
			const struct file_identity *identity)
{
	_cleanup_listing_ struct listing listing = {0};
	struct table_directory d = {
		.identity = dirwalk_settled(w, identity),
		.entries = {.first = (uint32_t)w->draft.entry_count}};
	uint32_t number = (uint32_t)w->draft.directory_count;
	bool denied = false;
	int status = former_is(w, former, identity)
			     ? listing_recall(w->former, former, &listing)
			     : listing_read(v->path, &listing, &denied);

	if (denied)
		d.identity = dirwalk_denied(identity);
	if (status == 0 && (!draft_string(&w->draft, v->path, &d.path) ||
			    !draft_directory(&w->draft, &d)))
		status = status_no_memory("machine");
	settle_kinds(v, &listing);
	if (status == 0)
		status = visit_names(w, v, number, former, &listing);
	if (status == 0)
		w->draft.directories[number].end =
			(uint32_t)w->draft.directory_count;
	return status;
}

/*
 * If several paths lead to one directory (bind mounts, places), the first
 * counts.
 */
static int visit_directory(struct dirwalk *w, struct visit *v, uint32_t former)
{
	struct stat st;
	uint32_t ignored;
	bool denied;

	if (is_left_out(v->path))
		return 0;
	if (lstat(v->path, &st) < 0)
		return absent(v->path, &denied);
	if (!S_ISDIR(st.st_mode) || st.st_dev != v->dev ||
	    from_value(map_get(&w->seen, inode_hash(&st)), &ignored))
		return 0;
	if (!map_put(&w->seen, inode_hash(&st), to_value(0)))
		return status_no_memory("machine");
	struct file_identity identity = directory_identity(&st);
	return visit_listed(w, v, former, &identity);
}

static int add_place(struct dirwalk *w, const char *place)
{
	struct table_place p = look_at_place(place);
	bool denied;
	int status = p.ino ? 0 : absent(place, &denied);

	if (status < 0)
		return status;
	return draft_string(&w->draft, place, &p.path) &&
			       draft_place(&w->draft, &p)
		       ? 0
		       : status_no_memory("machine");
}

/* "DIR/." is DIR without what is below. */
static bool place_is_flat(const char *place)
{
	size_t n = strlen(place);

	return n > 2 && !strcmp(place + n - 2, "/.");
}

static int visit_place(struct dirwalk *w, const char *place)
{
	struct visit v = {.flat = place_is_flat(place)};
	struct stat st;
	bool denied;

	if (!realpath(place, v.path) || stat(v.path, &st) < 0)
		return absent(place, &denied);
	v.dev = st.st_dev;
	return visit_directory(w, &v, former_root(w, v.path));
}

/* Flat ones last: another place may lead to the same directory, and deeper. */
static int visit_places(struct dirwalk *w, char *const *places)
{
	int status = 0;

	for (size_t i = 0; status == 0 && places[i]; i++)
		status = add_place(w, places[i]);
	for (int flat = 0; flat < 2; flat++)
		for (size_t i = 0; status == 0 && places[i]; i++)
			if (place_is_flat(places[i]) == flat)
				status = visit_place(w, places[i]);
	return status;
}

int dirwalk_run(struct dirwalk *walk, const struct tables *former,
		char *const *places)
{
	uint32_t empty;

	*walk = (struct dirwalk){.former = former,
				 .start_ns = clock_ns(CLOCK_REALTIME)};
	/* Other places may go deeper into a directory that is as it was. */
	walk->recall = former && places_are_current(former, places);
	if (!index_former(walk) || !draft_string(&walk->draft, "", &empty))
		return status_no_memory("machine");
	return visit_places(walk, places);
}

void dirwalk_end(struct dirwalk *walk)
{
	draft_clear(&walk->draft);
	free(walk->files);
	map_clear(&walk->known);
	map_clear(&walk->seen);
}
