/* SPDX-License-Identifier: MIT */
/*
 * The file: a header, then the tables one behind the other, in the byte order
 * of who wrote it. A file is used whole or not at all: its checksum is
 * verified, then each reference from one table to another, so that afterwards
 * none needs to be checked.
 */
#include "link/index/tables.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/status.h"
#include "elf/machine.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define FILE_MAGIC UINT64_C(0x0a6d7a616c640a89)
#define FILE_VERSION 4 /* to be raised, too, when other facts are read */
#define FILE_MAX (1u << 30)

enum section {
	SECTION_PLACES,
	SECTION_DIRECTORIES,
	SECTION_ENTRIES,
	SECTION_ELVES,
	SECTION_KEYS,
	SECTION_STRINGS,
	SECTIONS
};

static const size_t section_each[SECTIONS] = {
	sizeof(struct table_place), sizeof(struct table_directory),
	sizeof(struct table_entry), sizeof(struct table_elf),
	sizeof(uint64_t),	    1,
};

struct header {
	uint64_t magic;
	uint64_t checksum; /* of all that follows */
	uint32_t version;
	uint32_t machine; /* whose ELF files are ours: a home has several */
	uint64_t size;
	uint64_t partial; /* 1: it is */
	uint64_t counts[SECTIONS];
};

uint64_t tables_key(const char *name, const char *version)
{
	uint64_t key = hash_string(name) & ~TABLES_VERSION_MASK;

	if (!*version)
		return key;
	uint64_t hash = hash_string(version) & TABLES_VERSION_MASK;
	return key | (hash ? hash : 1);
}

char *tables_path(const struct tables *tables, uint32_t entry)
{
	const struct table_entry *e = &tables->entries[entry];
	const char *directory =
		tables->strings + tables->directories[e->directory].path;
	char *path;

	if (asprintf(&path, "%s/%s", strcmp(directory, "/") ? directory : "",
		     tables->strings + e->name) >= 0)
		return path;
	status_no_memory("machine");
	return NULL;
}

static uint32_t machine_hash(void)
{
	return (uint32_t)hash_string(machine_native_name());
}

static uint64_t checksum(const struct header *header)
{
	size_t skip = offsetof(struct header, version);

	return hash_bytes((const uint8_t *)header + skip, header->size - skip);
}

/* ------------------------------------------------------------------ */

static bool span_within(struct table_span span, size_t count)
{
	return range_within(span.first, span.count, count);
}

static bool places_sound(const struct tables *t)
{
	for (size_t i = 0; i < t->place_count; i++)
		if (t->places[i].path >= t->strings_size)
			return false;
	return true;
}

static bool directories_sound(const struct tables *t)
{
	for (size_t i = 0; i < t->directory_count; i++) {
		const struct table_directory *d = &t->directories[i];

		if (d->path >= t->strings_size || d->end <= i ||
		    d->end > t->directory_count ||
		    !span_within(d->entries, t->entry_count))
			return false;
	}
	return true;
}

static bool entries_sound(const struct tables *t)
{
	for (size_t i = 0; i < t->entry_count; i++) {
		const struct table_entry *e = &t->entries[i];

		if (e->name >= t->strings_size ||
		    e->directory >= t->directory_count ||
		    (e->elf >= t->elf_count && e->elf != TABLES_NONE))
			return false;
	}
	return true;
}

static bool importers_sound(const struct tables *t, const struct table_elf *e)
{
	const uint64_t *importers = tables_list(t, e, TABLE_IMPORTERS);
	uint32_t count = e->lists[TABLE_IMPORTERS].count;

	for (uint32_t i = 0; i < count; i++)
		if (importers[i] >= t->elf_count && importers[i] != TABLES_NONE)
			return false;
	return count == e->lists[TABLE_DATA].count;
}

static bool elves_sound(const struct tables *t)
{
	for (size_t i = 0; i < t->elf_count; i++) {
		const struct table_elf *e = &t->elves[i];

		if (e->entry >= t->entry_count)
			return false;
		for (int k = 0; k < TABLE_LISTS; k++)
			if (!span_within(e->lists[k], t->key_count))
				return false;
		if (!importers_sound(t, e))
			return false;
	}
	return true;
}

static bool tables_sound(const struct tables *t)
{
	return t->strings_size > 0 && t->strings[t->strings_size - 1] == '\0' &&
	       places_sound(t) && directories_sound(t) && entries_sound(t) &&
	       elves_sound(t);
}

/* Where the tables lie; false: they are not exactly what fills the file. */
static bool locate(const uint8_t *data, size_t size, struct tables *ret)
{
	const struct header *header = (const struct header *)data;
	const uint8_t *at[SECTIONS];
	uint64_t offset = sizeof(*header);

	for (int i = 0; i < SECTIONS; i++) {
		if (header->counts[i] >= TABLES_NONE ||
		    !range_array_within(offset, header->counts[i],
					section_each[i], size))
			return false;
		at[i] = data + offset;
		offset += header->counts[i] * section_each[i];
	}
	*ret = (struct tables){
		.places = (const void *)at[SECTION_PLACES],
		.directories = (const void *)at[SECTION_DIRECTORIES],
		.entries = (const void *)at[SECTION_ENTRIES],
		.elves = (const void *)at[SECTION_ELVES],
		.keys = (const void *)at[SECTION_KEYS],
		.strings = (const void *)at[SECTION_STRINGS],
		.place_count = header->counts[SECTION_PLACES],
		.directory_count = header->counts[SECTION_DIRECTORIES],
		.entry_count = header->counts[SECTION_ENTRIES],
		.elf_count = header->counts[SECTION_ELVES],
		.key_count = header->counts[SECTION_KEYS],
		.strings_size = header->counts[SECTION_STRINGS],
		.partial = header->partial,
	};
	return offset == size;
}

static int decode(const uint8_t *data, size_t size, struct tables *ret)
{
	const struct header *header = (const struct header *)data;

	if (size < sizeof(*header) || header->magic != FILE_MAGIC ||
	    header->version != FILE_VERSION ||
	    header->machine != machine_hash() || header->size != size ||
	    header->checksum != checksum(header) || !locate(data, size, ret) ||
	    !tables_sound(ret))
		return status_fail(DLAZY_EFORMAT,
				   "what is kept of the machine is damaged, or "
				   "of another version");
	return 0;
}

int tables_open(const char *path, struct tables_file *ret)
{
	_cleanup_close_ int fd = -1;
	struct tables_file file = {0};
	uint64_t size;
	int status = file_open_trusted(AT_FDCWD, path, O_RDONLY, &fd, &size);

	if (status < 0)
		return status;
	if (size < sizeof(struct header) || size > FILE_MAX)
		return status_fail(DLAZY_EFORMAT, "%s: damaged", path);
	status = file_map(fd, (size_t)size, &file.map);
	if (status < 0)
		return status;
	status = decode(file.map.data, (size_t)size, &file.tables);
	if (status < 0) {
		tables_close(&file);
		return status_prefix("%s", path);
	}
	*ret = file;
	return 0;
}

int tables_open_memory(uint8_t *data, size_t size, struct tables_file *ret)
{
	struct tables_file file = {.data = data, .size = size};
	int status = decode(data, size, &file.tables);

	if (status < 0)
		tables_close(&file);
	else
		*ret = file;
	return status;
}

void tables_close(struct tables_file *file)
{
	file_unmap(&file->map);
	free(file->data);
	*file = (struct tables_file){0};
}

int tables_encode(const struct tables *t, uint8_t **ret_data, size_t *ret_size)
{
	const struct {
		const void *data;
		size_t count;
	} sections[SECTIONS] = {
		{t->places, t->place_count},
		{t->directories, t->directory_count},
		{t->entries, t->entry_count},
		{t->elves, t->elf_count},
		{t->keys, t->key_count},
		{t->strings, t->strings_size},
	};
	size_t size = sizeof(struct header);

	for (int i = 0; i < SECTIONS; i++)
		size += sections[i].count * section_each[i];
	uint8_t *data = calloc(1, size);
	if (!data)
		return status_no_memory("machine");
	struct header *header = (struct header *)data;
	*header = (struct header){
		.magic = FILE_MAGIC,
		.version = FILE_VERSION,
		.machine = machine_hash(),
		.size = size,
		.partial = t->partial,
	};
	uint8_t *at = data + sizeof(*header);
	for (int i = 0; i < SECTIONS; i++) {
		size_t n = sections[i].count * section_each[i];

		header->counts[i] = sections[i].count;
		if (n)
			memcpy(at, sections[i].data, n);
		at += n;
	}
	header->checksum = checksum(header);
	*ret_data = data;
	*ret_size = size;
	return 0;
}
