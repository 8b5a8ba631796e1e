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

struct lists {
	struct items lists[TABLE_READ];
};

static void cleanup_lists(struct lists *lists)
{
	for (int i = 0; i < TABLE_READ; i++)
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

static bool collect_symbol(const struct elf_view *view, size_t i,
			   struct lists *lists)
{
	struct elf_symbol symbol;

	if (!elf_view_symbol(view, i, &symbol) || !is_data(&symbol))
		return true;
	enum table_list list = symbol.defined ? TABLE_DATA : TABLE_IMPORTS;
	return add(&lists->lists[list], symbol.name,
		   tables_key(symbol.name, symbol.version));
}

static bool collect(const struct elf_view *view, struct lists *lists)
{
	if (is_program(view))
		return true;
	for (size_t i = 0; i < elf_view_needed_count(view); i++) {
		const char *name = elf_view_needed(view, i);

		if (!add(&lists->lists[TABLE_NEEDS], name, hash_string(name)))
			return false;
	}
	for (size_t i = 1; i < elf_view_symbol_count(view); i++)
		if (!collect_symbol(view, i, lists))
			return false;
	return true;
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

static struct facts *make_facts(const struct elf_view *view)
{
	_cleanup_(cleanup_lists) struct lists lists = {0};
	struct facts *facts;
	size_t n = 0;

	if (!collect(view, &lists))
		return NULL;
	for (int k = 0; k < TABLE_READ; k++) {
		sort(&lists.lists[k]);
		n += lists.lists[k].count;
	}
	facts = calloc(1, sizeof(*facts) + n * sizeof(facts->keys[0]));
	if (!facts)
		return NULL;
	if (*elf_view_soname(view))
		facts->soname = hash_string(elf_view_soname(view));
	n = 0;
	for (int k = 0; k < TABLE_READ; k++) {
		struct items *items = &lists.lists[k];

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
	*ret = make_facts(view);
	return *ret ? 0 : status_fail(DLAZY_ENOMEM, "%s: out of memory", path);
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
	return *ret ? 0 : status_fail(DLAZY_ENOMEM, "%s: out of memory", path);
}
