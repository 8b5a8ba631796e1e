/* SPDX-License-Identifier: MIT */
/*
 * Listing a directory. Most files in the directories of the index are sources
 * and documents. Opening each of them to see that it is no ELF file would take
 * most of the time of a scan, so the commonest are recognised by their names.
 */
#include "link/index/listing.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "link/index/facts.h"

#include <errno.h>
#include <string.h>

static int listing_append(struct listing *listing, const char *name,
			  enum listed_kind kind)
{
	char *copy = NULL;

	if (array_reserve(&listing->list, listing->count, &listing->room,
			  sizeof(*listing->list)))
		copy = strdup(name);
	if (!copy)
		return status_no_memory("machine");
	listing->list[listing->count++] = (struct listed){copy, kind};
	return 0;
}

static bool is_document(const char *name)
{
	static const char *const suffixes[] = {
		".py",	 ".pyc", ".h",	 ".hpp",   ".js", ".json",
		".yaml", ".xml", ".txt", ".html",  ".md", ".rst",
		".pl",	 ".pm",	 ".png", ".svg",   ".a",  ".o",
		".ko",	 ".gz",	 ".xz",	 ".debug",
	};
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < ARRAY_SIZE(suffixes); i++)
		if (!strcmp(dot, suffixes[i]))
			return true;
	return false;
}

/* false: it is none of ours. */
static bool kind_of(const struct dirent *entry, enum listed_kind *ret)
{
	static const enum listed_kind kinds[] = {
		[DT_REG] = LISTED_FILE,
		[DT_LNK] = LISTED_LINK,
		[DT_DIR] = LISTED_DIRECTORY,
		[DT_UNKNOWN] = LISTED_UNKNOWN,
	};

	switch (entry->d_type) {
	case DT_REG:
	case DT_LNK:
	case DT_DIR:
	case DT_UNKNOWN:
		*ret = kinds[entry->d_type];
		return *ret == LISTED_DIRECTORY || !is_document(entry->d_name);
	default:
		return false;
	}
}

static int compare(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int failure(const char *path)
{
	return status_fail(status_from_errno(errno), "%s: %s", path,
			   strerror(errno));
}

static int read_names(DIR *stream, const char *path, struct listing *ret)
{
	const struct dirent *entry;
	enum listed_kind kind;
	int status = 0;

	while (status == 0 && (errno = 0, entry = readdir(stream)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0 && kind_of(entry, &kind))
			status = listing_append(ret, entry->d_name, kind);
	/* What was removed while it was read ends with ENOENT. */
	if (status == 0 && errno != 0 && errno != ENOENT)
		status = failure(path);
	return status;
}

int listing_read(const char *path, struct listing *ret, bool *ret_denied)
{
	_cleanup_closedir_ DIR *stream = opendir(path);
	int status = stream ? 0 : failure(path);

	*ret_denied = facts_denied(path, true);
	if (*ret_denied || (status < 0 && !status_is_state(status))) {
		status_clear();
		return 0;
	}
	if (status == 0)
		status = read_names(stream, path, ret);
	if (ret->count > 1)
		qsort(ret->list, ret->count, sizeof(*ret->list), compare);
	return status;
}

int listing_recall(const struct tables *t, uint32_t directory,
		   struct listing *ret)
{
	const struct table_directory *d = &t->directories[directory];
	int status = 0;

	for (uint32_t i = directory + 1; status == 0 && i < d->end;
	     i = t->directories[i].end)
		status = listing_append(
			ret,
			file_base_name(t->strings + t->directories[i].path),
			LISTED_DIRECTORY);
	for (uint32_t i = 0; status == 0 && i < d->entries.count; i++) {
		const struct table_entry *e = &t->entries[d->entries.first + i];
		status = listing_append(ret, t->strings + e->name,
					e->link ? LISTED_LINK : LISTED_FILE);
	}
	if (ret->count > 1)
		qsort(ret->list, ret->count, sizeof(*ret->list), compare);
	return status;
}

void listing_clear(struct listing *listing)
{
	for (size_t i = 0; i < listing->count; i++)
		free(listing->list[i].name);
	free(listing->list);
	*listing = (struct listing){0};
}
