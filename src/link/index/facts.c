/* SPDX-License-Identifier: MIT */
/*
 * A file imports the data symbols that it does not define, and that its link
 * editor did not see to be functions: an undefined symbol has the type of the
 * definition that was found when the file was linked, or none if none was found
 * (a plugin's, of its host).
 *
 * A program imports nothing, as far as the index goes: it comes into no other
 * program's process, and what it imports itself is seen in its closure.
 */
#include "link/index/facts.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/status.h"
#include "elf/view.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Libraries may be run, too: libc.so.6 has an interpreter. */
static bool is_program(const struct elf_view *view)
{
	unsigned flags = elf_view_flags(view);

	return flags & ELF_PIE ||
	       (flags & ELF_INTERP && *elf_view_soname(view) == '\0');
}

static bool is_data(const struct elf_symbol *symbol)
{
	return symbol->type != ELF_TYPE_FUNC && symbol->type != ELF_TYPE_IFUNC;
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

/*
 * How long all its names may be together: so many times the file, and this for a
 * small one. Names can overlap, so a small file could ask for hours. Link editors
 * share the ends of names, but not this much: such a file is damaged.
 */
#define NAMES_FACTOR 16
#define NAMES_LEAST 65536

struct lists {
	struct items lists[TABLE_READ];
	uint64_t left; /* bytes of names that may still come */
};

static void cleanup_lists(struct lists *lists)
{
	for (int i = 0; i < TABLE_READ; i++)
		free(lists->lists[i].items);
}

static bool has_room(struct lists *lists, const char *name)
{
	size_t most = lists->left < SIZE_MAX ? (size_t)lists->left : SIZE_MAX;
	size_t n = strnlen(name, most);

	lists->left -= n;
	return n < most;
}

/* 0, -DLAZY_ENOMEM, or -DLAZY_EFORMAT: the names are too long. */
static int lists_add(struct lists *lists, enum table_list which,
		     const char *name, const char *version)
{
	struct items *items = &lists->lists[which];

	if (!has_room(lists, name))
		return -DLAZY_EFORMAT;
	if (!array_reserve(&items->items, items->count, &items->room,
			   sizeof(*items->items)))
		return -DLAZY_ENOMEM;
	items->items[items->count++] = (struct item){
		name, version ? tables_key(name, version) : hash_string(name)};
	return 0;
}

static int collect_symbol(const struct elf_view *view, size_t i,
			  struct lists *lists)
{
	struct elf_symbol symbol;

	if (!elf_view_symbol(view, i, &symbol) || !is_data(&symbol))
		return 0;
	return lists_add(lists, symbol.defined ? TABLE_DATA : TABLE_IMPORTS,
			 symbol.name, symbol.version);
}

static int collect(const struct elf_view *view, struct lists *lists)
{
	int status = 0;

	if (is_program(view))
		return 0;
	for (size_t i = 0; status == 0 && i < elf_view_needed_count(view); i++)
		status = lists_add(lists, TABLE_NEEDS, elf_view_needed(view, i),
				   NULL);
	for (size_t i = 1; status == 0 && i < elf_view_symbol_count(view); i++)
		status = collect_symbol(view, i, lists);
	return status;
}

static int compare_names(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void sort(struct items *items)
{
	if (items->count > 1)
		qsort(items->items, items->count, sizeof(*items->items),
		      compare_names);
}

/* As collect(). */
static int make_facts(const struct elf_view *view, uint64_t size,
		      struct facts **ret)
{
	_cleanup_(cleanup_lists) struct lists lists = {
		.left = size * NAMES_FACTOR + NAMES_LEAST};
	struct facts *facts;
	size_t n = 0;

	int status = collect(view, &lists);
	if (status < 0)
		return status;
	for (int k = 0; k < TABLE_READ; k++) {
		sort(&lists.lists[k]);
		n += lists.lists[k].count;
	}
	facts = calloc(1, sizeof(*facts) + n * sizeof(facts->keys[0]));
	if (!facts)
		return -DLAZY_ENOMEM;
	if (*elf_view_soname(view))
		facts->soname = hash_string(elf_view_soname(view));
	n = 0;
	for (int k = 0; k < TABLE_READ; k++) {
		struct items *items = &lists.lists[k];

		facts->counts[k] = (uint32_t)items->count;
		for (size_t i = 0; i < items->count; i++)
			facts->keys[n++] = items->items[i].key;
	}
	*ret = facts;
	return 0;
}

static int open_view(const char *path, struct file_identity *ret_identity,
		     struct elf_view **ret)
{
	_cleanup_close_ int fd = -1;
	int status = file_open(AT_FDCWD, path, &fd, ret_identity);

	return status == 0 ? elf_view_open(fd, path, ret) : status;
}

bool facts_denied(const char *path, bool directory)
{
	return faccessat(AT_FDCWD, path, directory ? R_OK | X_OK : R_OK,
			 AT_EACCESS) < 0 &&
	       errno == EACCES;
}

int facts_read(const char *path, struct file_identity *ret_identity,
	       struct facts **ret, bool *ret_denied)
{
	_cleanup_elf_view_ struct elf_view *view = NULL;

	*ret_identity = (struct file_identity){0};
	*ret = NULL;
	*ret_denied = false;
	int status = open_view(path, ret_identity, &view);
	if (status_is_state(status)) {
		*ret_denied = facts_denied(path, false);
		if (!*ret_denied)
			return status;
	}
	status_clear();
	if (status < 0 || !(elf_view_flags(view) & ELF_DYNAMIC))
		return 0;
	status = make_facts(view, ret_identity->size, ret);
	return status == -DLAZY_ENOMEM ? status_no_memory(path) : 0;
}

static const char *find_name(const struct elf_view *view, uint64_t key)
{
	struct elf_symbol symbol;

	for (size_t i = 1; i < elf_view_symbol_count(view); i++)
		if (elf_view_symbol(view, i, &symbol) && !symbol.defined &&
		    is_data(&symbol) &&
		    tables_key_name(tables_key(symbol.name, "")) ==
			    tables_key_name(key))
			return symbol.name;
	return NULL;
}

int facts_name(const char *path, uint64_t key, char **ret)
{
	_cleanup_elf_view_ struct elf_view *view = NULL;
	struct file_identity identity;
	int status = open_view(path, &identity, &view);

	*ret = NULL;
	if (status_is_state(status))
		return status;
	status_clear();
	const char *name = status == 0 ? find_name(view, key) : NULL;
	if (!name)
		return 0;
	*ret = strdup(name);
	return *ret ? 0 : status_no_memory(path);
}
