/* SPDX-License-Identifier: MIT */
/*
 * A hash table over two arrays, one of names and one of definitions, which are
 * as long as all symbol tables together: no pointer into them ever changes. A
 * match is what glibc's check_match() accepts, but for references without a
 * version: to these any version is as good, as the objects, not the versions,
 * are what is asked for.
 */
#include "link/resolve/symtab.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/status.h"

#include <string.h>

struct symtab {
	struct map map; /* hash -> struct symtab_name */
	struct symtab_name *names;
	size_t name_count;
	struct definition *definitions; /* object by object */
	size_t definition_count;
	size_t *first; /* of each object; [closure's count]: all */
};

void symtab_free(struct symtab *symtab)
{
	if (!symtab)
		return;
	map_clear(&symtab->map);
	free(symtab->names);
	free(symtab->definitions);
	free(symtab->first);
	free(symtab);
}

static void cleanup_symtab(struct symtab **symtab)
{
	symtab_free(*symtab);
}

static struct symtab_name *find(const struct symtab *symtab, uint64_t hash,
				const char *text)
{
	struct symtab_name *name = map_get(&symtab->map, hash);

	while (name && strcmp(name->text, text) != 0)
		name = name->other;
	return name;
}

struct symtab_name *symtab_find(const struct symtab *symtab, const char *text)
{
	return find(symtab, hash_string(text), text);
}

/* The name, made if it is new; NULL: out of memory. */
static struct symtab_name *name_of(struct symtab *symtab, const char *text)
{
	uint64_t hash = hash_string(text);
	struct symtab_name *name = find(symtab, hash, text);

	if (name)
		return name;
	name = &symtab->names[symtab->name_count];
	name->text = text;
	name->other = map_get(&symtab->map, hash);
	if (!map_put(&symtab->map, hash, name))
		return NULL;
	symtab->name_count++;
	return name;
}

static bool symtab_add_symbol(struct symtab *symtab,
			      const struct elf_symbol *symbol, size_t object,
			      size_t place)
{
	struct definition *definition =
		&symtab->definitions[symtab->definition_count];
	struct symtab_name *name = name_of(symtab, symbol->name);

	if (!name)
		return false;
	*definition = (struct definition){
		.name = name,
		.version = symbol->version,
		.object = object,
		.symbol = (uint32_t)place,
		.type = symbol->type,
		.binding = symbol->binding,
		.variant = symbol->variant,
	};
	symtab->definition_count++;
	if (name->last)
		name->last->next = definition;
	else
		name->first = definition;
	name->last = definition;
	return true;
}

bool symtab_is_marker(const struct elf_symbol *symbol)
{
	static const char *const markers[] = {
		"_init", "_fini", "_end", "_edata", "_etext", "__bss_start"};

	if (strcmp(symbol->name, symbol->version) == 0)
		return true; /* the name of a version */
	for (size_t i = 0; i < ARRAY_SIZE(markers); i++)
		if (*symbol->name == '_' &&
		    strcmp(symbol->name, markers[i]) == 0)
			return true;
	return false;
}

static bool add_object(struct symtab *symtab, const struct elf_view *view,
		       size_t object)
{
	struct elf_symbol symbol;

	for (size_t i = 1; i < elf_view_symbol_count(view); i++)
		if (elf_view_symbol(view, i, &symbol) && symbol.defined &&
		    !symtab_is_marker(&symbol) &&
		    !symtab_add_symbol(symtab, &symbol, object, i))
			return false;
	return true;
}

/* An undefined symbol with a value: a canonical PLT entry, the psABIs'
 * "function addresses". */
static void mark_canonical_plt(const struct symtab *symtab,
			       const struct elf_view *program)
{
	struct elf_symbol symbol;

	for (size_t i = 1; i < elf_view_symbol_count(program); i++) {
		if (!elf_view_symbol(program, i, &symbol) || symbol.defined ||
		    symbol.value == 0)
			continue;
		struct symtab_name *name = symtab_find(symtab, symbol.name);
		if (name)
			name->canonical_plt = true;
	}
}

int symtab_build(const struct closure *closure, struct symtab **ret)
{
	_cleanup_(cleanup_symtab) struct symtab *symtab =
		calloc(1, sizeof(*symtab));
	size_t most = closure_symbol_count(closure);

	if (!symtab)
		return status_no_memory("symbols of a program's libraries");
	symtab->names = calloc(most + 1, sizeof(*symtab->names));
	symtab->definitions = calloc(most + 1, sizeof(*symtab->definitions));
	symtab->first = calloc(closure->count + 1, sizeof(*symtab->first));
	if (!symtab->names || !symtab->definitions || !symtab->first ||
	    !map_reserve(&symtab->map, most))
		return status_no_memory("symbols of a program's libraries");
	for (size_t i = 0; i < closure->count; i++) {
		symtab->first[i] = symtab->definition_count;
		if (closure->objects[i].view &&
		    !add_object(symtab, closure->objects[i].view, i))
			return status_no_memory(
				"symbols of a program's libraries");
	}
	symtab->first[closure->count] = symtab->definition_count;
	if (closure->count && closure->objects[0].view)
		mark_canonical_plt(symtab, closure->objects[0].view);
	*ret = TAKE_PTR(symtab);
	return 0;
}

void symtab_forget_start(struct symtab *symtab)
{
	for (size_t i = 0; i < symtab->name_count; i++)
		symtab->names[i].at_start = false;
}

size_t symtab_count(const struct symtab *symtab)
{
	return symtab->name_count;
}

const struct symtab_name *symtab_at(const struct symtab *symtab, size_t i)
{
	return &symtab->names[i];
}

const struct definition *symtab_of_object(const struct symtab *symtab, size_t i,
					  size_t *ret_count)
{
	*ret_count = symtab->first[i + 1] - symtab->first[i];
	return symtab->definitions + symtab->first[i];
}

size_t symtab_position(const struct symtab *symtab,
		       const struct definition *definition)
{
	return (size_t)(definition - symtab->definitions);
}

struct definition *symtab_change(struct symtab *symtab, size_t i,
				 size_t *ret_count)
{
	*ret_count = symtab->first[i + 1] - symtab->first[i];
	return symtab->definitions + symtab->first[i];
}

bool definition_satisfies(const struct definition *definition,
			  const char *version)
{
	return !*version || !*definition->version ||
	       strcmp(definition->version, version) == 0;
}

const struct definition *symtab_resolve(const struct symtab_name *name,
					const char *version, size_t from)
{
	const struct definition *at = name->first;

	while (at && (at->object < from || !definition_satisfies(at, version)))
		at = at->next;
	return at;
}

bool definition_is_function(const struct definition *definition)
{
	return definition->type == ELF_TYPE_FUNC ||
	       definition->type == ELF_TYPE_IFUNC;
}

bool definitions_are_vague(const struct definition *a,
			   const struct definition *b)
{
	return a->binding != ELF_BINDING_GLOBAL &&
	       b->binding != ELF_BINDING_GLOBAL &&
	       (definition_is_function(a) ||
		strncmp(a->name->text, "_Z", 2) == 0);
}

bool definition_is_ready(const struct definition *definition)
{
	return definition_is_function(definition) || definition->copied;
}
