/* SPDX-License-Identifier: MIT */
/*
 * Settling the startup link map, by a fixpoint. An object that is mapped needs
 * other objects, or imports symbols from them: then these are mapped too, and
 * so on. `mapped` is only ever set, so it ends.
 *
 * When it is settled, two questions are asked about libraries that come later,
 * and each may add to the map again:
 *
 * - Does one of them import symbols from an eager library that nothing would
 *   bring in with it?
 * - Is there a symbol of which the first definition would come later than
 *   another one?
 */
#include "link/decide/startup.h"

#include "base/cleanup.h"
#include "base/status.h"
#include "elf/view.h"
#include "link/copy/copy.h"

#include <stdlib.h>
#include <string.h>

struct startup {
	const struct closure *closure;
	const struct symtab *symtab;
	const struct references *references;
	const struct copy *copies; /* of each object */
	struct verdict *verdicts;
	size_t *queue; /* objects that are there, each once */
	size_t queued, done;
	bool *seen; /* by the search that is going on */
};

static void cleanup_startup(struct startup *startup)
{
	free(startup->queue);
	free(startup->seen);
}

static bool is_lazy(const struct startup *startup, size_t i)
{
	return startup->verdicts[i].why == VERDICT_LAZY;
}

/* Eager, but nothing maps it at the start. */
static bool is_away(const struct startup *startup, size_t i)
{
	const struct verdict *verdict = &startup->verdicts[i];

	return verdict->why != VERDICT_LAZY &&
	       verdict->why != VERDICT_MISSING && !verdict->mapped;
}

static void map(struct startup *startup, size_t i)
{
	if (!is_away(startup, i))
		return;
	startup->verdicts[i].mapped = true;
	startup->queue[startup->queued++] = i;
}

/* ------------------------------------------------------------------ */
/* An object that is there                                            */

static void mark_symbols(struct startup *startup, size_t i)
{
	const struct references *references = startup->references;
	size_t n;
	const struct definition *own = symtab_of_object(startup->symtab, i, &n);

	for (size_t d = 0; d < n; d++)
		own[d].name->at_start = true;
	for (size_t t = references->first[i]; t < references->first[i + 1]; t++)
		references->list[t].name->at_start = true;
}

static void visit(struct startup *startup, size_t i)
{
	const struct closure_object *object = &startup->closure->objects[i];
	const struct references *references = startup->references;

	mark_symbols(startup, i);
	for (size_t n = 0; n < object->need_count; n++)
		map(startup, object->needs[n]);
	for (size_t t = references->first[i]; t < references->first[i + 1];
	     t++) {
		const struct reference *reference = &references->list[t];

		if (reference->from)
			map(startup, reference->from->object);
	}
}

/* ------------------------------------------------------------------ */
/* What comes later                                                   */

static void forget(struct startup *startup)
{
	memset(startup->seen, 0,
	       startup->closure->count * sizeof(*startup->seen));
}

/* Marks what comes with an object: what it needs, through eager libraries
 * alone. */
static void bring_in(struct startup *startup, size_t i)
{
	const struct closure_object *object = &startup->closure->objects[i];

	if (startup->seen[i])
		return;
	startup->seen[i] = true;
	for (size_t n = 0; n < object->need_count; n++)
		if (!is_lazy(startup, object->needs[n]))
			bring_in(startup, object->needs[n]);
}

static void check_later_references(struct startup *startup, size_t i)
{
	const struct references *references = startup->references;

	forget(startup);
	bring_in(startup, i);
	for (size_t t = references->first[i]; t < references->first[i + 1];
	     t++) {
		const struct reference *reference = &references->list[t];

		if (reference->own || !reference->from)
			continue;
		if (!startup->seen[reference->from->object])
			map(startup, reference->from->object);
	}
}

static void check_first(struct startup *startup, const struct symtab_name *name)
{
	for (const struct definition *at = name->first->next; at;
	     at = at->next) {
		const struct definition *first =
			symtab_resolve(name, at->version, 0);

		if (first->object != at->object &&
		    !definitions_are_vague(first, at))
			map(startup, first->object);
	}
}

static void look_ahead(struct startup *startup)
{
	for (size_t i = 0; i < startup->closure->count; i++)
		if (startup->closure->objects[i].view &&
		    !startup->verdicts[i].mapped)
			check_later_references(startup, i);
	for (size_t i = 0; i < symtab_count(startup->symtab); i++)
		check_first(startup, symtab_at(startup->symtab, i));
}

/* ------------------------------------------------------------------ */
/* Edges that the stub file keeps                                     */

static void reach(struct startup *startup, size_t i)
{
	const struct closure_object *object = &startup->closure->objects[i];

	if (startup->seen[i] || !startup->verdicts[i].mapped)
		return;
	startup->seen[i] = true;
	for (size_t n = 0; n < object->need_count; n++)
		reach(startup, object->needs[n]);
}

static void keep_edges(struct startup *startup)
{
	const struct closure *closure = startup->closure;

	forget(startup);
	for (size_t i = 0; i < closure->count; i++)
		if (i == 0 || closure->objects[i].preloaded)
			reach(startup, i);
	for (size_t i = 0; i < closure->count; i++) {
		struct verdict *verdict = &startup->verdicts[i];

		verdict->kept_edge = verdict->mapped && !startup->seen[i];
		if (verdict->kept_edge)
			reach(startup, i);
	}
}

/* The stub file is there too, and what its copies point at has to be. */
static void visit_copies(struct startup *startup)
{
	for (size_t i = 0; i < startup->closure->count; i++) {
		const struct copy *copy = &startup->copies[i];

		for (size_t k = 0; is_lazy(startup, i) && k < copy->fixup_count;
		     k++) {
			const struct definition *symbol =
				copy->fixups[k].symbol;

			if (!symbol)
				continue;
			symbol->name->at_start = true;
			map(startup, symbol->object);
		}
	}
}

static void settle(struct startup *startup)
{
	for (size_t i = 0; i < startup->closure->count; i++)
		if (startup->verdicts[i].mapped)
			startup->queue[startup->queued++] = i;
	visit_copies(startup);
	while (startup->done < startup->queued) {
		while (startup->done < startup->queued)
			visit(startup, startup->queue[startup->done++]);
		look_ahead(startup);
	}
	keep_edges(startup);
}

int startup_settle(const struct closure *closure, const struct symtab *symtab,
		   const struct references *references,
		   const struct copy *copies, struct verdict *verdicts)
{
	_cleanup_(cleanup_startup) struct startup startup = {
		.closure = closure,
		.symtab = symtab,
		.references = references,
		.copies = copies,
		.verdicts = verdicts,
		.queue = calloc(closure->count, sizeof(size_t)),
		.seen = calloc(closure->count, sizeof(bool)),
	};

	if (!startup.queue || !startup.seen)
		return status_no_memory("a program's start");
	settle(&startup);
	return 0;
}
