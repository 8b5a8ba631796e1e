/* SPDX-License-Identifier: MIT */
/*
 * What a file takes is what it does not define and what its link editor did not
 * see to be a function: an undefined symbol has the type of the definition that
 * was found when the file was linked, or none if there was none to be found (a
 * plugin's, of its host). A program has moreover copied data to itself: it
 * defines that, and finds the bytes to copy in the next object that does.
 */
#include "link/machine-facts.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/status.h"
#include "elf/view.h"

#include <fcntl.h>
#include <string.h>

static bool is_function(const struct elf_symbol *symbol)
{
	return symbol->type == ELF_TYPE_FUNC || symbol->type == ELF_TYPE_IFUNC;
}

static bool is_program(const struct elf_view *view)
{
	return elf_view_flags(view) & (ELF_PIE | ELF_INTERP);
}

/* In which lists a symbol is, as bits. */
static unsigned lists_of(const struct elf_symbol *symbol, bool program)
{
	if (is_function(symbol))
		return symbol->defined ? 1u << TABLE_FUNCTIONS : 0;
	if (!symbol->defined)
		return 1u << TABLE_IMPORTS;
	return 1u << TABLE_DATA | (program ? 1u << TABLE_COPIES : 0);
}

/* One symbol of one list. */
struct item {
	const char *name;
	uint64_t key;
};

struct items {
	struct item *items;
	size_t count, room;
};

struct lists {
	struct items lists[TABLE_LISTS];
};

static void cleanup_lists(struct lists *lists)
{
	for (int i = 0; i < TABLE_LISTS; i++)
		free(lists->lists[i].items);
}

static bool add(struct items *items, const char *name, uint64_t key)
{
	if (!array_reserve(&items->items, items->count, &items->room,
			   sizeof(*items->items)))
		return false;
	items->items[items->count++] = (struct item){name, key};
	return true;
}

static bool collect(const struct elf_view *view, struct lists *lists)
{
	bool program = is_program(view);
	struct elf_symbol symbol;

	for (size_t i = 0; i < elf_view_needed_count(view); i++) {
		const char *name = elf_view_needed(view, i);
		if (!add(&lists->lists[TABLE_NEEDS], name, hash_string(name)))
			return false;
	}
	for (size_t i = 1; i < elf_view_symbol_count(view); i++) {
		if (!elf_view_symbol(view, i, &symbol))
			continue;
		unsigned in = lists_of(&symbol, program);
		for (int k = 0; k < TABLE_LISTS; k++)
			if (in & 1u << k &&
			    !add(&lists->lists[k], symbol.name,
				 tables_key(symbol.name, symbol.version)))
				return false;
	}
	return true;
}

static int compare_names(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int compare_keys(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

static void sort(struct items *items, enum table_list list)
{
	if (items->count > 1 && list != TABLE_NEEDS)
		qsort(items->items, items->count, sizeof(*items->items),
		      list == TABLE_IMPORTS || list == TABLE_COPIES
			      ? compare_names
			      : compare_keys);
}

static struct facts *make_facts(const struct elf_view *view)
{
	_cleanup_(cleanup_lists) struct lists lists = {0};
	struct facts *facts;
	size_t n = 0;

	if (!collect(view, &lists))
		return NULL;
	for (int k = 0; k < TABLE_LISTS; k++)
		n += lists.lists[k].count;
	facts = calloc(1, sizeof(*facts) + n * sizeof(facts->keys[0]));
	if (!facts)
		return NULL;
	if (*elf_view_soname(view))
		facts->soname = hash_string(elf_view_soname(view));
	n = 0;
	for (int k = 0; k < TABLE_LISTS; k++) {
		struct items *items = &lists.lists[k];

		sort(items, k);
		facts->counts[k] = (uint32_t)items->count;
		for (size_t i = 0; i < items->count; i++)
			facts->keys[n++] = items->items[i].key;
	}
	return facts;
}

static int open_view(const char *path, struct file_identity *ret_identity,
		     struct elf_view **ret)
{
	_cleanup_close_ int fd = -1;
	int status = file_open(AT_FDCWD, path, &fd, ret_identity);

	return status < 0 ? status : elf_view_open(fd, path, ret);
}

int facts_read(const char *path, struct file_identity *ret_identity,
	       struct facts **ret)
{
	_cleanup_elf_view_ struct elf_view *view = NULL;

	*ret_identity = (struct file_identity){0};
	*ret = NULL;
	int status = open_view(path, ret_identity, &view);
	if (status == -DLAZY_ENOMEM)
		return status;
	if (status < 0) {
		status_clear();
		return 0;
	}
	if (!(elf_view_flags(view) & ELF_DYNAMIC))
		return 0;
	struct facts *facts = make_facts(view);
	if (!facts)
		return status_fail(DLAZY_ENOMEM, "%s: out of memory", path);
	facts->identity = *ret_identity;
	*ret = facts;
	return 0;
}

char *facts_name(const char *path, uint64_t key)
{
	_cleanup_elf_view_ struct elf_view *view = NULL;
	const unsigned taken = 1u << TABLE_IMPORTS | 1u << TABLE_COPIES;
	struct file_identity identity;
	struct elf_symbol symbol;

	if (open_view(path, &identity, &view) < 0) {
		status_clear();
		return NULL;
	}
	for (size_t i = 1; i < elf_view_symbol_count(view); i++)
		if (elf_view_symbol(view, i, &symbol) &&
		    lists_of(&symbol, is_program(view)) & taken &&
		    tables_key(symbol.name, symbol.version) == key)
			return strdup(symbol.name);
	return NULL;
}
