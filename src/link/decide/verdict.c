/* SPDX-License-Identifier: MIT */
/*
 * Reaching the verdict. judge() applies the rules, one after the other; the
 * first that a library breaks is its reason. Last the startup link map is
 * settled (startup.c), which may turn more libraries eager. doc/design.md lists
 * the rules in that order.
 */
#include "link/decide/verdict.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "link/code/functions.h"
#include "link/index/index.h"
#include "link/copy/copy.h"
#include "link/decide/identity.h"
#include "link/decide/initialisers.h"
#include "link/decide/rules.h"
#include "link/decide/startup.h"
#include "link/decide/imported.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>

/* What is known while it is decided. */
struct trial {
	const struct closure *closure;
	const struct verdict_rules *rules;
	struct symtab *symtab;
	struct references references;
	struct verdict *verdicts;
	bool *used; /* somebody imports what cannot be had without it */
	bool *full; /* others before it take the room for static TLS */
	struct copy *copies; /* of each object */
	struct identity *identity;
};

static void cleanup_trial(struct trial *trial)
{
	references_clear(&trial->references);
	free(trial->used);
	free(trial->full);
	identity_close(trial->identity);
	verdicts_clear(&(struct verdicts){trial->verdicts,
					  trial->closure->count, trial->symtab,
					  trial->copies});
}

static const char *soname_of(const struct trial *trial, size_t i)
{
	const struct closure_object *object = &trial->closure->objects[i];
	const char *soname = elf_view_soname(object->view);

	return *soname ? soname : file_base_name(object->path);
}

static bool matches(const struct trial *trial, size_t i, char *const *globs)
{
	for (; globs && *globs; globs++)
		if (fnmatch(*globs, soname_of(trial, i), 0) == 0)
			return true;
	return false;
}

/* Did the user ask for it, although ...? */
static bool is_asked_lazy(const struct trial *trial, size_t i)
{
	return matches(trial, i, trial->rules->lazy);
}

static bool is_lazy(const struct trial *trial, size_t i)
{
	return trial->verdicts[i].why == VERDICT_LAZY;
}

static bool is_learned(const struct trial *trial, size_t i)
{
	char *const *path = trial->rules->learned;

	for (; path && *path; path++)
		if (strcmp(*path, trial->closure->objects[i].path) == 0)
			return true;
	return false;
}

/* ------------------------------------------------------------------ */
/* One object by itself                                               */

static enum verdict_why place_says(const struct trial *trial, size_t i,
				   const char **ret_kind)
{
	const struct closure_object *object = &trial->closure->objects[i];

	if (i == 0)
		return VERDICT_PROGRAM;
	if (!object->view)
		return VERDICT_MISSING;
	if (object->preloaded)
		return VERDICT_PRELOADED;
	if (matches(trial, i, trial->rules->eager))
		return VERDICT_ASKED;
	if (object->rpath)
		return VERDICT_RPATH;
	if (object->aliased) {
		*ret_kind = "needed by another name than its SONAME";
		return VERDICT_SPECIAL;
	}
	return VERDICT_LAZY;
}

static int file_says(const struct trial *trial, size_t i,
		     struct verdict *verdict)
{
	struct rules_reason reasons[RULES_MAX];
	size_t n = rules_of_file(trial->closure->objects[i].view, reasons);

	/* That it is libc's says more than what is special about that. */
	if (n == 0 ||
	    (verdict->why != VERDICT_LAZY && reasons[0].why != VERDICT_RUNTIME))
		return 0;
	if (verdict->why != VERDICT_LAZY && verdict->why != VERDICT_SPECIAL)
		return 0;
	verdict->why = reasons[0].why;
	verdict->kind = reasons[0].kind;
	if (reasons[0].symbol) {
		verdict->symbol = strdup(reasons[0].symbol);
		if (!verdict->symbol)
			return status_no_memory("verdicts");
	}
	return 0;
}

static int index_says(const struct trial *trial, size_t i,
		      struct verdict *verdict)
{
	bool imported = false;
	int r = 0;

	if (verdict->why != VERDICT_LAZY || is_asked_lazy(trial, i))
		return 0;
	verdict->learned = is_learned(trial, i);
	if (verdict->learned)
		verdict->why = VERDICT_LEARNED;
	else
		r = imported_unready(trial->closure, trial->symtab,
				     trial->rules->index, i, &imported,
				     &verdict->symbol, &verdict->importer);
	if (imported)
		verdict->why = VERDICT_DATA;
	return r;
}

static int judge_alone(const struct trial *trial, size_t i)
{
	struct verdict *verdict = &trial->verdicts[i];

	verdict->why = place_says(trial, i, &verdict->kind);
	if (i == 0 || verdict->why == VERDICT_MISSING)
		return 0;
	int r = file_says(trial, i, verdict);
	if (verdict->why == VERDICT_LAZY && trial->full[i])
		verdict->why = VERDICT_STATIC_TLS;
	return r < 0 ? r : index_says(trial, i, verdict);
}

/* ------------------------------------------------------------------ */
/* Symbol references                                                  */

static int blame(const struct trial *trial, const struct reference *reference,
		 size_t importer)
{
	struct verdict *verdict = &trial->verdicts[reference->from->object];

	verdict_turn(verdict, reference->from->type == ELF_TYPE_TLS
				      ? VERDICT_TLS
				      : VERDICT_DATA);
	verdict->symbol = strdup(reference->name->text);
	verdict->importer = strdup(trial->closure->objects[importer].path);
	verdict->kind = elf_type_name(reference->from->type);
	return verdict->symbol && verdict->importer
		       ? 0
		       : status_no_memory("verdicts");
}

/*
 * Data that the stub file has not cannot be imported from it at the start, and
 * later not safely: their library would have to be opened in the middle of the
 * importer's relocation, and its constructors could call the importer.
 */
static int judge_reference(const struct trial *trial,
			   const struct reference *reference, size_t importer)
{
	const struct definition *from = reference->from;

	if (!from)
		return 0;
	/* An importer of copied data calls nothing. */
	if (!reference->own && !from->copied)
		trial->used[from->object] = true;
	if (!is_lazy(trial, from->object) || definition_is_ready(from) ||
	    reference->vague)
		return 0;
	return blame(trial, reference, importer);
}

static int judge_references(const struct trial *trial)
{
	int r = 0;

	for (size_t i = 0; i < trial->closure->count; i++)
		for (size_t t = trial->references.first[i];
		     r == 0 && t < trial->references.first[i + 1]; t++)
			r = judge_reference(trial, &trial->references.list[t],
					    i);
	return r;
}

/*
 * A library that has a name of libc's, and is found before it: what everybody
 * calls, dlazy's slow path included, is its own. (One that is found behind
 * libc is not found.)
 */
static int judge_libc_names(const struct trial *trial, size_t libc)
{
	const struct elf_view *view = trial->closure->objects[libc].view;
	struct elf_symbol symbol;

	for (size_t i = 1; i < elf_view_symbol_count(view); i++) {
		if (!elf_view_symbol(view, i, &symbol) || !symbol.defined)
			continue;
		const struct symtab_name *name =
			symtab_find(trial->symtab, symbol.name);
		const struct definition *first =
			name ? symtab_resolve(name, symbol.version, 0) : NULL;
		if (!first || first->object >= libc ||
		    !is_lazy(trial, first->object))
			continue;
		struct verdict *verdict = &trial->verdicts[first->object];
		verdict_turn(verdict, VERDICT_LIBC_NAME);
		verdict->kind = elf_type_name(first->type);
		verdict->symbol = strdup(symbol.name);
		if (!verdict->symbol)
			return status_no_memory("verdicts");
	}
	return 0;
}

static int judge_all_libc_names(const struct trial *trial)
{
	int r = 0;

	for (size_t i = 1; r == 0 && i < trial->closure->count; i++)
		if (trial->closure->objects[i].view &&
		    rules_is_libc(trial->closure->objects[i].view))
			r = judge_libc_names(trial, i);
	return r;
}

/* ------------------------------------------------------------------ */
/* Who asks for the next                                              */

static bool looks_up_by_hand(const struct elf_view *view)
{
	struct elf_symbol symbol;

	for (size_t i = 1; i < elf_view_symbol_count(view); i++)
		if (elf_view_symbol(view, i, &symbol) && !symbol.defined &&
		    (strcmp(symbol.name, "dlsym") == 0 ||
		     strcmp(symbol.name, "dlvsym") == 0))
			return true;
	return false;
}

static bool has_next(const struct definition *own)
{
	const struct definition *at = own->next;

	return own->binding == ELF_BINDING_GLOBAL && at &&
	       at->object > own->object;
}

/*
 * dlsym(RTLD_NEXT) goes on from its caller's place in the program's search
 * order, where an object opened late has none. So who stands before another's
 * symbol, and looks symbols up by hand, is taken to be a wrapper.
 */
static int judge_wrapper(const struct trial *trial, size_t i)
{
	struct verdict *verdict = &trial->verdicts[i];
	size_t n;
	const struct definition *own = symtab_of_object(trial->symtab, i, &n);

	if (!is_lazy(trial, i) ||
	    !looks_up_by_hand(trial->closure->objects[i].view))
		return 0;
	for (size_t d = 0; d < n; d++) {
		if (!has_next(&own[d]))
			continue;
		verdict_turn(verdict, VERDICT_SPECIAL);
		verdict->kind = "which it may ask dlsym(RTLD_NEXT) for";
		verdict->symbol = strdup(own[d].name->text);
		return verdict->symbol ? 0 : status_no_memory("verdicts");
	}
	return 0;
}

static int judge_all_wrappers(const struct trial *trial)
{
	int r = 0;

	for (size_t i = 1; r == 0 && i < trial->closure->count; i++)
		r = judge_wrapper(trial, i);
	return r;
}

/* ------------------------------------------------------------------ */
/* Who would notice the stub's address                                */

/* Says who, if not the library itself. */
static int name_other(const struct trial *trial, size_t i, size_t by)
{
	struct verdict *verdict = &trial->verdicts[i];

	if (by != i) {
		verdict->importer = strdup(trial->closure->objects[by].path);
		if (!verdict->importer)
			return status_no_memory("verdicts");
	}
	return 0;
}

static int judge_opened(const struct trial *trial, size_t i)
{
	size_t by;

	if (!identity_opened(trial->identity, soname_of(trial, i), &by))
		return 0;
	verdict_turn(&trial->verdicts[i], VERDICT_SELF_LOCATION);
	return name_other(trial, i, by);
}

static int judge_identity(const struct trial *trial, size_t i)
{
	struct verdict *verdict = &trial->verdicts[i];
	const struct definition *own;
	size_t by = 0;
	int r = identity_compared(trial->identity, i, &own, &by);

	if (r == 0 && own)
		verdict_turn(verdict, VERDICT_IDENTITY);
	else if (r == 0)
		r = identity_located(trial->identity, i, &own, &by);
	if (r < 0 || !own)
		return r < 0 ? r : judge_opened(trial, i);
	if (is_lazy(trial, i))
		verdict_turn(verdict, VERDICT_SELF_LOCATION);
	verdict->kind = elf_type_name(own->type);
	verdict->symbol = strdup(own->name->text);
	return verdict->symbol ? name_other(trial, i, by)
			       : status_no_memory("verdicts");
}

static int judge_all_identities(const struct trial *trial)
{
	int r = 0;

	for (size_t i = 1; r == 0 && i < trial->closure->count; i++)
		if (is_lazy(trial, i))
			r = judge_identity(trial, i);
	return r;
}

/* ------------------------------------------------------------------ */
/* What initialisers do to others                                     */

static int judge_initialisers(const struct trial *trial, size_t i)
{
	struct verdict *verdict = &trial->verdicts[i];
	const char *symbol = NULL;
	enum verdict_why why = VERDICT_LAZY;
	int r = initialisers_judge(trial->closure, trial->symtab, i, &why,
				   &symbol);

	if (r < 0 || why == VERDICT_LAZY)
		return r;
	verdict_turn(verdict, why);
	verdict->symbol = strdup(symbol);
	return verdict->symbol ? 0 : status_no_memory("verdicts");
}

static int judge_all_initialisers(const struct trial *trial)
{
	int r = 0;

	for (size_t i = 1; r == 0 && i < trial->closure->count; i++)
		if (is_lazy(trial, i) && !is_asked_lazy(trial, i))
			r = judge_initialisers(trial, i);
	return r;
}

/* ------------------------------------------------------------------ */
/* What an allocator may call                                         */

/* The object's first function of malloc's family that is not libc's, and that
 * everybody calls; NULL: it has none. */
static const char *allocator_of(const struct trial *trial, size_t i)
{
	static const char *const family[] = {
		"malloc",	 "calloc",   "realloc",	      "free",
		"aligned_alloc", "memalign", "posix_memalign"};

	if (rules_is_libc(trial->closure->objects[i].view))
		return NULL;
	for (size_t k = 0; k < ARRAY_SIZE(family); k++) {
		const struct symtab_name *name =
			symtab_find(trial->symtab, family[k]);
		const struct definition *first =
			name ? symtab_resolve(name, "", 0) : NULL;

		if (first && first->object == i)
			return family[k];
	}
	return NULL;
}

/* May it be a call? What the program defines for an allocator to find (its
 * options, as functions or data) is taken to call nothing. */
static bool may_be_call(const struct reference *reference)
{
	return reference->from && reference->from->object != 0 &&
	       definition_is_function(reference->from);
}

/* Turns what the object at place `i` may call eager, at any remove: a first
 * call is a dlopen, which calls malloc. */
static int free_of_loads(const struct trial *trial, size_t i, const char *name,
			 size_t allocator, bool *seen)
{
	const struct closure_object *object = &trial->closure->objects[i];
	const struct references *references = &trial->references;
	struct verdict *verdict = &trial->verdicts[i];
	int r = 0;

	if (seen[i])
		return 0;
	seen[i] = true;
	if (is_lazy(trial, i)) {
		verdict_turn(verdict, VERDICT_ALLOCATOR);
		verdict->symbol = strdup(name);
		verdict->importer =
			strdup(trial->closure->objects[allocator].path);
		if (!verdict->symbol || !verdict->importer)
			return status_no_memory("verdicts");
	}
	for (size_t n = 0; r == 0 && n < object->need_count; n++)
		r = free_of_loads(trial, object->needs[n], name, allocator,
				  seen);
	for (size_t t = references->first[i];
	     r == 0 && t < references->first[i + 1]; t++)
		if (may_be_call(&references->list[t]))
			r = free_of_loads(trial,
					  references->list[t].from->object,
					  name, allocator, seen);
	return r;
}

static int judge_allocators(const struct trial *trial)
{
	_cleanup_free_ bool *seen =
		calloc(trial->closure->count, sizeof(*seen));
	int r = seen ? 0 : status_no_memory("verdicts");

	for (size_t i = 0; r == 0 && i < trial->closure->count; i++) {
		const char *name = trial->closure->objects[i].view
					   ? allocator_of(trial, i)
					   : NULL;

		if (name)
			r = free_of_loads(trial, i, name, i, seen);
	}
	return r;
}

/* ------------------------------------------------------------------ */
/* Who has to be there for its own sake                               */

static bool runs_unasked(const struct closure_object *object)
{
	_cleanup_elf_data_ struct elf_data *data = NULL;
	_cleanup_close_ int fd = -1;
	struct file_identity identity;

	if (file_open(AT_FDCWD, object->path, &fd, &identity) < 0 ||
	    elf_data_open(fd, object->path, &data) < 0) {
		status_clear();
		return true;
	}
	return code_constructs(data, object->view) ||
	       code_destructs(data, object->view);
}

/* A library that nobody calls is there for what its constructor does, or its
 * destructor. */
static bool is_for_constructor(const struct trial *trial, size_t i)
{
	return !trial->used[i] && !is_asked_lazy(trial, i) &&
	       runs_unasked(&trial->closure->objects[i]);
}

/*
 * Objects to which ld.so gives a place of their own, or which dlopen would
 * refuse.
 */
#define FLAGS_OF_START \
	(ELF_INITFIRST | ELF_INTERPOSE | ELF_NOOPEN | ELF_EXEC_STACK)

static bool is_of_start(const struct trial *trial, size_t i)
{
	return elf_view_flags(trial->closure->objects[i].view) & FLAGS_OF_START;
}

static bool has_to_be_there(const struct trial *trial, size_t i)
{
	switch (trial->verdicts[i].why) {
	case VERDICT_LAZY:
	case VERDICT_MISSING:
		return false;
	case VERDICT_PROGRAM:
	case VERDICT_PRELOADED:
	case VERDICT_ASKED:
	case VERDICT_STATIC_TLS:
	case VERDICT_LIBC_NAME:
	case VERDICT_CONSTRUCTOR:
		return true;
	default:
		return trial->closure->objects[i].inherited ||
		       is_of_start(trial, i) || is_for_constructor(trial, i);
	}
}

static void judge_presence(const struct trial *trial)
{
	for (size_t i = 0; i < trial->closure->count; i++) {
		struct verdict *verdict = &trial->verdicts[i];

		if (verdict->why == VERDICT_LAZY &&
		    is_for_constructor(trial, i))
			verdict_turn(verdict, VERDICT_CONSTRUCTOR);
		verdict->mapped = has_to_be_there(trial, i);
	}
}

/* ------------------------------------------------------------------ */
/* What somebody could look up by hand                                */

/* Could a stub file have it at all? */
static bool is_stubbable(unsigned type, bool variant)
{
	return (type == ELF_TYPE_FUNC || type == ELF_TYPE_IFUNC ||
		type == ELF_TYPE_OBJECT) &&
	       !variant;
}

/*
 * The definition that a look-up finds instead of a library's own: that of an
 * earlier object, which is mapped at the start or lazy. NULL: there is none. The
 * program does not count where it may have a copy relocation of the library's
 * data, as the library's definition has to be found behind it to be copied from.
 */
static const struct definition *before(const struct verdict *verdicts,
				       const struct definition *own)
{
	const struct definition *at = own->name->first;

	for (; at && at->object < own->object; at = at->next) {
		const struct verdict *verdict = &verdicts[at->object];

		if ((at->object > 0 || !own->copied) &&
		    (verdict->why == VERDICT_LAZY || verdict->mapped) &&
		    definition_satisfies(at, own->version))
			return at;
	}
	return NULL;
}

/* Data of vague linkage that others define too are not worth a load. */
static bool is_vague(const struct definition *definition)
{
	for (const struct definition *at = definition->name->first; at;
	     at = at->next)
		if (at->object != definition->object &&
		    definitions_are_vague(at, definition))
			return !definition_is_ready(definition);
	return false;
}

/* Data that an object of the start knows would be bound too early. */
static bool is_too_early(const struct definition *definition)
{
	return definition->type == ELF_TYPE_OBJECT && !definition->copied &&
	       definition->name->at_start;
}

/* An object of the start that has the name in its symbol table. */
static size_t who_knows(const struct trial *trial, const char *name)
{
	struct elf_symbol symbol;

	for (size_t i = 0; i < trial->closure->count; i++) {
		const struct elf_view *view = trial->closure->objects[i].view;

		if (!trial->verdicts[i].mapped)
			continue;
		for (size_t s = 1; s < elf_view_symbol_count(view); s++)
			if (elf_view_symbol(view, s, &symbol) &&
			    strcmp(symbol.name, name) == 0)
				return i;
	}
	return 0;
}

/* Says that a symbol of a lazy library cannot be found in the stub file. */
static int shadow(const struct trial *trial, const struct definition *own)
{
	struct verdict *verdict = &trial->verdicts[own->object];
	const struct definition *first = before(trial->verdicts, own);
	size_t by = first ? first->object : who_knows(trial, own->name->text);

	verdict_turn(verdict, VERDICT_SHADOWED);
	verdict->kind = elf_type_name(own->type);
	verdict->symbol = strdup(own->name->text);
	verdict->importer = strdup(trial->closure->objects[by].path);
	return verdict->symbol && verdict->importer
		       ? 0
		       : status_no_memory("verdicts");
}

/*
 * dlopen() of a lazy library's name gives the stub file, and dlsym() finds
 * there what the stub file exports. A symbol of the library that somebody else
 * is to give is not among it, or is the other's. So few libraries have such
 * symbols (6 of ffmpeg's 214), and most of these are then away all the same,
 * that it is not asked whether anybody opens them by name. C++ templates are
 * not looked up by hand, nor are assembler's symbols without a type.
 */
static bool is_shadowed(const struct trial *trial, const struct definition *own)
{
	return own->binding == ELF_BINDING_GLOBAL &&
	       is_stubbable(own->type, own->variant) &&
	       (is_too_early(own) || before(trial->verdicts, own));
}

static int judge_shadowed(const struct trial *trial, size_t i, bool *ret)
{
	size_t n;
	const struct definition *own = symtab_of_object(trial->symtab, i, &n);

	for (size_t d = 0; d < n; d++) {
		if (!is_shadowed(trial, &own[d]))
			continue;
		*ret = true;
		return shadow(trial, &own[d]);
	}
	return 0;
}

static int judge_all_shadowed(const struct trial *trial, bool *ret)
{
	int r = 0;

	*ret = false;
	for (size_t i = 0; r == 0 && i < trial->closure->count; i++)
		if (is_lazy(trial, i) && !is_asked_lazy(trial, i))
			r = judge_shadowed(trial, i, ret);
	return r;
}

/* ------------------------------------------------------------------ */

/* Whatever the verdicts, any of them may come late. */
static void share_late_tls(struct trial *trial)
{
	uint64_t taken = 0;

	for (size_t i = 1; i < trial->closure->count; i++) {
		const struct elf_view *view = trial->closure->objects[i].view;
		uint64_t size = view && !rules_is_libc(view)
					? rules_static_tls(view)
					: 0;

		trial->full[i] = size > RULES_LATE_TLS - taken;
		if (!trial->full[i])
			taken += size;
	}
}

/* Is the object mapped at the start, whatever else is decided? */
static bool resides(const struct trial *trial, size_t i)
{
	struct rules_reason reasons[RULES_MAX];
	const char *kind = NULL;
	enum verdict_why why = place_says(trial, i, &kind);

	return why != VERDICT_MISSING &&
	       (why != VERDICT_LAZY ||
		rules_of_file(trial->closure->objects[i].view, reasons) > 0);
}

/*
 * Makes the copy of one library's data that somebody imports. imported: of all
 * symbols of the closure.
 */
static int copy_one(struct trial *trial, size_t i, bool *imported,
		    const bool *resident)
{
	size_t n;
	const struct definition *own = symtab_of_object(trial->symtab, i, &n);
	const struct copy_request request = {
		trial->closure, trial->symtab, i,
		imported + symtab_position(trial->symtab, own), resident};
	int r = imported_by_index(
		trial->closure, trial->symtab, trial->rules->index, i,
		imported + symtab_position(trial->symtab, own));
	return r < 0 ? r : copy_make(&request, &trial->copies[i]);
}

/* Makes the copies of all libraries that could be lazy. */
static int copy_all(struct trial *trial)
{
	size_t count = trial->closure->count;
	_cleanup_free_ bool *resident = calloc(count, sizeof(*resident));
	_cleanup_free_ bool *imported = calloc(
		closure_symbol_count(trial->closure) + 1, sizeof(*imported));
	int r = resident && imported ? 0 : status_no_memory("verdicts");

	for (size_t i = 0; r == 0 && i < count; i++)
		resident[i] = resides(trial, i);
	if (r == 0)
		imported_by_closure(trial->closure, trial->symtab,
				    &trial->references, imported);
	for (size_t i = 1; r == 0 && i < count; i++)
		if (!resident[i] && trial->closure->objects[i].view)
			r = copy_one(trial, i, imported, resident);
	return r;
}

static int begin(struct trial *trial)
{
	size_t count = trial->closure->count;

	trial->verdicts = calloc(count, sizeof(*trial->verdicts));
	trial->used = calloc(count, sizeof(*trial->used));
	trial->full = calloc(count, sizeof(*trial->full));
	trial->copies = calloc(count, sizeof(*trial->copies));
	if (!trial->verdicts || !trial->used || !trial->full || !trial->copies)
		return status_no_memory("verdicts");
	share_late_tls(trial);
	int r = symtab_build(trial->closure, &trial->symtab);
	if (r == 0)
		r = references_build(trial->closure, trial->symtab,
				     &trial->references);
	if (r == 0)
		r = identity_open(trial->closure, trial->symtab,
				  &trial->identity);
	return r < 0 ? r : copy_all(trial);
}

static int judge(const struct trial *trial)
{
	int r = 0;

	symtab_forget_start(trial->symtab);
	for (size_t i = 0; i < trial->closure->count; i++) {
		verdict_turn(&trial->verdicts[i], VERDICT_LAZY);
		trial->verdicts[i].mapped = trial->verdicts[i].kept_edge =
			false;
	}
	for (size_t i = 0; r == 0 && i < trial->closure->count; i++)
		r = judge_alone(trial, i);
	if (r == 0)
		r = judge_all_libc_names(trial);
	if (r == 0)
		r = judge_all_wrappers(trial);
	if (r == 0)
		r = judge_references(trial);
	if (r == 0)
		r = judge_all_identities(trial);
	if (r == 0)
		r = judge_all_initialisers(trial);
	if (r == 0)
		r = judge_allocators(trial);
	if (r < 0)
		return r;
	judge_presence(trial);
	/* What turns eager may have to be there, and shadow others. */
	for (bool changed = true; changed && r == 0;) {
		r = startup_settle(trial->closure, trial->symtab,
				   &trial->references, trial->copies,
				   trial->verdicts);
		if (r == 0)
			r = judge_all_shadowed(trial, &changed);
	}
	return r;
}

int verdict_decide(const struct closure *closure,
		   const struct verdict_rules *rules, struct verdicts *ret)
{
	_cleanup_(cleanup_trial) struct trial trial = {.closure = closure,
						       .rules = rules};
	int r = begin(&trial);

	if (r == 0)
		r = judge(&trial);
	if (r < 0)
		return r;
	*ret = (struct verdicts){TAKE_PTR(trial.verdicts), closure->count,
				 TAKE_PTR(trial.symtab),
				 TAKE_PTR(trial.copies)};
	return 0;
}

void verdicts_clear(struct verdicts *verdicts)
{
	for (size_t i = 0; i < verdicts->count; i++) {
		if (verdicts->list) {
			free(verdicts->list[i].symbol);
			free(verdicts->list[i].importer);
		}
		if (verdicts->copies)
			copy_clear(&verdicts->copies[i]);
	}
	free(verdicts->list);
	free(verdicts->copies);
	symtab_free(verdicts->symtab);
	*verdicts = (struct verdicts){.list = NULL};
}

/* The library's own, of that name and version; NULL: it has none. */
static const struct definition *own_definition(const struct symtab_name *name,
					       size_t i, const char *version)
{
	const struct definition *at = name ? name->first : NULL;

	while (at && (at->object != i || strcmp(at->version, version) != 0))
		at = at->next;
	return at;
}

bool verdict_exports(const struct verdicts *verdicts, size_t i,
		     const struct elf_symbol *symbol)
{
	const struct symtab_name *name =
		symtab_find(verdicts->symtab, symbol->name);
	const struct definition *own = own_definition(name, i, symbol->version);

	return own && is_stubbable(symbol->type, symbol->variant) &&
	       !is_too_early(own) && !is_vague(own) &&
	       !before(verdicts->list, own);
}

bool verdict_defaults(const struct verdicts *verdicts, size_t i,
		      const struct elf_symbol *symbol)
{
	const struct symtab_name *name =
		symtab_find(verdicts->symtab, symbol->name);
	const struct definition *at = name ? name->first : NULL;

	/* The program itself comes before the stub file. */
	for (; at && at->object < i; at = at->next)
		if (at->object > 0 && verdicts->list[at->object].mapped)
			return false;
	return true;
}

bool verdict_has_copy(const struct verdicts *verdicts, size_t i,
		      const struct elf_symbol *symbol)
{
	const struct definition *own =
		own_definition(symtab_find(verdicts->symtab, symbol->name), i,
			       symbol->version);

	return own && own->copied &&
	       copy_has(&verdicts->copies[i], symbol->value, symbol->size);
}
