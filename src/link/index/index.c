/* SPDX-License-Identifier: MIT */
/*
 * What is kept is used if it is current, else what of it is current goes into
 * a new scan. Another process may do the same at the same time: each has its
 * own tables, and either's file may stay.
 */
#include "link/index/index.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/status.h"
#include "link/index/facts.h"
#include "link/index/tables.h"
#include "link/index/scan.h"
#include "link/index/walk.h"

#include <fcntl.h>
#include <string.h>

struct machine {
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

/* Keeps what was found; if that fails, it is news for nobody. */
static bool keep(const char *path, const struct tables_file *file)
{
	_cleanup_free_ char *directory =
		strndup(path, (size_t)(file_base_name(path) - path));
	bool kept =
		directory && (!*directory || file_make_dirs(directory) == 0) &&
		file_replace(AT_FDCWD, path, file->data, file->size, 0600) == 0;

	if (!kept)
		status_clear();
	return kept;
}

static int refresh(struct machine *machine,
		   const struct machine_options *options, char *const *places)
{
	_cleanup_(tables_close) struct tables_file former = {0};
	bool known = options->cache_path &&
		     tables_open(options->cache_path, &former) == 0;

	if (known && survey_is_current(&former.tables, places)) {
		machine->file = former;
		former = (struct tables_file){0};
		machine->kept = true;
		return 0;
	}
	status_clear();
	const struct scan_options how = {
		.places = places,
		.former = known ? &former.tables : NULL,
		.progress = options->progress,
		.data = options->data,
	};
	int status = scan_run(&how, &machine->file, &machine->read);
	if (status == 0 && options->cache_path)
		machine->kept = keep(options->cache_path, &machine->file);
	return status;
}

static int index_files(struct machine *machine)
{
	const struct tables *t = &machine->file.tables;

	for (size_t i = 0; i < t->entry_count; i++) {
		const struct table_entry *e = &t->entries[i];

		if (e->elf != TABLES_NONE &&
		    !map_put(&machine->files, file_hash(&e->identity),
			     (void *)&t->elves[e->elf]))
			return status_fail(DLAZY_ENOMEM,
					   "machine: out of memory");
	}
	return 0;
}

static void free_places(char **places)
{
	for (size_t i = 0; places && places[i]; i++)
		free(places[i]);
	free(places);
}

int machine_open(const struct machine_options *options, struct machine **ret)
{
	char **own = options->places ? NULL : machine_places();
	char *const *places = options->places ? options->places : own;
	struct machine *machine = places ? calloc(1, sizeof(*machine)) : NULL;
	int status =
		machine ? refresh(machine, options, places)
			: status_fail(DLAZY_ENOMEM, "machine: out of memory");

	free_places(own);
	if (status == 0)
		status = index_files(machine);
	if (status < 0)
		machine_close(machine);
	else
		*ret = machine;
	return status;
}

void machine_close(struct machine *machine)
{
	if (!machine)
		return;
	tables_close(&machine->file);
	map_clear(&machine->files);
	free(machine);
}

struct machine_stats machine_stats(const struct machine *machine)
{
	const struct tables *t = &machine->file.tables;
	struct machine_stats stats = {
		.files = t->elf_count,
		.directories = t->directory_count,
		.read = machine->read,
		.kept = machine->kept,
	};

	for (size_t i = 0; i < t->elf_count; i++) {
		const struct table_elf *elf = &t->elves[i];
		const uint64_t *takers = tables_list(t, elf, TABLE_TAKERS);
		bool taken = false;

		for (uint32_t k = 0; k < elf->lists[TABLE_TAKERS].count; k++)
			taken |= takers[k] != TABLES_NONE;
		stats.libraries += t->elves[i].soname != 0;
		stats.taken += t->elves[i].soname != 0 && taken;
	}
	return stats;
}

uint64_t machine_key(const char *name, const char *version)
{
	return tables_key(name, version);
}

/* Of what matters, the key, and who takes it; false: there is none. */
static bool find_taken(const struct tables *t, const struct table_elf *elf,
		       machine_taken_fn *taken, void *data, uint64_t *ret_key,
		       char **ret_importer)
{
	const uint64_t *keys = tables_list(t, elf, TABLE_DATA);
	const uint64_t *takers = tables_list(t, elf, TABLE_TAKERS);
	bool found = false;

	*ret_key = 0;
	*ret_importer = NULL;
	for (uint32_t i = 0; i < elf->lists[TABLE_TAKERS].count; i++) {
		if (takers[i] == TABLES_NONE || (taken && taken(keys[i], data)))
			continue;
		char *path = tables_path(t, t->elves[takers[i]].entry);
		bool first = !found || (path && *ret_importer &&
					strcmp(path, *ret_importer) < 0);

		found = true;
		if (first)
			*ret_key = keys[i];
		free(first ? *ret_importer : path);
		*ret_importer = first ? path : *ret_importer;
	}
	return found;
}

bool machine_takes_data(const struct machine *machine, const char *path,
			machine_taken_fn *taken, void *data, char **ret_symbol,
			char **ret_importer)
{
	const struct tables *t = &machine->file.tables;
	struct file_identity identity;
	uint64_t key;

	if (file_identify(AT_FDCWD, path, &identity) < 0) {
		status_clear();
		return false;
	}
	const struct table_elf *elf =
		map_get(&machine->files, file_hash(&identity));
	if (!elf || !find_taken(t, elf, taken, data, &key, ret_importer))
		return false;
	*ret_symbol = *ret_importer ? facts_name(*ret_importer, key) : NULL;
	return true;
}
