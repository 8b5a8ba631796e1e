/* SPDX-License-Identifier: MIT */
/*
 * Checks follow ld.so's order: needed libraries, versions, symbols. If a library
 * is missing, undefined symbols are not reported, as that library may define them.
 *
 * A symbol counts as defined if any needed object defines it, whatever its scope:
 * a load does not fail for want of it then. Only symbols that a relocation refers
 * to are looked up, as ld.so does; and functions that are bound late do not count,
 * as the load itself does not look them up.
 */
#include "elf/check.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/status.h"
#include "elf/hash.h"
#include "elf/relocated.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* A check in progress. */
struct state {
	const struct check *check;
	struct walk *walk;
	bool incomplete; /* a library is missing, and with it its symbols */
	bool over;	 /* no more is wanted */
	int status;
};

static void tell(struct state *s, struct check_problem problem)
{
	s->over = s->over || !s->check->problem(&problem, s->check->data);
}

static const struct walk_object *needed_by(const struct state *s,
					   const struct walk_object *object)
{
	return s->walk
		->objects[object->needed_by == WALK_NONE ? 0
							 : object->needed_by];
}

/* ------------------------------------------------------------------ */
/* Libraries and their versions                                       */

static bool is_elsewhere(const struct state *s, const char *library)
{
	return s->check->has_library &&
	       s->check->has_library(library, s->check->data);
}

/* Says why a library that is there cannot be used; the walk has not kept it. */
static void tell_damaged(struct state *s, const struct walk_object *object)
{
	_cleanup_elf_view_ struct elf_view *view = NULL;
	_cleanup_close_ int fd = -1;
	int status = file_open(AT_FDCWD, object->path, &fd, NULL);

	if (status == 0)
		status = elf_view_open(fd, object->path, &view);
	tell(s,
	     (struct check_problem){.kind = CHECK_DAMAGED,
				    .needed_by = needed_by(s, object)->path,
				    .name = object->path,
				    .words = status < 0 ? status_message()
							: "it was not usable"});
	status_clear();
}

static void check_library(struct state *s, const struct walk_object *object)
{
	if (object->view || is_elsewhere(s, object->name)) {
		s->incomplete |= !object->view;
		return;
	}
	s->incomplete = true;
	if (object->path)
		tell_damaged(s, object);
	else
		tell(s, (struct check_problem){
				.kind = CHECK_MISSING,
				.needed_by = needed_by(s, object)->path,
				.name = object->name});
}

static const struct walk_object *find_library(const struct state *s,
					      const struct walk_object *of,
					      const char *name)
{
	for (size_t i = 0; i < of->need_count; i++) {
		const struct walk_object *o = s->walk->objects[of->needs[i]];

		if (!strcmp(o->name, name) ||
		    (o->view && !strcmp(elf_view_soname(o->view), name)))
			return o;
	}
	return NULL;
}

static bool defines_version(const struct elf_view *view, const char *version)
{
	bool any = false;

	for (size_t i = 1; i < elf_view_version_end(view); i++) {
		const char *defined = elf_view_version(view, i);
		if (defined && !strcmp(defined, version))
			return true;
		any |= defined != NULL;
	}
	return !any; /* a library without versions is taken as it is */
}

/* Is there a reference to that version, and none but weak ones? */
static bool is_weak(const struct elf_view *view, const char *library,
		    const char *version)
{
	struct elf_symbol symbol;
	bool found = false;

	for (size_t i = 1; i < elf_view_symbol_count(view); i++) {
		if (!elf_view_symbol(view, i, &symbol) || symbol.defined ||
		    strcmp(symbol.version, version) ||
		    strcmp(symbol.library, library))
			continue;
		if (symbol.binding != ELF_BINDING_WEAK)
			return false;
		found = true;
	}
	return found;
}

/* Returns whether all is as the files say, whatever else is loaded. */
static bool check_versions(struct state *s, const struct walk_object *object)
{
	const char *library, *version;
	bool known = true;

	for (size_t i = 1;
	     !s->over &&
	     elf_view_needed_version(object->view, i, &library, &version);
	     i++) {
		const struct walk_object *other =
			library ? find_library(s, object, library) : NULL;

		if (!other || !other->view ||
		    defines_version(other->view, version) ||
		    is_weak(object->view, library, version))
			continue;
		known = false;
		if (is_elsewhere(s, library))
			continue;
		tell(s, (struct check_problem){.kind = CHECK_VERSION,
					       .needed_by = object->path,
					       .name = other->path,
					       .version = version});
	}
	return known;
}

/* ------------------------------------------------------------------ */
/* Symbols                                                            */

/* An object and all that it needs. */
struct closure {
	size_t *places; /* in the walk */
	size_t count;
	bool *has; /* by place */
};

static void closure_free(struct closure *closure)
{
	free(closure->places);
	free(closure->has);
}

static int closure_of(const struct walk *walk, size_t place,
		      struct closure *ret)
{
	*ret = (struct closure){calloc(walk->count, sizeof(*ret->places)), 1,
				calloc(walk->count, sizeof(*ret->has))};
	if (!ret->places || !ret->has)
		return status_no_memory(NULL);
	ret->places[0] = place;
	ret->has[place] = true;
	for (size_t i = 0; i < ret->count; i++) {
		const struct walk_object *o = walk->objects[ret->places[i]];

		for (size_t n = 0; n < o->need_count; n++) {
			if (ret->has[o->needs[n]])
				continue;
			ret->has[o->needs[n]] = true;
			ret->places[ret->count++] = o->needs[n];
		}
	}
	return 0;
}

/* The files of a closure, and how it is opened. */
static uint64_t closure_key(const struct state *s,
			    const struct closure *closure)
{
	uint64_t key = s->check->lazy;

	for (size_t i = 0; i < closure->count; i++)
		key = key * 3 +
		      hash_bytes(
			      &s->walk->objects[closure->places[i]]->identity,
			      sizeof(struct file_identity));
	return key;
}

/* A symbol that is looked for in many files. */
struct wanted {
	const struct elf_symbol *symbol;
	uint32_t hash;
};

static bool defines(const struct walk_object *object,
		    const struct wanted *wanted)
{
	const char *version = wanted->symbol->version;

	return object->view &&
	       elf_view_defines(object->view, wanted->symbol->name,
				*version ? version : NULL, wanted->hash);
}

static bool is_in_closure(const struct state *s, const struct closure *closure,
			  const struct wanted *wanted)
{
	const struct walk_object *object = s->walk->objects[closure->places[0]];
	const char *name = wanted->symbol->library;
	const struct walk_object *library =
		*name ? find_library(s, object, name) : NULL;

	if (library && defines(library, wanted)) /* mostly */
		return true;
	for (size_t i = 0; i < closure->count; i++)
		if (defines(s->walk->objects[closure->places[i]], wanted))
			return true;
	return false;
}

static bool is_elsewhere_defined(const struct state *s,
				 const struct closure *closure,
				 const struct wanted *wanted)
{
	for (size_t i = 0; i < s->walk->count; i++)
		if (!closure->has[i] && defines(s->walk->objects[i], wanted))
			return true;
	return s->check->has_symbol &&
	       s->check->has_symbol(wanted->symbol, s->check->data);
}

/* What relocations there are is read only where a symbol is not found. */
static int read_relocated(const struct walk_object *object, uint8_t **ret)
{
	_cleanup_close_ int fd = -1;
	int r = file_open(AT_FDCWD, object->path, &fd, NULL);

	return r < 0 ? r
		     : relocated_read(fd, object->path,
				      elf_view_symbol_count(object->view), ret);
}

struct relocations {
	uint8_t *of_symbol; /* NULL: not read yet */
	uint8_t asked;	    /* those that count */
};

static void relocations_free(struct relocations *relocations)
{
	free(relocations->of_symbol);
}

static uint8_t asked_of(const struct state *s, const struct walk_object *object)
{
	bool late = s->check->lazy && !(elf_view_flags(object->view) & ELF_NOW);

	return late ? RELOCATED_NOW : RELOCATED_NOW | RELOCATED_LATE;
}

/* One that is not in the closure; *ret_known: and may not always be there. */
static void check_symbol(struct state *s, const struct closure *closure,
			 const struct wanted *wanted, size_t number,
			 struct relocations *relocations, bool *ret_known)
{
	const struct walk_object *object = s->walk->objects[closure->places[0]];

	if (!relocations->of_symbol)
		s->status = read_relocated(object, &relocations->of_symbol);
	if (s->status < 0 ||
	    !(relocations->of_symbol[number] & relocations->asked))
		return;
	*ret_known = false;
	if (!is_elsewhere_defined(s, closure, wanted))
		tell(s, (struct check_problem){.kind = CHECK_SYMBOL,
					       .needed_by = object->path,
					       .symbol = wanted->symbol});
}

static bool check_each_symbol(struct state *s, const struct closure *closure)
{
	const struct walk_object *object = s->walk->objects[closure->places[0]];
	_cleanup_(relocations_free) struct relocations relocations = {
		.asked = asked_of(s, object)};
	size_t count = elf_view_symbol_count(object->view);
	struct elf_symbol symbol;
	bool known = true;

	for (size_t i = 1; !s->over && s->status == 0 && i < count; i++) {
		if (!elf_view_import(object->view, i, &symbol) ||
		    symbol.binding == ELF_BINDING_WEAK)
			continue;
		const struct wanted wanted = {&symbol,
					      gnu_hash_of(symbol.name)};
		if (!is_in_closure(s, closure, &wanted))
			check_symbol(s, closure, &wanted, i, &relocations,
				     &known);
	}
	return known && !s->over && s->status == 0;
}

/* ------------------------------------------------------------------ */
/* All of it                                                          */

/* The objects that there is something to ask about: not those of which it is
 * known that all is well. */
struct questions {
	uint64_t *keys;	 /* of their closures; by place in the walk */
	bool *are_known; /* as far as it was asked, all is as the files say */
};

static void questions_free(struct questions *q)
{
	free(q->keys);
	free(q->are_known);
}

static int key_of(const struct state *s, size_t place, uint64_t *ret)
{
	_cleanup_(closure_free) struct closure closure = {.count = 0};
	int r = closure_of(s->walk, place, &closure);

	if (r == 0)
		*ret = closure_key(s, &closure);
	return r;
}

static bool is_asked(const struct state *s, const struct questions *q, size_t i)
{
	const struct check *check = s->check;

	return s->walk->objects[i]->view &&
	       !(check->is_known && check->is_known(q->keys[i], check->data));
}

static int questions_find(const struct state *s, struct questions *q)
{
	int r = 0;

	q->keys = calloc(s->walk->count, sizeof(*q->keys));
	q->are_known = calloc(s->walk->count, sizeof(*q->are_known));
	if (!q->keys || !q->are_known)
		return status_no_memory(NULL);
	for (size_t i = 0; s->check->is_known && r == 0 && i < s->walk->count;
	     i++)
		r = key_of(s, i, &q->keys[i]);
	return r;
}

static void check_symbols(struct state *s, struct questions *q, size_t place)
{
	_cleanup_(closure_free) struct closure closure = {.count = 0};
	const struct check *check = s->check;

	if (!is_asked(s, q, place))
		return;
	s->status = closure_of(s->walk, place, &closure);
	if (s->status == 0 && check_each_symbol(s, &closure) &&
	    q->are_known[place] && check->know)
		check->know(q->keys[place], check->data);
}

int check_file(const struct check *check, struct walk *walk)
{
	const struct walk_options options = {.symbols = true,
					     .cache = check->views};
	_cleanup_(questions_free) struct questions questions = {NULL, NULL};
	struct state s = {.check = check, .walk = walk};
	int r = walk_run(walk, check->path, &options);

	for (size_t i = 1; r == 0 && !s.over && i < walk->count; i++)
		check_library(&s, walk->objects[i]);
	if (r == 0)
		r = questions_find(&s, &questions);
	if (r < 0)
		return r;
	for (size_t i = 0; !s.over && i < walk->count; i++)
		if (is_asked(&s, &questions, i))
			questions.are_known[i] =
				check_versions(&s, walk->objects[i]);
	for (size_t i = 0;
	     !s.over && !s.incomplete && s.status == 0 && i < walk->count; i++)
		check_symbols(&s, &questions, i);
	return s.status;
}
