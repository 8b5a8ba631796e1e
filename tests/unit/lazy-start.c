/* SPDX-License-Identifier: MIT */
/*
 * The second model of the lazy start. It goes through the scopes that ld.so would
 * have, symbol by symbol, and knows nothing of how the verdict is found.
 */
#include "tests/unit/lazy-start.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/status.h"
#include "link/index/index.h"
#include "link/resolve/symtab.h"

/* ------------------------------------------------------------------ */
/* The index, as the tests want it: by default nobody imports data  */

static bool is_chosen(const struct index *index, const char *path)
{
	if (index->library)
		return strcmp(file_base_name(path), index->library) == 0;
	return hash_string(path) % index->share == index->turn;
}

uint64_t index_key(const char *name, const char *version)
{
	(void)version;
	return hash_string(name);
}

int index_has_importer(const struct index *index, const char *path,
		       index_ignore_fn *ignore, void *data, char **ret_symbol,
		       char **ret_importer)
{
	if (!is_chosen(index, path) ||
	    (ignore && ignore(hash_string(index->symbol), data)))
		return 0;
	*ret_symbol = strdup(index->symbol);
	*ret_importer = strdup(index->importer);
	return 1;
}

/* ------------------------------------------------------------------ */
/* The lazy start, once more                                          */

struct closure closure;
struct verdicts verdicts;

#define STUB ((size_t)-2)

/* Objects in the order of look-up; STUB stands for the stub file. */
struct scope {
	size_t order[1024];
	size_t count;
};

static void scope_add(struct scope *scope, size_t object)
{
	for (size_t i = 0; i < scope->count; i++)
		if (scope->order[i] == object)
			return;
	CHECK(scope->count < 1024);
	scope->order[scope->count++] = object;
}

static void scope_add_needs(struct scope *scope, size_t object)
{
	const struct closure_object *o = &closure.objects[object];

	for (size_t n = 0; n < o->need_count; n++) {
		bool lazy = verdicts.list[o->needs[n]].why == VERDICT_LAZY;

		scope_add(scope, lazy ? STUB : o->needs[n]);
	}
}

static void scope_of_start(struct scope *scope)
{
	*scope = (struct scope){.count = 0};
	for (size_t i = 0; i < closure.count; i++)
		if (i == 0 || closure.objects[i].preloaded)
			scope_add(scope, i);
	for (size_t at = 0; at < scope->count; at++) {
		if (scope->order[at] != STUB) {
			scope_add_needs(scope, scope->order[at]);
			continue;
		}
		for (size_t i = 0; i < closure.count; i++)
			if (verdicts.list[i].kept_edge)
				scope_add(scope, i);
	}
}

static void scope_of_late(struct scope *scope, size_t object)
{
	*scope = (struct scope){.order = {object}, .count = 1};
	for (size_t at = 0; at < scope->count; at++)
		if (scope->order[at] != STUB)
			scope_add_needs(scope, scope->order[at]);
}

static bool stub_has(const struct symtab_name *name,
		     const struct definition *definition)
{
	const struct elf_symbol symbol = {
		.name = name->text,
		.version = definition->version,
		.type = definition->type,
		.binding = definition->binding,
		.defined = true,
	};

	return verdicts.list[definition->object].why == VERDICT_LAZY &&
	       verdict_exports(&verdicts, definition->object, &symbol);
}

static const struct definition *look_up(const struct scope *scope, size_t from,
					const struct symtab_name *name,
					const char *version)
{
	for (size_t i = from; i < scope->count; i++)
		for (const struct definition *at = name->first; at;
		     at = at->next)
			if (definition_satisfies(at, version) &&
			    (scope->order[i] == STUB
				     ? stub_has(name, at)
				     : at->object == scope->order[i]))
				return at;
	return NULL;
}

static bool is_same(const struct definition *a, const struct definition *b)
{
	if (!a || !b)
		return a == b;
	/* Of templates and inline functions, any will do. */
	return a->object == b->object || (a->binding != ELF_BINDING_GLOBAL &&
					  b->binding != ELF_BINDING_GLOBAL);
}

static bool is_preempted(const struct elf_view *view,
			 const struct elf_symbol *symbol)
{
	return symbol->visibility == 0 &&
	       !(elf_view_flags(view) & ELF_SYMBOLIC);
}

static void check_reference(const struct scope *start, const struct scope *late,
			    size_t object, const struct elf_symbol *symbol)
{
	const struct elf_view *view = closure.objects[object].view;
	const struct symtab_name *name =
		symtab_find(verdicts.symtab, symbol->name);
	/* The program's data may be a copy. */
	size_t from = object == 0 && symbol->defined &&
		      symbol->type == ELF_TYPE_OBJECT;

	if (!name || (symbol->defined && !is_preempted(view, symbol)))
		return;
	const struct definition *plain =
		symtab_resolve(name, symbol->version, from);
	const struct definition *lazy =
		look_up(start, from, name, symbol->version);
	if (!lazy && late)
		lazy = look_up(late, 0, name, symbol->version);
	if (!is_same(plain, lazy))
		test_fail(__FILE__, __LINE__, "%s of %s: %s, lazily %s",
			  symbol->name, closure.objects[object].name,
			  plain ? closure.objects[plain->object].name : "none",
			  lazy ? closure.objects[lazy->object].name : "none");
	/* At the start nothing can be loaded. */
	if (!late && lazy && verdicts.list[lazy->object].why == VERDICT_LAZY &&
	    !definition_is_ready(lazy))
		test_fail(__FILE__, __LINE__, "%s imports %s at the start",
			  closure.objects[object].name, symbol->name);
}

/* Every reference of every object binds as without dlazy. */
static void check_binding(void)
{
	static struct scope start, late;
	struct elf_symbol symbol;

	scope_of_start(&start);
	for (size_t i = 0; i < start.count; i++)
		CHECK(start.order[i] == STUB ||
		      verdicts.list[start.order[i]].mapped);
	for (size_t i = 0; i < closure.count; i++) {
		const struct elf_view *view = closure.objects[i].view;

		if (!view)
			continue;
		if (!verdicts.list[i].mapped)
			scope_of_late(&late, i);
		for (size_t s = 1; s < elf_view_symbol_count(view); s++)
			if (elf_view_symbol(view, s, &symbol))
				check_reference(&start,
						verdicts.list[i].mapped ? NULL
									: &late,
						i, &symbol);
	}
}

/* ------------------------------------------------------------------ */

void decide_of(const char *program, const struct verdict_rules *rules)
{
	static const struct index nobody = {"", NULL, NULL, 0, 0};
	struct verdict_rules all = *rules;

	if (!all.index)
		all.index = &nobody;
	verdicts_clear(&verdicts);
	closure_clear(&closure);
	if (closure_read(program, &closure) < 0 ||
	    verdict_decide(&closure, &all, &verdicts) < 0)
		test_fail(__FILE__, __LINE__, "%s: %s", program,
			  status_message());
	check_binding();
}

void decide(const struct verdict_rules *rules)
{
	static const struct verdict_rules none;

	decide_of(world_path("program"), rules ? rules : &none);
}

size_t place_of(const char *name)
{
	for (size_t i = 0; i < closure.count; i++)
		if (!strcmp(closure.objects[i].name, name))
			return i;
	test_fail(__FILE__, __LINE__, "%s is not in the closure", name);
}

const struct verdict *verdict_of(const char *name)
{
	return &verdicts.list[place_of(name)];
}

void check_why(const char *name, enum verdict_why why)
{
	enum verdict_why is = verdict_of(name)->why;

	if (is != why)
		test_fail(__FILE__, __LINE__, "%s is %s, not %s", name,
			  verdict_word(is), verdict_word(why));
}

void check_lazy(const char *name)
{
	check_why(name, VERDICT_LAZY);
}

void check_eager(const char *name, enum verdict_why why, const char *symbol,
		 const char *importer)
{
	const struct verdict *verdict = verdict_of(name);

	check_why(name, why);
	if (symbol)
		CHECK_STR(verdict->symbol, symbol);
	if (importer)
		CHECK_STR(file_base_name(verdict->importer), importer);
}

bool is_exported(const char *library, const char *name)
{
	size_t place = place_of(library);
	struct elf_symbol symbol;

	CHECK(elf_view_find(closure.objects[place].view, name, NULL, &symbol));
	return verdict_exports(&verdicts, place, &symbol);
}

bool is_default(const char *library, const char *name)
{
	size_t place = place_of(library);
	struct elf_symbol symbol;

	CHECK(elf_view_find(closure.objects[place].view, name, NULL, &symbol));
	return verdict_defaults(&verdicts, place, &symbol);
}
