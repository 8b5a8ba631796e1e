/* SPDX-License-Identifier: MIT */
/*
 * Finding which objects have the address of a function's stub, and which that of the
 * function itself. Both sides are told by relocations: a call has a slot of its own
 * kind, and every other reference to a function takes its address. (Code compiled
 * with -fno-plt calls through such references too, and so counts as taking the
 * address.) An object that calls dlsym may take the address of each function whose
 * name is one of its texts.
 *
 * A library's own relocation against a symbol that can be preempted binds to the
 * stub, as everybody's does: no difference can be seen. Relative relocations and
 * instructions (addrtaken.h) give it its own address. Such an address also leads to
 * its own file.
 */
#include "link/decide/identity.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "link/code/text.h"
#include "link/copy/addrtaken.h"

#include <fcntl.h>
#include <string.h>

/* Of functions' names, by text_hash(). */
#define NAMES_BITS (1u << 23)

enum asking { ASKING_UNKNOWN, ASKING_NO, ASKING_YES };

struct identity {
	const struct closure *closure;
	const struct symtab *symtab;
	/* Of each definition, by symtab_position(): the first object that takes
	 * its address, which is not its own, + 1; the first of those that can
	 * ask where it lies, + 1. */
	size_t *taken_by, *asked_by;
	uint8_t *asking; /* enum asking, of each object; then of others */
	uint8_t *names;
};

static const struct definition *find(const struct identity *identity,
				     const struct elf_symbol *symbol)
{
	const struct symtab_name *name =
		symtab_find(identity->symtab, symbol->name);

	return name ? symtab_resolve(name, symbol->version, 0) : NULL;
}

static int open_file(const struct closure_object *object, int *ret)
{
	struct file_identity ignored;

	return file_open(AT_FDCWD, object->path, ret, &ignored);
}

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

/* ------------------------------------------------------------------ */
/* Who can ask where an address lies                                  */

/* The name may be put together from pieces, and these of what instructions
 * hold: four letters and more. */
static bool may_read_maps(const struct closure_object *object, int fd)
{
	static const char *const directory[] = {"/pro", NULL};
	static const char *const file[] = {"maps", "/map", NULL};

	return text_has_any(fd, object->path, directory) &&
	       text_has_any(fd, object->path, file);
}

static bool reads_maps(const struct closure_object *object, int fd)
{
	static const char *const texts[] = {
		"/proc/self/map",	 "/proc/self/smap",
		"/proc/%d/map",		 "/proc/%u/map",
		"/proc/%i/map",		 "/proc/%ld/map",
		"/proc/%lu/map",	 "/proc/%s/map",
		"/proc/thread-self/map", NULL};

	return text_has_any(fd, object->path, texts);
}

/* Of its own functions, or, of the program, of anybody's. */
static bool look_if_it_asks(const struct closure_object *object)
{
	static const char *const functions[] = {
		"dladdr",	   "dladdr1",
		"dl_iterate_phdr", "_dl_find_object",
		"_r_debug",	   "backtrace_symbols",
		"dlinfo",	   "backtrace_symbols_fd"};
	_cleanup_close_ int fd = -1;

	if (imports_any(object->view, functions, ARRAY_SIZE(functions)))
		return true;
	if (open_file(object, &fd) == 0)
		return may_read_maps(object, fd);
	status_clear();
	return true;
}

/* Of other libraries' functions. Who goes through all objects does so to unwind,
 * and looks for where a call came from. */
static bool look_if_it_asks_of_others(const struct closure_object *object)
{
	static const char *const functions[] = {"dladdr", "dladdr1"};
	_cleanup_close_ int fd = -1;

	if (imports_any(object->view, functions, ARRAY_SIZE(functions)))
		return true;
	if (open_file(object, &fd) == 0)
		return reads_maps(object, fd);
	status_clear();
	return true;
}

static bool is_known_to_ask(uint8_t *asking,
			    bool look(const struct closure_object *),
			    const struct closure_object *object)
{
	if (*asking == ASKING_UNKNOWN)
		*asking = look(object) ? ASKING_YES : ASKING_NO;
	return *asking == ASKING_YES;
}

static bool can_ask(struct identity *identity, size_t i)
{
	return is_known_to_ask(&identity->asking[i], look_if_it_asks,
			       &identity->closure->objects[i]);
}

static bool can_ask_of_others(struct identity *identity, size_t i)
{
	if (i == 0)
		return can_ask(identity, i);
	return is_known_to_ask(&identity->asking[identity->closure->count + i],
			       look_if_it_asks_of_others,
			       &identity->closure->objects[i]);
}

/* ------------------------------------------------------------------ */
/* Who has another's address                                          */

static void take(struct identity *identity, size_t by,
		 const struct definition *definition, bool asks)
{
	if (!definition || definition->object == by ||
	    !definition_is_function(definition))
		return;
	size_t at = symtab_position(identity->symtab, definition);
	if (identity->taken_by[at] == 0)
		identity->taken_by[at] = by + 1;
	if (identity->asked_by[at] == 0 && asks)
		identity->asked_by[at] = by + 1;
}

/* A program that is not position-independent takes the address of a function
 * by giving it one, in its PLT. */
static void take_canonical(struct identity *identity, size_t by, bool all,
			   bool asks)
{
	const struct elf_view *view = identity->closure->objects[by].view;
	struct elf_symbol symbol;

	for (size_t i = 1; i < elf_view_symbol_count(view); i++)
		if (elf_view_symbol(view, i, &symbol) && !symbol.defined &&
		    (all || symbol.value != 0))
			take(identity, by, find(identity, &symbol), asks);
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

static bool looks_up(const struct elf_view *view)
{
	static const char *const functions[] = {"dlsym", "dlvsym", "lt_dlsym",
						"g_module_symbol"};

	return imports_any(view, functions, ARRAY_SIZE(functions));
}

static uint8_t *name_bits(const struct identity *identity, uint32_t hash,
			  uint8_t *ret_bit)
{
	*ret_bit = (uint8_t)(1u << hash % 8);
	return &identity->names[hash % NAMES_BITS / 8];
}

static void note_names(struct identity *identity)
{
	uint8_t bit;

	for (size_t i = 0; i < symtab_count(identity->symtab); i++) {
		const struct symtab_name *name = symtab_at(identity->symtab, i);
		uint8_t *at = name_bits(identity, text_hash(name->text), &bit);

		*at |= bit;
	}
}

struct taker {
	struct identity *identity;
	size_t by;
};

static void take_word(const char *word, uint32_t hash, void *arg)
{
	struct taker *taker = arg;
	uint8_t bit;

	if (!(*name_bits(taker->identity, hash, &bit) & bit))
		return;
	const struct symtab_name *name =
		symtab_find(taker->identity->symtab, word);
	if (name)
		take(taker->identity, taker->by, symtab_resolve(name, "", 0),
		     taker->by == 0 && can_ask(taker->identity, 0));
}

/* It cannot be told which names it has. */
static void take_each_name(struct identity *identity, size_t by)
{
	for (size_t i = 0; i < symtab_count(identity->symtab); i++)
		take(identity, by,
		     symtab_resolve(symtab_at(identity->symtab, i), "", 0),
		     by == 0 && can_ask(identity, 0));
}

static int take_by_name(struct identity *identity, size_t by)
{
	const struct closure_object *object = &identity->closure->objects[by];
	struct taker taker = {identity, by};
	_cleanup_close_ int fd = -1;
	int r = open_file(object, &fd);

	if (r == 0)
		r = text_each_word(fd, object->path, take_word, &taker);
	if (r == 0 || r == -DLAZY_ENOMEM)
		return r;
	status_clear();
	take_each_name(identity, by);
	return 0;
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
	bool asks = can_ask_of_others(identity, by);
	take_canonical(identity, by, r < 0, asks);
	const struct elf_fixup *fixups = data ? all_fixups(data, &n) : NULL;
	for (size_t i = 0; i < n; i++)
		if (is_address(&fixups[i]) &&
		    elf_view_symbol(object->view, fixups[i].symbol, &symbol))
			take(identity, by, find(identity, &symbol), asks);
	return looks_up(object->view) ? take_by_name(identity, by) : 0;
}

int identity_open(const struct closure *closure, const struct symtab *symtab,
		  struct identity **ret)
{
	struct identity *identity = calloc(1, sizeof(*identity));
	int r = 0;

	if (!identity)
		return status_no_memory("verdicts");
	identity->closure = closure;
	identity->symtab = symtab;
	size_t symbols = closure_symbol_count(closure) + 1;
	identity->taken_by = calloc(symbols, sizeof(*identity->taken_by));
	identity->asked_by = calloc(symbols, sizeof(*identity->asked_by));
	identity->asking = calloc(closure->count, 2);
	identity->names = calloc(1, NAMES_BITS / 8);
	if (!identity->taken_by || !identity->asked_by || !identity->asking ||
	    !identity->names)
		r = status_no_memory("verdicts");
	else
		note_names(identity);
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
	free(identity->asked_by);
	free(identity->asking);
	free(identity->names);
	free(identity);
}

/* ------------------------------------------------------------------ */
/* Compared                                                           */

static size_t taken_by(const struct identity *identity,
		       const struct definition *own)
{
	return definition_is_function(own) ? identity->taken_by[symtab_position(
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

		/* What an IFUNC's resolver gives is known to the library. */
		if (!by ||
		    (r == 0 && own[d].type == ELF_TYPE_FUNC &&
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

/* The one that another, who can ask, has the address of. */
static const struct definition *asked_elsewhere(const struct identity *identity,
						size_t i, size_t *ret_by)
{
	size_t n;
	const struct definition *own =
		symtab_of_object(identity->symtab, i, &n);

	for (size_t d = 0; d < n; d++) {
		size_t by = identity->asked_by[symtab_position(identity->symtab,
							       &own[d])];
		if (!by)
			continue;
		*ret_by = by - 1;
		return &own[d];
	}
	return NULL;
}

int identity_located(struct identity *identity, size_t i,
		     const struct definition **ret, size_t *ret_by)
{
	const struct closure_object *object = &identity->closure->objects[i];
	_cleanup_elf_data_ struct elf_data *data = NULL;
	_cleanup_close_ int fd = -1;
	const struct definition *own = NULL;
	size_t n = 0;

	*ret_by = i;
	*ret = asked_elsewhere(identity, i, ret_by);
	if (*ret)
		return 0;
	int r = open_file(object, &fd);
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
	if (own && can_ask(identity, i))
		*ret = own;
	return 0;
}

static bool has_text(const struct closure_object *object, const char *text)
{
	const char *const texts[] = {text, NULL};
	_cleanup_close_ int fd = -1;

	if (open_file(object, &fd) == 0)
		return text_has_any(fd, object->path, texts);
	status_clear();
	return true;
}

bool identity_opened(const struct identity *identity, const char *soname,
		     size_t *ret_by)
{
	static const char *const functions[] = {"dlinfo"};
	const struct closure *closure = identity->closure;

	for (size_t by = 0; by < closure->count; by++) {
		const struct closure_object *object = &closure->objects[by];

		if (!object->view ||
		    !imports_any(object->view, functions,
				 ARRAY_SIZE(functions)) ||
		    !has_text(object, soname))
			continue;
		*ret_by = by;
		return true;
	}
	return false;
}
