/* SPDX-License-Identifier: MIT */
/*
 * Opening and refreshing the index. If the kept tables are current they are
 * used. Else their current parts go into a new scan, as does what a scan that
 * was cut short had read. Another process may do the same at the same time:
 * each uses its own tables, and the file of either may be the one that stays.
 */
#include "link/index/index.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/status.h"
#include "link/index/facts.h"
#include "link/index/tables.h"
#include "link/index/scan.h"
#include "link/index/dirwalk.h"

#include <fcntl.h>
#include <string.h>

struct index {
	struct tables_file file;
	struct map files; /* hash of (dev, ino) -> ELF file + 1 */
	size_t read;
	bool kept;
};

static uint64_t file_hash(const struct file_identity *identity)
{
	const uint64_t key[2] = {identity->dev, identity->ino};

	return hash_bytes(key, sizeof(key));
}

static int refresh(struct index *index, const struct index_options *options,
		   char *const *places)
{
	_cleanup_(tables_close) struct tables_file former = {0};
	bool known = options->cache_path &&
		     tables_open(options->cache_path, &former) == 0;

	if (known && !former.tables.partial &&
	    dirwalk_is_current(&former.tables, places)) {
		index->file = former;
		former = (struct tables_file){0};
		index->kept = true;
		return 0;
	}
	status_clear();
	const struct scan_options how = {
		.places = places,
		.former = known ? &former.tables : NULL,
		.progress = options->progress,
		.data = options->data,
		.path = options->cache_path,
	};
	int status = scan_run(&how, &index->file, &index->read);
	if (status == 0 && options->cache_path)
		index->kept = scan_keep(options->cache_path, index->file.data,
					index->file.size);
	return status;
}

static int map_files(struct index *index)
{
	const struct tables *t = &index->file.tables;

	for (size_t i = 0; i < t->entry_count; i++) {
		const struct table_entry *e = &t->entries[i];

		if (e->elf != TABLES_NONE &&
		    !map_put(&index->files, file_hash(&e->identity),
			     (void *)&t->elves[e->elf]))
			return status_no_memory("machine");
	}
	return 0;
}

static void free_places(char **places)
{
	for (size_t i = 0; places && places[i]; i++)
		free(places[i]);
	free(places);
}

int index_open(const struct index_options *options, struct index **ret)
{
	unsigned states = status_state_count();
	char **own = options->places ? NULL : index_places();
	char *const *places = options->places ? options->places : own;
	struct index *index = places ? calloc(1, sizeof(*index)) : NULL;
	int status;

	if (index)
		status = refresh(index, options, places);
	else if (status_state_count() != states)
		status = status_last();
	else
		status = status_no_memory("machine");
	free_places(own);
	if (status == 0)
		status = map_files(index);
	if (status < 0)
		index_close(index);
	else
		*ret = index;
	return status;
}

void index_close(struct index *index)
{
	if (!index)
		return;
	tables_close(&index->file);
	map_clear(&index->files);
	free(index);
}

struct index_stats index_stats(const struct index *index)
{
	const struct tables *t = &index->file.tables;
	struct index_stats stats = {
		.files = t->elf_count,
		.directories = t->directory_count,
		.read = index->read,
		.kept = index->kept,
	};

	for (size_t i = 0; i < t->elf_count; i++) {
		const struct table_elf *elf = &t->elves[i];
		const uint64_t *importers =
			tables_list(t, elf, TABLE_IMPORTERS);
		bool imported = false;

		for (uint32_t k = 0; k < elf->lists[TABLE_IMPORTERS].count; k++)
			imported |= importers[k] != TABLES_NONE;
		stats.libraries += t->elves[i].soname != 0;
		stats.imported += t->elves[i].soname != 0 && imported;
	}
	return stats;
}

uint64_t index_key(const char *name, const char *version)
{
	return tables_key(name, version);
}

/* Of the imports that count, the key and the importer. 1; 0: there is none; or
 * -DLAZY_ENOMEM. */
static int find_importer(const struct tables *t, const struct table_elf *elf,
			 index_ignore_fn *ignore, void *data, uint64_t *ret_key,
			 char **ret_importer)
{
	const uint64_t *keys = tables_list(t, elf, TABLE_DATA);
	const uint64_t *importers = tables_list(t, elf, TABLE_IMPORTERS);
	_cleanup_free_ char *importer = NULL;

	for (uint32_t i = 0; i < elf->lists[TABLE_IMPORTERS].count; i++) {
		if (importers[i] == TABLES_NONE ||
		    (ignore && ignore(keys[i], data)))
			continue;
		char *path = tables_path(t, t->elves[importers[i]].entry);
		if (!path)
			return -DLAZY_ENOMEM;
		bool first = !importer || strcmp(path, importer) < 0;

		if (first)
			*ret_key = keys[i];
		free(first ? importer : path);
		importer = first ? path : importer;
	}
	*ret_importer = TAKE_PTR(importer);
	return *ret_importer != NULL;
}

int index_has_importer(const struct index *index, const char *path,
		       index_ignore_fn *ignore, void *data, char **ret_symbol,
		       char **ret_importer)
{
	const struct tables *t = &index->file.tables;
	_cleanup_free_ char *importer = NULL;
	struct file_identity identity;
	uint64_t key;
	int status = file_identify(AT_FDCWD, path, &identity);

	if (status_is_state(status))
		return status;
	if (status < 0) {
		status_clear();
		return 0;
	}
	const struct table_elf *elf =
		map_get(&index->files, file_hash(&identity));
	if (!elf)
		return 0;
	status = find_importer(t, elf, ignore, data, &key, &importer);
	if (status <= 0)
		return status;
	status = facts_name(importer, key, ret_symbol);
	if (status < 0)
		return status;
	*ret_importer = TAKE_PTR(importer);
	return 1;
}
