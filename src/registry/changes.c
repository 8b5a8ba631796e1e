/* SPDX-License-Identifier: MIT */
/*
 * See changes.h. What is known of a plugin is two hashes, and not its record: when
 * it is to be compared, the catalog's file may long be another.
 */
#include "registry/changes.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/status.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

struct known_plugin {
	const char *name;
	const char *file;
	uint64_t mark;	/* of the file's identity */
	uint64_t build; /* of its build-id */
	uint64_t ctime_ns;
};

struct known {
	struct known_plugin *plugins; /* by name, bytewise */
	size_t count;
	bool partial; /* not all of the catalog could be read */
	char *names;
};

static uint64_t mark_of(const struct file_identity *file)
{
	uint64_t parts[] = {file->ino, file->size, file->mtime_ns};

	return hash_bytes(parts, sizeof(parts)) | 1;
}

uint64_t changes_mark(const char *path)
{
	struct file_identity now;

	if (file_identify(AT_FDCWD, path, &now) == 0)
		return mark_of(&now);
	status_clear();
	return 0;
}

/* Of a portable record, the file as it is, if it is the one that is meant. */
static struct file_identity file_of(const struct record *record, int dirfd)
{
	struct file_identity identity = record_identity(record);

	if (!identity.ino &&
	    (file_identify(dirfd, record_file(record), &identity) < 0 ||
	     !record_is_current(record, dirfd, &identity)))
		identity = (struct file_identity){.ino = 0};
	return identity;
}

static void know(struct known_plugin *p, const struct record *record, int dirfd,
		 char **at)
{
	struct file_identity file = file_of(record, dirfd);
	size_t size;
	const uint8_t *id = record_build_id(record, &size);

	p->name = strcpy(*at, record_name(record));
	*at += strlen(p->name) + 1;
	p->file = strcpy(*at, record_file(record));
	*at += strlen(p->file) + 1;
	p->mark = mark_of(&file);
	p->build = size ? hash_bytes(id, size) : 0;
	p->ctime_ns = file.ctime_ns;
}

void known_free(struct known *known)
{
	if (!known)
		return;
	free(known->plugins);
	free(known->names);
	free(known);
}

struct known *known_read(struct catalog *c, int dirfd)
{
	size_t n = catalog_count(c), bytes = 0;
	_cleanup_known_ struct known *known = calloc(1, sizeof(*known));

	for (size_t i = 0; i < n; i++) {
		const struct record *record = catalog_record(c, i);
		if (record)
			bytes += strlen(record_name(record)) +
				 strlen(record_file(record)) + 2;
	}
	if (known) {
		known->plugins = calloc(n + 1, sizeof(*known->plugins));
		known->names = malloc(bytes + 1);
	}
	if (!known || !known->plugins || !known->names)
		return NULL;
	char *at = known->names;
	for (size_t i = 0; i < n; i++) {
		const struct record *record = catalog_record(c, i);
		if (record)
			know(&known->plugins[known->count++], record, dirfd,
			     &at);
		known->partial |= !record;
	}
	status_clear();
	return TAKE_PTR(known);
}

bool known_differs(const struct known *known, int dirfd)
{
	struct file_identity now;
	bool same = true;

	for (size_t i = 0; same && i < known->count; i++) {
		const struct known_plugin *p = &known->plugins[i];

		same = file_identify(dirfd, p->file, &now) == 0 &&
		       mark_of(&now) == p->mark;
	}
	status_clear();
	return !same;
}

static bool is_same(const struct known_plugin *a, const struct known_plugin *b)
{
	return a->mark == b->mark && a->build == b->build;
}

void known_compare(const struct known *before, const struct known *now,
		   uint64_t since_ns, known_change_fn *fn, void *data)
{
	size_t i = 0, k = 0, n = now ? now->count : 0;

	while (i < before->count || k < n) {
		const struct known_plugin *old =
			i < before->count ? &before->plugins[i] : NULL;
		const struct known_plugin *new =
			k < n ? &now->plugins[k] : NULL;
		int order = !old ? 1 : !new ? -1 : strcmp(old->name, new->name);

		if (order < 0)
			fn(data, DLAZY_EVENT_REMOVED, old->name);
		else if (order == 0 && !is_same(old, new))
			fn(data, DLAZY_EVENT_REPLACED, new->name);
		else if (order > 0 &&
			 (!before->partial || new->ctime_ns >= since_ns))
			fn(data, DLAZY_EVENT_ADDED, new->name);
		i += order <= 0;
		k += order >= 0;
	}
}

void known_each(const struct known *now, known_change_fn *fn, void *data)
{
	for (size_t i = 0; i < now->count; i++)
		fn(data, DLAZY_EVENT_ADDED, now->plugins[i].name);
}

/* What two changes of one name are together. */
static void change_again(struct change *change, enum dlazy_event_kind kind)
{
	if (change->undone) {
		change->undone = false;
		change->kind = kind;
	} else if (change->kind == DLAZY_EVENT_ADDED) {
		change->undone = kind == DLAZY_EVENT_REMOVED;
	} else if (kind == DLAZY_EVENT_ADDED) {
		change->kind = DLAZY_EVENT_REPLACED;
	} else {
		change->kind = kind;
	}
}

void changes_add(struct dlazy_registry *r, enum dlazy_event_kind kind,
		 const char *name, struct dlazy_module *module)
{
	struct change *change = map_get(&r->change_of, hash_string(name));

	if (change && !strcmp(change->name, name)) {
		change_again(change, kind);
		change->module = module;
		return;
	}
	change = malloc(sizeof(*change) + strlen(name) + 1);
	if (!change || !map_put(&r->change_of, hash_string(name), change)) {
		free(change);
		return;
	}
	*change = (struct change){r->changes, kind, false, module};
	strcpy(change->name, name);
	r->changes = change;
}

struct change *changes_take(struct dlazy_registry *r)
{
	struct change *taken = NULL;

	while (r->changes) {
		struct change *change = r->changes;

		r->changes = change->next;
		change->next = taken;
		taken = change;
	}
	map_clear(&r->change_of);
	return taken;
}
