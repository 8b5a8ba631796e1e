/* SPDX-License-Identifier: MIT */
/*
 * See source.h. What a catalog says is compared with the files before it is given
 * out, where that costs little: a "no" with the directory and the file that is bad,
 * a plugin with its file being there. A source that was found to be wrong, or could
 * not be read, is in doubt: rescan.c scans it again, and it is asked once more. So
 * find, walk and count answer alike.
 */
#include "registry/source.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "catalog/scan.h"
#include "load/metadata.h"
#include "load/module.h"
#include "registry/changes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct lock registry_lock = LOCK_INIT(LOCK_REGISTRY);

struct dlazy_registry *registries;

/* One whose records modules use stays, as modules do. */
void source_drop_catalog_locked(struct catalog *c, bool keep)
{
	if (keep)
		catalog_keep(c);
	else
		catalog_close(c);
}

void source_clear(struct source *s)
{
	free(s->name);
	free(s->dir);
	free(s->prefix);
	free(s->full);
	free(s->why);
	free(s->modules);
	known_free(s->known);
	source_drop_catalog_locked(s->catalog, s->adopted);
	*s = (struct source){.name = NULL};
}

size_t source_count(const struct source *s)
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

const struct record *source_record(struct source *s, size_t index)
{
	const struct record *record = catalog_record(s->catalog, index);

	if (!record)
		doubt_unread(s);
	return record;
}

const char *source_name_within(const struct source *s, const char *name)
{
	size_t n = s->prefix ? strlen(s->prefix) : 0;

	return n && strncmp(name, s->prefix, n) != 0 ? NULL : name + n;
}

const char *source_full_name(struct source *s, const char *name)
{
	char *full;

	if (!s->prefix)
		return name;
	if (asprintf(&full, "%s%s", s->prefix, name) < 0) {
		status_no_memory(name);
		return NULL;
	}
	free(s->full);
	return s->full = full;
}

const struct record *source_find(struct source *s, const char *name,
				 size_t *ret_index, bool *ret_unknown)
{
	name = source_name_within(s, name);
	if (s->gone || !name)
		return NULL;
	const struct record *record =
		catalog_find(s->catalog, name, ret_index, ret_unknown);
	if (!record && *ret_unknown)
		doubt_unread(s);
	return record;
}

int source_find_soname(struct source *s, const char *soname, size_t *ret_index)
{
	int status =
		s->gone ? 0
			: catalog_find_soname(s->catalog, soname, ret_index);

	if (status < 0)
		doubt_unread(s);
	return status;
}

const char *source_name(struct source *s, size_t index)
{
	if (s->module)
		return s->name;
	if (index >= catalog_count(s->catalog))
		return NULL;
	const struct record *record = source_record(s, index);
	return record ? source_full_name(s, record_name(record)) : NULL;
}

/* Whether it has a usable plugin of that name. */
static bool source_provides(struct source *s, const char *name)
{
	bool unknown = false;
	size_t index;

	if (s->module)
		return strcmp(s->name, name) == 0;
	return source_find(s, name, &index, &unknown) &&
	       index < catalog_count(s->catalog);
}

bool source_is_shadowed(struct dlazy_registry *r, size_t end, const char *name)
{
	for (size_t i = 0; i < end; i++)
		if (source_provides(&r->sources[i], name))
			return true;
	return false;
}

bool source_is_provided_after(struct dlazy_registry *r, size_t source,
			      const char *name)
{
	for (size_t i = source + 1; i < r->count; i++)
		if (source_provides(&r->sources[i], name))
			return true;
	return false;
}

uint64_t source_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int source_add_locked(struct dlazy_registry *r, struct source *s, size_t *ret)
{
	if (!array_reserve(&r->sources, r->count, &r->room,
			   sizeof(*r->sources)))
		return status_no_memory("registry");
	if (s->name && !map_get(&r->by_name, hash_string(s->name)) &&
	    !map_put(&r->by_name, hash_string(s->name),
		     (void *)(uintptr_t)(r->count + 1)))
		return status_no_memory("registry");
	*ret = r->count;
	s->since_ns = source_now_ns();
	if (s->module && s->module->path[0])
		s->mark = changes_mark(s->module->path);
	r->sources[r->count++] = *s;
	*s = (struct source){.name = NULL};
	return 0;
}

static bool is_file_of(const struct catalog *c, const struct file_identity *but)
{
	struct file_identity own = catalog_identity(c);

	return own.ino && file_identity_equal(&own, but);
}

int source_open_catalog(int dirfd, const char *dir,
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
		return status_no_memory(dir);
	status_clear();
	return scan_directory(dirfd, dir, &options, NULL, ret);
}

int source_open_directory(const char *dir, int *ret)
{
	*ret = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret >= 0)
		return 0;
	return status_fail(status_from_errno(errno), "%s: cannot open: %s", dir,
			   strerror(errno));
}
