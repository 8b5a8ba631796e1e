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

static bool is_program(const struct elf_view *view)
{
	return elf_view_flags(view) & (ELF_PIE | ELF_INTERP);
}

/* A file as it is read. */
struct source {
	struct elf_view *view;
	bool *copied;	 /* per symbol; NULL: none, or: */
	bool any_copied; /* it could not be told */
};

static void cleanup_source(struct source *source)
{
	elf_view_close(source->view);
	free(source->copied);
}
#define _cleanup_source_ _cleanup_(cleanup_source)

static bool is_copied(const struct source *source, size_t i)
{
	return source->copied ? source->copied[i] : source->any_copied;
}

static bool is_data(const struct elf_symbol *symbol)
{
	return symbol->type != ELF_TYPE_FUNC && symbol->type != ELF_TYPE_IFUNC;
}

/* Symbol i, if it is taken from another file; *ret_key: as what. */
static bool is_import(const struct source *source, size_t i,
		      const struct elf_symbol *symbol, uint64_t *ret_key)
{
	bool copied = symbol->defined && is_copied(source, i);

	*ret_key = tables_key(symbol->name, symbol->version) |
		   (copied ? TABLES_COPY : 0);
	return is_data(symbol) && (copied || !symbol->defined);
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

static bool collect_symbol(const struct source *source, size_t i,
			   struct lists *lists)
{
	struct elf_symbol symbol;
	uint64_t key;

	if (!elf_view_symbol(source->view, i, &symbol))
		return true;
	if (is_import(source, i, &symbol, &key) &&
	    !add(&lists->lists[TABLE_IMPORTS], symbol.name, key))
		return false;
	return !symbol.defined || !is_data(&symbol) ||
	       add(&lists->lists[TABLE_DATA], symbol.name,
		   tables_key(symbol.name, symbol.version));
}

static bool collect(const struct source *source, struct lists *lists)
{
	const struct elf_view *view = source->view;

	for (size_t i = 0; i < elf_view_needed_count(view); i++) {
		const char *name = elf_view_needed(view, i);

		if (!add(&lists->lists[TABLE_NEEDS], name, hash_string(name)))
			return false;
	}
	for (size_t i = 1; i < elf_view_symbol_count(view); i++)
		if (!collect_symbol(source, i, lists))
			return false;
	return true;
}

static int compare_names(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static struct facts *make_facts(const struct source *source)
{
	const struct elf_view *view = source->view;
	_cleanup_(cleanup_lists) struct lists lists = {0};
	struct items *imports = &lists.lists[TABLE_IMPORTS];
	struct facts *facts;
	size_t n = 0;

	if (!collect(source, &lists))
		return NULL;
	if (imports->count > 1)
		qsort(imports->items, imports->count, sizeof(*imports->items),
		      compare_names);
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

		facts->counts[k] = (uint32_t)items->count;
		for (size_t i = 0; i < items->count; i++)
			facts->keys[n++] = items->items[i].key;
	}
	return facts;
}

static int open_source(const char *path, struct file_identity *ret_identity,
		       struct source *ret)
{
	_cleanup_close_ int fd = -1;
	int status = file_open(AT_FDCWD, path, &fd, ret_identity);

	if (status == 0)
		status = elf_view_open(fd, path, &ret->view);
	if (status < 0 || !is_program(ret->view))
		return status;
	status = elf_view_copies(ret->view, fd, &ret->copied);
	ret->any_copied = status < 0;
	return status == -DLAZY_ENOMEM ? status : 0;
}

int facts_read(const char *path, struct file_identity *ret_identity,
	       struct facts **ret)
{
	_cleanup_source_ struct source source = {0};

	*ret_identity = (struct file_identity){0};
	*ret = NULL;
	int status = open_source(path, ret_identity, &source);
	if (status == -DLAZY_ENOMEM)
		return status;
	status_clear();
	if (status < 0 || !(elf_view_flags(source.view) & ELF_DYNAMIC))
		return 0;
	*ret = make_facts(&source);
	return *ret ? 0 : status_fail(DLAZY_ENOMEM, "%s: out of memory", path);
}

char *facts_name(const char *path, uint64_t key)
{
	_cleanup_source_ struct source source = {0};
	struct file_identity identity;
	struct elf_symbol symbol;
	uint64_t own;
	int status = open_source(path, &identity, &source);

	status_clear();
	if (status < 0)
		return NULL;
	for (size_t i = 1; i < elf_view_symbol_count(source.view); i++)
		if (elf_view_symbol(source.view, i, &symbol) &&
		    is_import(&source, i, &symbol, &own) && own == key)
			return strdup(symbol.name);
	return NULL;
}
