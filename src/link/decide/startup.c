/* SPDX-License-Identifier: MIT */
/*
 * A fixpoint: an object that is there needs others, or imports symbols from
 * them; then they are there too, and so on. `mapped` is only ever set, so it
 * ends.
 *
 * When the objects of the start are settled, two questions are asked about
 * what comes later, each of which may add to the start again: symbols that a
 * library imports from an eager one which nothing would bring in with it; and
 * names of which the first definition would not be the first any more.
 */
#include "link/decide/startup.h"

#include "base/cleanup.h"
#include "base/status.h"
#include "elf/view.h"
#include "link/copy/copy.h"

#include <stdlib.h>
#include <string.h>

struct start {
	const struct closure *closure;
	const struct names *names;
	const struct references *references;
	const struct mirror *mirrors; /* of each object */
	struct verdict *verdicts;
	size_t *queue; /* objects that are there, each once */
	size_t queued, done;
	bool *seen; /* by the search that is going on */
};

static void cleanup_start(struct start *start)
{
	free(start->queue);
	free(start->seen);
}

static bool is_lazy(const struct start *start, size_t i)
{
	return start->verdicts[i].why == VERDICT_LAZY;
}

/* Eager, but nothing maps it at the start. */
static bool is_away(const struct start *start, size_t i)
{
	const struct verdict *verdict = &start->verdicts[i];

	return verdict->why != VERDICT_LAZY &&
	       verdict->why != VERDICT_MISSING && !verdict->mapped;
}

static void map(struct start *start, size_t i)
{
	if (!is_away(start, i))
		return;
	start->verdicts[i].mapped = true;
	start->queue[start->queued++] = i;
}

/* ------------------------------------------------------------------ */
/* An object that is there                                            */

static void mark_names(struct start *start, size_t i)
{
	const struct references *references = start->references;
	size_t n;
	const struct definition *own = names_of_object(start->names, i, &n);

	for (size_t d = 0; d < n; d++)
		own[d].name->at_start = true;
	for (size_t t = references->first[i]; t < references->first[i + 1]; t++)
		references->list[t].name->at_start = true;
}

static void visit(struct start *start, size_t i)
{
	const struct closure_object *object = &start->closure->objects[i];
	const struct references *references = start->references;

	mark_names(start, i);
	for (size_t n = 0; n < object->need_count; n++)
		map(start, object->needs[n]);
	for (size_t t = references->first[i]; t < references->first[i + 1];
	     t++) {
		const struct reference *reference = &references->list[t];

		if (reference->from)
			map(start, reference->from->object);
	}
}

/* ------------------------------------------------------------------ */
/* What comes later                                                   */

static void forget(struct start *start)
{
	memset(start->seen, 0, start->closure->count * sizeof(*start->seen));
}

/* Marks what comes with an object: what it needs, through eager libraries
 * alone. */
static void bring_in(struct start *start, size_t i)
{
	const struct closure_object *object = &start->closure->objects[i];

	if (start->seen[i])
		return;
	start->seen[i] = true;
	for (size_t n = 0; n < object->need_count; n++)
		if (!is_lazy(start, object->needs[n]))
			bring_in(start, object->needs[n]);
}

static void check_later_references(struct start *start, size_t i)
{
	const struct references *references = start->references;

	forget(start);
	bring_in(start, i);
	for (size_t t = references->first[i]; t < references->first[i + 1];
	     t++) {
		const struct reference *reference = &references->list[t];

		if (reference->own || !reference->from)
			continue;
		if (!start->seen[reference->from->object])
			map(start, reference->from->object);
	}
}

static void check_first(struct start *start, const struct name *name)
{
	for (const struct definition *at = name->first->next; at;
	     at = at->next) {
		const struct definition *first =
			names_resolve(name, at->version, 0);

		if (first->object != at->object &&
		    !definitions_are_alike(first, at))
			map(start, first->object);
	}
}

static void look_ahead(struct start *start)
{
	for (size_t i = 0; i < start->closure->count; i++)
		if (start->closure->objects[i].view &&
		    !start->verdicts[i].mapped)
			check_later_references(start, i);
	for (size_t i = 0; i < names_count(start->names); i++)
		check_first(start, names_at(start->names, i));
}

/* ------------------------------------------------------------------ */
/* Edges that the stub file keeps                                     */

static void reach(struct start *start, size_t i)
{
	const struct closure_object *object = &start->closure->objects[i];

	if (start->seen[i] || !start->verdicts[i].mapped)
		return;
	start->seen[i] = true;
	for (size_t n = 0; n < object->need_count; n++)
		reach(start, object->needs[n]);
}

static void keep_edges(struct start *start)
{
	const struct closure *closure = start->closure;

	forget(start);
	for (size_t i = 0; i < closure->count; i++)
		if (i == 0 || closure->objects[i].preloaded)
			reach(start, i);
	for (size_t i = 0; i < closure->count; i++) {
		struct verdict *verdict = &start->verdicts[i];

		verdict->kept_edge = verdict->mapped && !start->seen[i];
		if (verdict->kept_edge)
			reach(start, i);
	}
}

/* The stub file is there too, and what its mirrors point at has to be. */
static void visit_mirrors(struct start *start)
{
	for (size_t i = 0; i < start->closure->count; i++) {
		const struct mirror *mirror = &start->mirrors[i];

		for (size_t k = 0; is_lazy(start, i) && k < mirror->fixup_count;
		     k++) {
			const struct definition *symbol =
				mirror->fixups[k].symbol;

			if (!symbol)
				continue;
			symbol->name->at_start = true;
			map(start, symbol->object);
		}
	}
}

static void settle(struct start *start)
{
	for (size_t i = 0; i < start->closure->count; i++)
		if (start->verdicts[i].mapped)
			start->queue[start->queued++] = i;
	visit_mirrors(start);
	while (start->done < start->queued) {
		while (start->done < start->queued)
			visit(start, start->queue[start->done++]);
		look_ahead(start);
	}
	keep_edges(start);
}

int start_settle(const struct closure *closure, const struct names *names,
		 const struct references *references,
		 const struct mirror *mirrors, struct verdict *verdicts)
{
	_cleanup_(cleanup_start) struct start start = {
		.closure = closure,
		.names = names,
		.references = references,
		.mirrors = mirrors,
		.verdicts = verdicts,
		.queue = calloc(closure->count, sizeof(size_t)),
		.seen = calloc(closure->count, sizeof(bool)),
	};

	if (!start.queue || !start.seen)
		return status_fail(DLAZY_ENOMEM,
				   "a program's start: out of memory");
	settle(&start);
	return 0;
}
