/* SPDX-License-Identifier: MIT */
/*
 * A hash table over two arrays, one of names and one of definitions, which are
 * as long as all symbol tables together: no pointer into them ever changes. A
 * match is what glibc's check_match() takes, but for references without a
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

struct names {
	struct map map; /* hash -> struct name */
	struct name *names;
	size_t name_count;
	struct definition *definitions; /* object by object */
	size_t definition_count;
	size_t *first; /* of each object; [closure's count]: all */
};

void names_free(struct names *names)
{
	if (!names)
		return;
	map_clear(&names->map);
	free(names->names);
	free(names->definitions);
	free(names->first);
	free(names);
}

static void cleanup_names(struct names **names)
{
	names_free(*names);
}

static struct name *find(const struct names *names, uint64_t hash,
			 const char *text)
{
	struct name *name = map_get(&names->map, hash);

	while (name && strcmp(name->text, text) != 0)
		name = name->other;
	return name;
}

struct name *names_find(const struct names *names, const char *text)
{
	return find(names, hash_string(text), text);
}

/* The name, made if it is new; NULL: out of memory. */
static struct name *name_of(struct names *names, const char *text)
{
	uint64_t hash = hash_string(text);
	struct name *name = find(names, hash, text);

	if (name)
		return name;
	name = &names->names[names->name_count];
	name->text = text;
	name->other = map_get(&names->map, hash);
	if (!map_put(&names->map, hash, name))
		return NULL;
	names->name_count++;
	return name;
}

static bool add(struct names *names, const struct elf_symbol *symbol,
		size_t object, size_t place)
{
	struct definition *definition =
		&names->definitions[names->definition_count];
	struct name *name = name_of(names, symbol->name);

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
	names->definition_count++;
	if (name->last)
		name->last->next = definition;
	else
		name->first = definition;
	name->last = definition;
	return true;
}

bool names_is_marker(const struct elf_symbol *symbol)
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

static bool add_object(struct names *names, const struct elf_view *view,
		       size_t object)
{
	struct elf_symbol symbol;

	for (size_t i = 1; i < elf_view_symbol_count(view); i++)
		if (elf_view_symbol(view, i, &symbol) && symbol.defined &&
		    !names_is_marker(&symbol) &&
		    !add(names, &symbol, object, i))
			return false;
	return true;
}

static int out_of_memory(void)
{
	return status_fail(DLAZY_ENOMEM, "symbols of a program's libraries: "
					 "out of memory");
}

/* An undefined symbol with a value: the psABIs' "function addresses". */
static void mark_fixed(const struct names *names,
		       const struct elf_view *program)
{
	struct elf_symbol symbol;

	for (size_t i = 1; i < elf_view_symbol_count(program); i++) {
		if (!elf_view_symbol(program, i, &symbol) || symbol.defined ||
		    symbol.value == 0)
			continue;
		struct name *name = names_find(names, symbol.name);
		if (name)
			name->fixed = true;
	}
}

int names_build(const struct closure *closure, struct names **ret)
{
	_cleanup_(cleanup_names) struct names *names =
		calloc(1, sizeof(*names));
	size_t most = closure_symbol_count(closure);

	if (!names)
		return out_of_memory();
	names->names = calloc(most + 1, sizeof(*names->names));
	names->definitions = calloc(most + 1, sizeof(*names->definitions));
	names->first = calloc(closure->count + 1, sizeof(*names->first));
	if (!names->names || !names->definitions || !names->first ||
	    !map_reserve(&names->map, most))
		return out_of_memory();
	for (size_t i = 0; i < closure->count; i++) {
		names->first[i] = names->definition_count;
		if (closure->objects[i].view &&
		    !add_object(names, closure->objects[i].view, i))
			return out_of_memory();
	}
	names->first[closure->count] = names->definition_count;
	if (closure->count && closure->objects[0].view)
		mark_fixed(names, closure->objects[0].view);
	*ret = TAKE_PTR(names);
	return 0;
}

void names_forget_start(struct names *names)
{
	for (size_t i = 0; i < names->name_count; i++)
		names->names[i].at_start = false;
}

size_t names_count(const struct names *names)
{
	return names->name_count;
}

const struct name *names_at(const struct names *names, size_t i)
{
	return &names->names[i];
}

const struct definition *names_of_object(const struct names *names, size_t i,
					 size_t *ret_count)
{
	*ret_count = names->first[i + 1] - names->first[i];
	return names->definitions + names->first[i];
}

size_t names_place(const struct names *names,
		   const struct definition *definition)
{
	return (size_t)(definition - names->definitions);
}

struct definition *names_change(struct names *names, size_t i,
				size_t *ret_count)
{
	*ret_count = names->first[i + 1] - names->first[i];
	return names->definitions + names->first[i];
}

bool definition_satisfies(const struct definition *definition,
			  const char *version)
{
	return !*version || !*definition->version ||
	       strcmp(definition->version, version) == 0;
}

const struct definition *names_resolve(const struct name *name,
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

bool definitions_are_alike(const struct definition *a,
			   const struct definition *b)
{
	return a->binding != ELF_BINDING_GLOBAL &&
	       b->binding != ELF_BINDING_GLOBAL &&
	       (definition_is_function(a) ||
		strncmp(a->name->text, "_Z", 2) == 0);
}

bool definition_is_ready(const struct definition *definition)
{
	return definition_is_function(definition) || definition->mirrored;
}
