/* SPDX-License-Identifier: MIT */
/*
 * Making the index: walks the directories, reads new files, fills the tables,
 * and finds who imports data from whom.
 *
 * A file that we have no permission to read is no ELF file of ours; it is tried
 * again each time. Whatever else keeps us from reading one ends the scan: a file
 * that is left out could be an importer, and libraries would be lazy that must
 * not be.
 */
#include "link/index/scan.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/status.h"
#include "link/index/facts.h"
#include "link/index/dirwalk.h"
#include "link/index/importers.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

#define PROGRESS_EACH 64 /* files */

/* What has been read is kept after this long, and then twice as long each time:
 * little is lost, and not much time is spent. */
#define KEEP_FIRST_NS UINT64_C(250000000)

struct scan {
	const struct scan_options *options;
	struct dirwalk walk;
	struct facts **facts; /* of each of its files; NULL: not ours, or not
				 read now */
	uint32_t *elves;      /* the ELF file that each has become */
	struct draft draft;
	size_t read;
	size_t reached;		    /* files before it are read */
	uint64_t begun_ns, keep_ns; /* when; what is read is kept next */
};

static void cleanup_scan(struct scan *s)
{
	for (size_t i = 0; s->facts && i < s->walk.count; i++)
		free(s->facts[i]);
	free(s->facts);
	free(s->elves);
	draft_clear(&s->draft);
	dirwalk_end(&s->walk);
}

static int read_file(struct scan *s, size_t i)
{
	struct dirwalk_file *file = &s->walk.files[i];
	struct tables found = draft_tables(&s->walk.draft);
	_cleanup_free_ char *path = tables_path(&found, file->entry);
	struct file_identity identity;
	bool denied;

	if (!path)
		return status_no_memory("machine");
	int status = facts_read(path, &identity, &s->facts[i], &denied);
	if (denied)
		file->identity = dirwalk_denied(&file->identity);
	/* What was read is what was opened, should that be another by now. */
	if (s->facts[i])
		file->identity = identity;
	s->read++;
	return status;
}

/* ------------------------------------------------------------------ */

/*
 * The facts of a file in the former tables; NULL: there are none, or it was
 * not an ELF file of ours.
 */
static const struct table_elf *former_elf(const struct scan *s, uint32_t i)
{
	const struct tables *t = s->options->former;
	uint32_t entry = s->walk.files[i].former;

	if (entry == TABLES_NONE || t->entries[entry].elf == TABLES_NONE)
		return NULL;
	return &t->elves[t->entries[entry].elf];
}

/* Not read yet: only the next scan will know what it is. */
static bool is_unread(const struct scan *s, uint32_t file)
{
	return file >= s->reached && s->walk.files[file].former == TABLES_NONE;
}

/* An identity that nothing has: it is looked at again. */
static struct file_identity unlike_any(const struct file_identity *identity)
{
	return (struct file_identity){.dev = identity->dev,
				      .ino = identity->ino};
}

static bool is_ours(const struct scan *s, uint32_t file)
{
	return s->facts[file] || former_elf(s, file);
}

static bool copy_facts(struct scan *s, const struct facts *facts,
		       struct table_elf *ret)
{
	const uint64_t *keys = facts->keys;

	ret->soname = facts->soname;
	for (int k = 0; k < TABLE_READ; k++) {
		if (!draft_keys(&s->draft, keys, facts->counts[k],
				&ret->lists[k]))
			return false;
		keys += facts->counts[k];
	}
	return true;
}

static bool copy_former(struct scan *s, const struct table_elf *former,
			struct table_elf *ret)
{
	ret->soname = former->soname;
	for (int k = 0; k < TABLE_READ; k++)
		if (!draft_keys(&s->draft,
				tables_list(s->options->former, former, k),
				former->lists[k].count, &ret->lists[k]))
			return false;
	return true;
}

/* Makes an ELF file of a file of ours, at the first entry of it. */
static bool add_elf(struct scan *s, uint32_t file, uint32_t entry)
{
	const struct table_elf *former = former_elf(s, file);
	struct table_elf elf = {.entry = entry};

	s->elves[file] = (uint32_t)s->draft.elf_count;
	return (former ? copy_former(s, former, &elf)
		       : copy_facts(s, s->facts[file], &elf)) &&
	       draft_elf(&s->draft, &elf);
}

static bool add_entry(struct scan *s, uint32_t i)
{
	struct table_entry entry = s->walk.draft.entries[i];
	uint32_t file = entry.elf, number = (uint32_t)s->draft.entry_count;

	if (is_ours(s, file) && s->elves[file] == TABLES_NONE &&
	    !add_elf(s, file, number))
		return false;
	entry.elf = s->elves[file];
	if (s->walk.files[file].entry == i && entry.elf != TABLES_NONE)
		s->draft.elves[entry.elf].entry = number;
	const struct file_identity *identity = &s->walk.files[file].identity;
	entry.identity = is_unread(s, file)
				 ? unlike_any(identity)
				 : dirwalk_settled(&s->walk, identity);
	return draft_string(&s->draft, s->walk.draft.strings + entry.name,
			    &entry.name) &&
	       draft_entry(&s->draft, &entry);
}

/* Not ours, either, may be what we have no permission to read. */
static bool is_remembered(const struct scan *s, uint32_t file)
{
	const struct file_identity *identity = &s->walk.files[file].identity;
	struct file_identity denied = dirwalk_denied(identity);

	return is_ours(s, file) || file_identity_equal(identity, &denied);
}

/* The entries are those of a directory which has one to be remembered; or
 * none. */
static bool add_directory(struct scan *s, const struct table_directory *found)
{
	const struct draft *from = &s->walk.draft;
	struct table_directory d = *found;
	bool any = false;

	for (uint32_t i = 0; i < found->entries.count && !any; i++)
		any = is_remembered(
			s, from->entries[found->entries.first + i].elf);
	d.entries = (struct table_span){(uint32_t)s->draft.entry_count,
					any ? found->entries.count : 0};
	/* Names that are left out are not all known to be none of ours. */
	if (s->reached < s->walk.count)
		d.identity = unlike_any(&d.identity);
	if (!draft_string(&s->draft, from->strings + found->path, &d.path) ||
	    !draft_directory(&s->draft, &d))
		return false;
	for (uint32_t i = 0; i < d.entries.count; i++)
		if (!add_entry(s, found->entries.first + i))
			return false;
	return true;
}

static bool add_places(struct scan *s)
{
	const struct draft *from = &s->walk.draft;

	for (size_t i = 0; i < from->place_count; i++) {
		struct table_place place = from->places[i];

		if (!draft_string(&s->draft, from->strings + place.path,
				  &place.path) ||
		    !draft_place(&s->draft, &place))
			return false;
	}
	return true;
}

/* Room for the importers of each datum, for importers_find() to fill. */
static bool add_importers(struct scan *s)
{
	for (size_t i = 0; i < s->draft.elf_count; i++) {
		struct table_elf *elf = &s->draft.elves[i];

		for (uint32_t k = 0; k < elf->lists[TABLE_DATA].count; k++) {
			const uint64_t none = TABLES_NONE;
			struct table_span span;

			if (!draft_keys(&s->draft, &none, 1, &span))
				return false;
			if (k == 0)
				elf->lists[TABLE_IMPORTERS].first = span.first;
			elf->lists[TABLE_IMPORTERS].count++;
		}
	}
	return true;
}

/* Of all files that are read. */
static int make_tables(struct scan *s)
{
	uint32_t empty;

	draft_clear(&s->draft);
	memset(s->elves, 0xff, s->walk.count * sizeof(*s->elves));
	if (!draft_string(&s->draft, "", &empty) || !add_places(s))
		return status_no_memory("machine");
	for (size_t i = 0; i < s->walk.draft.directory_count; i++)
		if (!add_directory(s, &s->walk.draft.directories[i]))
			return status_no_memory("machine");
	return add_importers(s) ? 0 : status_no_memory("machine");
}

bool scan_keep(const char *path, const void *data, size_t size)
{
	_cleanup_free_ char *directory =
		strndup(path, (size_t)(file_base_name(path) - path));
	bool kept = directory &&
		    (!*directory || file_make_dirs(directory) == 0) &&
		    file_replace(AT_FDCWD, path, data, size, 0600) == 0;

	if (!kept)
		status_clear();
	return kept;
}

/* Keeps what is read so far, should this process be ended. */
static void keep_partial(struct scan *s)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;

	if (make_tables(s) == 0) {
		struct tables tables = draft_tables(&s->draft);

		tables.partial = true;
		if (tables_encode(&tables, &data, &size) == 0)
			scan_keep(s->options->path, data, size);
	}
	status_clear();
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	s->keep_ns = now + (now - s->begun_ns);
}

static int read_files(struct scan *s)
{
	const struct scan_options *o = s->options;
	size_t total = 0;
	int status = 0;

	for (size_t i = 0; i < s->walk.count; i++)
		total += s->walk.files[i].former == TABLES_NONE;
	for (size_t i = 0; status == 0 && i < s->walk.count; i++) {
		s->reached = i + 1;
		if (s->walk.files[i].former != TABLES_NONE)
			continue;
		status = read_file(s, i);
		if (o->progress &&
		    (s->read % PROGRESS_EACH == 0 || s->read == total))
			o->progress(s->read, total, o->data);
		if (status == 0 && o->path && s->read < total &&
		    clock_ns(CLOCK_MONOTONIC) >= s->keep_ns)
			keep_partial(s);
	}
	return status;
}

/* ------------------------------------------------------------------ */

static int prepare(struct scan *s)
{
	size_t n = s->walk.count + 1;

	s->facts = calloc(n, sizeof(struct facts *));
	s->elves = malloc(n * sizeof(*s->elves));
	s->keep_ns = s->begun_ns + KEEP_FIRST_NS;
	return s->facts && s->elves ? 0 : status_no_memory("machine");
}

int scan_run(const struct scan_options *options, struct tables_file *ret,
	     size_t *ret_read)
{
	_cleanup_(cleanup_scan) struct scan s = {
		.options = options, .begun_ns = clock_ns(CLOCK_MONOTONIC)};
	uint8_t *data;
	size_t size;
	int status = dirwalk_run(&s.walk, options->former, options->places);

	if (status == 0)
		status = prepare(&s);
	if (status == 0)
		status = read_files(&s);
	if (status == 0)
		status = make_tables(&s);
	if (status < 0)
		return status;
	struct tables tables = draft_tables(&s.draft);
	status = importers_find(&tables, s.draft.keys);
	if (status == 0)
		status = tables_encode(&tables, &data, &size);
	if (status == 0)
		status = tables_open_memory(data, size, ret);
	*ret_read = s.read;
	return status;
}
