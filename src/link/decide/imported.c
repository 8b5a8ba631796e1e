/* SPDX-License-Identifier: MIT */
/*
 * Finding imported data in the closure and in the index. The index knows
 * symbols by hashed keys, and several definitions can have one key: then all
 * of them count as imported.
 */
#include "link/decide/imported.h"

#include "base/cleanup.h"
#include "base/status.h"
#include "link/index/index.h"

/* What a library defines, with the index's keys. */
struct keyed {
	const struct definition *own;
	size_t count;
	uint64_t *keys;
	bool *imported;
};

static void cleanup_keyed(struct keyed *keyed)
{
	free(keyed->keys);
}

static int keyed_of(const struct symtab *symtab, size_t object,
		    struct keyed *ret)
{
	size_t n;
	const struct definition *own = symtab_of_object(symtab, object, &n);
	uint64_t *keys = calloc(n + 1, sizeof(*keys));

	if (!keys)
		return status_no_memory("what is taken");
	for (size_t i = 0; i < n; i++)
		keys[i] = index_key(own[i].name->text, own[i].version);
	*ret = (struct keyed){own, n, keys, NULL};
	return 0;
}

static bool want(uint64_t key, void *data)
{
	const struct keyed *keyed = data;

	for (size_t i = 0; i < keyed->count; i++)
		keyed->imported[i] |= keyed->keys[i] == key;
	return true;
}

static bool is_ready(uint64_t key, void *data)
{
	const struct keyed *keyed = data;
	bool found = false, all = true;

	for (size_t i = 0; i < keyed->count; i++) {
		if (keyed->keys[i] != key)
			continue;
		found = true;
		all &= definition_is_ready(&keyed->own[i]);
	}
	return found && all;
}

void imported_by_closure(const struct closure *closure,
			 const struct symtab *symtab,
			 const struct references *references, bool *imported)
{
	for (size_t t = 0; t < references->first[closure->count]; t++)
		if (references->list[t].from && !references->list[t].vague)
			imported[symtab_position(
				symtab, references->list[t].from)] = true;
}

int imported_by_index(const struct closure *closure,
		      const struct symtab *symtab, const struct index *index,
		      size_t object, bool *imported)
{
	_cleanup_(cleanup_keyed) struct keyed keyed = {.count = 0};
	char *symbol, *importer;
	int r = keyed_of(symtab, object, &keyed);

	if (r < 0)
		return r;
	keyed.imported = imported;
	return index_has_importer(index, closure->objects[object].path, want,
				  &keyed, &symbol, &importer);
}

int imported_unready(const struct closure *closure, const struct symtab *symtab,
		     const struct index *index, size_t object, bool *ret,
		     char **ret_symbol, char **ret_importer)
{
	_cleanup_(cleanup_keyed) struct keyed keyed = {.count = 0};
	int r = keyed_of(symtab, object, &keyed);

	if (r < 0)
		return r;
	r = index_has_importer(index, closure->objects[object].path, is_ready,
			       &keyed, ret_symbol, ret_importer);
	*ret = r > 0;
	return r < 0 ? r : 0;
}
