/* SPDX-License-Identifier: MIT */
/*
 * Finding who has whose address of a function. Both sides are told by
 * relocations: a call has a slot of its own kind, and every other reference to
 * a function takes its address. (Code compiled with -fno-plt calls through
 * such references too, and so counts as taking the address.)
 *
 * A library's own relocation against a symbol that can be preempted binds to
 * the stub, as everybody's does: no difference can be seen. Relative
 * relocations and instructions (addrtaken.h) give it its own address. Such an
 * address also leads to its own file.
 */
#include "link/decide/identity.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "link/code/text.h"
#include "link/copy/addrtaken.h"

#include <fcntl.h>
#include <string.h>

struct identity {
	const struct closure *closure;
	const struct symtab *symtab;
	/* Of each definition, by symtab_position(): the first object that takes
	 * its address, which is not its own, + 1. */
	size_t *taken_by;
};

static int out_of_memory(void)
{
	return status_fail(DLAZY_ENOMEM, "verdicts: out of memory");
}

static const struct definition *find(const struct identity *identity,
				     const struct elf_symbol *symbol)
{
	const struct symtab_name *name =
		symtab_find(identity->symtab, symbol->name);

	return name ? symtab_resolve(name, symbol->version, 0) : NULL;
}

static void take(struct identity *identity, size_t by,
		 const struct elf_symbol *symbol)
{
	const struct definition *definition = find(identity, symbol);

	if (!definition || definition->object == by ||
	    !definition_is_function(definition))
		return;
	size_t *at = &identity->taken_by[symtab_position(identity->symtab,
							 definition)];
	if (*at == 0)
		*at = by + 1;
}

/* A program that is not position-independent takes the address of a function
 * by giving it one, in its PLT. */
static void take_canonical(struct identity *identity, size_t by, bool all)
{
	const struct elf_view *view = identity->closure->objects[by].view;
	struct elf_symbol symbol;

	for (size_t i = 1; i < elf_view_symbol_count(view); i++)
		if (elf_view_symbol(view, i, &symbol) && !symbol.defined &&
		    (all || symbol.value != 0))
			take(identity, by, &symbol);
}

static bool is_address(const struct elf_fixup *fixup)
{
	return fixup->symbol != 0 && (fixup->kind == ELF_FIXUP_ADDRESS ||
				      fixup->kind == ELF_FIXUP_SLOT);
}

static const struct elf_fixup *all_fixups(const struct elf_data *data,
					  size_t *ret)
{
	return elf_data_fixups(data, (struct elf_range){0, UINT64_MAX}, ret);
}

static int open_file(const struct closure_object *object, int *ret)
{
	struct file_identity ignored;

	return file_open(AT_FDCWD, object->path, ret, &ignored);
}

static int take_all(struct identity *identity, size_t by)
{
	const struct closure_object *object = &identity->closure->objects[by];
	_cleanup_elf_data_ struct elf_data *data = NULL;
	_cleanup_close_ int fd = -1;
	struct elf_symbol symbol;
	size_t n = 0;
	int r = open_file(object, &fd);

	if (r == 0)
		r = elf_data_open(fd, object->path, &data);
	if (r == -DLAZY_ENOMEM)
		return r;
	if (r < 0)
		status_clear();
	take_canonical(identity, by, r < 0);
	const struct elf_fixup *fixups = data ? all_fixups(data, &n) : NULL;
	for (size_t i = 0; i < n; i++)
		if (is_address(&fixups[i]) &&
		    elf_view_symbol(object->view, fixups[i].symbol, &symbol))
			take(identity, by, &symbol);
	return 0;
}

int identity_open(const struct closure *closure, const struct symtab *symtab,
		  struct identity **ret)
{
	struct identity *identity = calloc(1, sizeof(*identity));
	int r = 0;

	if (!identity)
		return out_of_memory();
	identity->closure = closure;
	identity->symtab = symtab;
	identity->taken_by = calloc(closure_symbol_count(closure) + 1,
				    sizeof(*identity->taken_by));
	if (!identity->taken_by)
		r = out_of_memory();
	for (size_t i = 0; r == 0 && i < closure->count; i++)
		if (closure->objects[i].view)
			r = take_all(identity, i);
	if (r < 0)
		identity_close(identity);
	else
		*ret = identity;
	return r;
}

void identity_close(struct identity *identity)
{
	if (!identity)
		return;
	free(identity->taken_by);
	free(identity);
}

/* ------------------------------------------------------------------ */
/* Compared                                                           */

static size_t taken_by(const struct identity *identity,
		       const struct definition *own)
{
	return own->type == ELF_TYPE_FUNC ? identity->taken_by[symtab_position(
						    identity->symtab, own)]
					  : 0;
}

static bool is_any_taken(const struct identity *identity,
			 const struct definition *own, size_t n)
{
	for (size_t d = 0; d < n; d++)
		if (taken_by(identity, &own[d]))
			return true;
	return false;
}

int identity_compared(const struct identity *identity, size_t i,
		      const struct definition **ret, size_t *ret_by)
{
	const struct closure_object *object = &identity->closure->objects[i];
	_cleanup_addrtaken_ struct addrtaken *taken = NULL;
	_cleanup_close_ int fd = -1;
	struct elf_symbol symbol;
	size_t n;
	const struct definition *own =
		symtab_of_object(identity->symtab, i, &n);

	*ret = NULL;
	if (!is_any_taken(identity, own, n))
		return 0;
	int r = open_file(object, &fd);
	if (r == 0)
		r = addrtaken_open(object->view, own, n, fd, object->path,
				   &taken);
	if (r == -DLAZY_ENOMEM)
		return r;
	if (r < 0)
		status_clear();
	for (size_t d = 0; !*ret && d < n; d++) {
		size_t by = taken_by(identity, &own[d]);

		if (!by ||
		    (r == 0 &&
		     elf_view_symbol(object->view, own[d].symbol, &symbol) &&
		     !addrtaken_has_function(taken, symbol.value)))
			continue;
		*ret = &own[d];
		*ret_by = by - 1;
	}
	return 0;
}

/* ------------------------------------------------------------------ */
/* Located                                                            */

static bool imports_any(const struct elf_view *view, const char *const *names,
			size_t count)
{
	struct elf_symbol symbol;

	for (size_t i = 1; i < elf_view_symbol_count(view); i++)
		for (size_t k = 0; k < count; k++)
			if (elf_view_symbol(view, i, &symbol) &&
			    !symbol.defined &&
			    strcmp(symbol.name, names[k]) == 0)
				return true;
	return false;
}

static bool can_ask(const struct closure_object *object, int fd)
{
	static const char *const functions[] = {
		"dladdr", "dladdr1", "dl_iterate_phdr", "_dl_find_object"};
	static const char *const texts[] = {"/proc/self/map", "/proc/self/smap",
					    "/proc/%d/map",   "/proc/%u/map",
					    "/proc/%i/map",   "/proc/%ld/map",
					    "/proc/%lu/map",  NULL};

	return imports_any(object->view, functions, ARRAY_SIZE(functions)) ||
	       text_has_any(fd, object->path, texts);
}

/* Does the library's own reference find what the stub file has? */
static const struct definition *found_elsewhere(const struct identity *identity,
						size_t i,
						const struct elf_fixup *fixup)
{
	const struct elf_view *view = identity->closure->objects[i].view;
	struct elf_symbol symbol;

	if (!is_address(fixup) ||
	    !elf_view_symbol(view, fixup->symbol, &symbol) || !symbol.defined ||
	    symbol.visibility != 0 || elf_view_flags(view) & ELF_SYMBOLIC)
		return NULL;
	const struct definition *found = find(identity, &symbol);
	return found && found->object == i && definition_is_ready(found) ? found
									 : NULL;
}

int identity_located(const struct identity *identity, size_t i,
		     const struct definition **ret)
{
	const struct closure_object *object = &identity->closure->objects[i];
	_cleanup_elf_data_ struct elf_data *data = NULL;
	_cleanup_close_ int fd = -1;
	const struct definition *own = NULL;
	size_t n = 0;
	int r = open_file(object, &fd);

	*ret = NULL;
	if (r == 0)
		r = elf_data_open(fd, object->path, &data);
	if (r < 0) {
		if (r != -DLAZY_ENOMEM)
			status_clear();
		return r == -DLAZY_ENOMEM ? r : 0;
	}
	const struct elf_fixup *fixups = all_fixups(data, &n);
	for (size_t f = 0; !own && f < n; f++)
		own = found_elsewhere(identity, i, &fixups[f]);
	if (own && can_ask(object, fd))
		*ret = own;
	return 0;
}
