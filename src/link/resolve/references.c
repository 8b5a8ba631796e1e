/* SPDX-License-Identifier: MIT */
/*
 * What is a symbol reference:
 * - an undefined symbol, resolved over the whole closure, whether or not its
 *   object needs the library (many are underlinked);
 * - a data symbol that an object defines itself, as an earlier definition may
 *   preempt it. The program's may be a copy relocation's copy of a library's
 *   datum: then the library has to be there to be copied from.
 * A function that an object defines itself is none: where an earlier object
 * defines it too, it binds to the stub of that, which is as good.
 */
#include "link/resolve/references.h"

#include "base/cleanup.h"
#include "base/status.h"

static bool is_plain_data(const struct elf_symbol *symbol)
{
	return symbol->type != ELF_TYPE_FUNC && symbol->type != ELF_TYPE_IFUNC;
}

/* Could ld.so bind it to another object's? */
static bool can_be_preempted(const struct elf_view *view,
			     const struct elf_symbol *symbol)
{
	return is_plain_data(symbol) && symbol->visibility == 0 &&
	       !(elf_view_flags(view) & ELF_SYMBOLIC);
}

/*
 * Does the importer have a definition of its own, and is it of vague linkage,
 * as the one that is found first? Then it can do without that one. The program
 * does not count: its definition may be a copy relocation's, which needs the
 * one that it is copied from.
 */
static bool has_own_vague(const struct reference *reference, size_t object)
{
	const struct definition *own = reference->name->first;

	while (own && own->object != object)
		own = own->next;
	return object > 0 && reference->own && own && reference->from &&
	       definitions_are_vague(own, reference->from);
}

static bool find(const struct closure *closure, const struct symtab *symtab,
		 size_t object, const struct elf_symbol *symbol,
		 struct reference *ret)
{
	/* A copy relocation looks behind the program. */
	size_t from = object == 0 && symbol->defined;

	if (symbol->defined &&
	    !can_be_preempted(closure->objects[object].view, symbol))
		return false;
	ret->own = symbol->defined;
	ret->name = symtab_find(symtab, symbol->name);
	if (!ret->name)
		return false;
	ret->from = symtab_resolve(ret->name, symbol->version, from);
	ret->vague = has_own_vague(ret, object);
	return !ret->from || ret->from->object != object;
}

static size_t find_all(const struct closure *closure,
		       const struct symtab *symtab, size_t object,
		       struct reference *ret)
{
	const struct elf_view *view = closure->objects[object].view;
	struct elf_symbol symbol;
	size_t n = 0;

	if (!view)
		return 0;
	for (size_t i = 1; i < elf_view_symbol_count(view); i++)
		if (elf_view_symbol(view, i, &symbol))
			n += find(closure, symtab, object, &symbol, &ret[n]);
	return n;
}

int references_build(const struct closure *closure, const struct symtab *symtab,
		     struct references *ret)
{
	struct references references = {
		.list = calloc(closure_symbol_count(closure) + 1,
			       sizeof(struct reference)),
		.first = calloc(closure->count + 1, sizeof(size_t)),
	};
	size_t n = 0;

	if (!references.list || !references.first) {
		references_clear(&references);
		return status_fail(DLAZY_ENOMEM,
				   "symbols of a program's libraries: out of "
				   "memory");
	}
	for (size_t i = 0; i < closure->count; i++) {
		references.first[i] = n;
		n += find_all(closure, symtab, i, &references.list[n]);
	}
	references.first[closure->count] = n;
	*ret = references;
	return 0;
}

void references_clear(struct references *references)
{
	free(references->list);
	free(references->first);
	*references = (struct references){NULL, NULL};
}
