/* SPDX-License-Identifier: MIT */
/*
 * A file imports a symbol from every file that it needs, at any remove, that
 * exports the symbol as data in the version asked for: from each of them, as
 * which of them comes first depends on the program. A needed name stands for
 * each file that has this name, as its SONAME or in a directory.
 *
 * If no file that it needs exports the symbol as data, the symbol comes from
 * whatever is there when the file is loaded: the file is a plugin, and its host
 * or its host's libraries define the symbol; or it is a library linked without
 * all it needs. Then it counts as an importer of every file that exports the
 * symbol as data. (If a needed library defined it as a function, the link
 * editor would have seen that. An import that has a version names the library
 * too.)
 */
#include "link/index/importers.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/status.h"

#include <string.h>

/*
 * An ELF file, by a hash or a key. Pairs are sorted, with an index to the
 * first of each hash.
 */
struct pair {
	uint64_t hash; /* of the name alone */
	uint32_t elf;
	uint32_t place; /* in TABLE_DATA */
	uint16_t version;
};

struct pairs {
	struct pair *list;
	size_t count, room;
	struct map first; /* hash -> the pair */
};

/* One ELF file's needs: ELF files. */
struct needs {
	uint32_t *list;
	size_t count, room;
};

struct importers {
	const struct tables *tables;
	uint64_t *keys;
	struct pairs names; /* that a file can be needed by */
	struct pairs data;
	struct needs *needs; /* of each file */
	uint32_t *order;     /* of files, by path */
	uint32_t *closure;   /* of the file at hand, itself first */
	size_t closure_count;
	uint32_t *seen; /* per file: for whom it was seen last, + 1 */
};

static void cleanup_pairs(struct pairs *pairs)
{
	free(pairs->list);
	map_clear(&pairs->first);
}

static void cleanup_importers(struct importers *t)
{
	cleanup_pairs(&t->names);
	cleanup_pairs(&t->data);
	for (size_t i = 0; t->needs && i < t->tables->elf_count; i++)
		free(t->needs[i].list);
	free(t->needs);
	free(t->order);
	free(t->closure);
	free(t->seen);
}

static bool add_pair(struct pairs *pairs, uint64_t hash, unsigned version,
		     uint32_t elf, uint32_t place)
{
	if (!array_reserve(&pairs->list, pairs->count, &pairs->room,
			   sizeof(*pairs->list)))
		return false;
	pairs->list[pairs->count++] =
		(struct pair){hash, elf, place, (uint16_t)version};
	return true;
}

static int compare_pairs(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash > y->hash ? 1 : -1;
	return (x->elf > y->elf) - (x->elf < y->elf);
}

static bool index_pairs(struct pairs *pairs)
{
	if (pairs->count > 1)
		qsort(pairs->list, pairs->count, sizeof(*pairs->list),
		      compare_pairs);
	for (size_t i = 0; i < pairs->count; i++)
		if ((i == 0 ||
		     pairs->list[i - 1].hash != pairs->list[i].hash) &&
		    !map_put(&pairs->first, pairs->list[i].hash,
			     &pairs->list[i]))
			return false;
	return true;
}

/* The pairs of a hash: from the one returned up to *ret_end. */
static const struct pair *find_pairs(const struct pairs *pairs, uint64_t hash,
				     const struct pair **ret_end)
{
	const struct pair *first = map_get(&pairs->first, hash), *end = first;

	while (end && end < pairs->list + pairs->count && end->hash == hash)
		end++;
	*ret_end = end;
	return first;
}

/* ------------------------------------------------------------------ */

static bool collect_names(struct importers *t)
{
	const struct tables *tables = t->tables;

	for (uint32_t i = 0; i < tables->elf_count; i++)
		if (tables->elves[i].soname &&
		    !add_pair(&t->names, tables->elves[i].soname, 0, i, 0))
			return false;
	for (size_t i = 0; i < tables->entry_count; i++) {
		const struct table_entry *e = &tables->entries[i];

		if (e->elf != TABLES_NONE &&
		    !add_pair(&t->names, hash_string(tables->strings + e->name),
			      0, e->elf, 0))
			return false;
	}
	return index_pairs(&t->names);
}

static bool collect_data(struct importers *t)
{
	for (uint32_t i = 0; i < t->tables->elf_count; i++) {
		const struct table_elf *elf = &t->tables->elves[i];
		const uint64_t *keys = tables_list(t->tables, elf, TABLE_DATA);

		for (uint32_t k = 0; k < elf->lists[TABLE_DATA].count; k++)
			if (!add_pair(&t->data, tables_key_name(keys[k]),
				      tables_key_version(keys[k]), i, k))
				return false;
	}
	return index_pairs(&t->data);
}

static bool add_need(struct needs *needs, uint32_t elf)
{
	if (!array_reserve(&needs->list, needs->count, &needs->room,
			   sizeof(*needs->list)))
		return false;
	needs->list[needs->count++] = elf;
	return true;
}

static bool collect_needs(struct importers *t)
{
	for (uint32_t i = 0; i < t->tables->elf_count; i++) {
		const struct table_elf *elf = &t->tables->elves[i];
		const uint64_t *keys = tables_list(t->tables, elf, TABLE_NEEDS);

		for (uint32_t k = 0; k < elf->lists[TABLE_NEEDS].count; k++) {
			const struct pair *end,
				*p = find_pairs(&t->names, keys[k], &end);
			for (; p < end; p++)
				if (!add_need(&t->needs[i], p->elf))
					return false;
		}
	}
	return true;
}

struct path {
	char *path;
	uint32_t elf;
};

static int compare_paths(const void *a, const void *b)
{
	const struct path *x = a, *y = b;

	return strcmp(x->path, y->path);
}

/*
 * Importers are sorted by path, so that the same one is named each time as
 * long as they are the same.
 */
static bool collect_order(struct importers *t)
{
	size_t n = 0, count = t->tables->elf_count;
	struct path *paths = calloc(count + 1, sizeof(*paths));

	for (; paths && n < count; n++) {
		paths[n].elf = (uint32_t)n;
		paths[n].path =
			tables_path(t->tables, t->tables->elves[n].entry);
		if (!paths[n].path)
			break;
	}
	bool all = paths && n == count;
	if (all)
		qsort(paths, n, sizeof(*paths), compare_paths);
	for (size_t i = 0; i < n; i++) {
		t->order[i] = paths[i].elf;
		free(paths[i].path);
	}
	free(paths);
	return all;
}

static bool prepare(struct importers *t)
{
	size_t n = t->tables->elf_count + 1;

	t->needs = calloc(n, sizeof(*t->needs));
	t->order = calloc(n, sizeof(*t->order));
	t->closure = calloc(n, sizeof(*t->closure));
	t->seen = calloc(n, sizeof(*t->seen));
	return t->needs && t->order && t->closure && t->seen &&
	       collect_order(t) && collect_names(t) && collect_data(t) &&
	       collect_needs(t);
}

/* ------------------------------------------------------------------ */

static void find_closure(struct importers *t, uint32_t elf)
{
	t->closure[0] = elf;
	t->closure_count = 1;
	t->seen[elf] = elf + 1;
	for (size_t i = 0; i < t->closure_count; i++) {
		const struct needs *needs = &t->needs[t->closure[i]];

		for (size_t k = 0; k < needs->count; k++) {
			if (t->seen[needs->list[k]] == elf + 1)
				continue;
			t->seen[needs->list[k]] = elf + 1;
			t->closure[t->closure_count++] = needs->list[k];
		}
	}
}

/* A provider without versions has any; a reference without one accepts any. */
static bool version_fits(uint64_t key, const struct pair *provider)
{
	unsigned asked = tables_key_version(key);

	return asked == 0 || provider->version == 0 ||
	       asked == provider->version;
}

static void note_importer(struct importers *t, const struct pair *from,
			  uint32_t importer)
{
	const struct table_elf *elf = &t->tables->elves[from->elf];
	uint64_t *first =
		&t->keys[elf->lists[TABLE_IMPORTERS].first + from->place];

	if (from->elf != importer && *first == TABLES_NONE)
		*first = importer;
}

/* Notes the importer where the closure exports the symbol; false: nothing there
 * has it as data. */
static bool note_in_closure(struct importers *t, uint32_t importer,
			    uint64_t key)
{
	const struct pair *end,
		*p = find_pairs(&t->data, tables_key_name(key), &end);
	bool found = false;

	for (; p < end; p++) {
		if (t->seen[p->elf] != importer + 1)
			continue;
		found = true;
		if (version_fits(key, p))
			note_importer(t, p, importer);
	}
	return found;
}

static void note_anywhere(struct importers *t, uint32_t importer, uint64_t key)
{
	const struct pair *end,
		*p = find_pairs(&t->data, tables_key_name(key), &end);

	if (tables_key_version(key))
		return;
	for (; p < end; p++)
		note_importer(t, p, importer);
}

static void note_imports(struct importers *t, uint32_t elf)
{
	const struct table_elf *e = &t->tables->elves[elf];
	const uint64_t *keys = tables_list(t->tables, e, TABLE_IMPORTS);

	find_closure(t, elf);
	for (uint32_t i = 0; i < e->lists[TABLE_IMPORTS].count; i++)
		if (!note_in_closure(t, elf, keys[i]))
			note_anywhere(t, elf, keys[i]);
}

int importers_find(const struct tables *tables, uint64_t *keys)
{
	_cleanup_(cleanup_importers) struct importers t = {.tables = tables,
							   .keys = keys};

	if (!prepare(&t))
		return status_no_memory("machine");
	for (size_t i = 0; i < tables->elf_count; i++)
		note_imports(&t, t.order[i]);
	return 0;
}
