/* SPDX-License-Identifier: MIT */
/*
 * A fixpoint: an object that is there takes data from a lazy library, which
 * then is there too, and takes in its turn. `mapped` is only ever set, and
 * libraries only ever turn eager, so it ends.
 *
 * When the objects of the start are settled, three questions are asked about
 * what comes later, each of which may add to the start again: data that the
 * stub file cannot export, because their name is known at the start; symbols that
 * a library takes from an eager one which nothing would bring in with it; and
 * names of which the first definition would not be the first any more.
 */
#include "link/start.h"

#include "base/cleanup.h"
#include "base/status.h"
#include "elf/view.h"
#include "link/mirror.h"

#include <stdlib.h>
#include <string.h>

struct start {
	const struct closure *closure;
	const struct names *names;
	const struct takes *takes;
	const struct mirror *mirrors; /* of each object */
	struct verdict *verdicts;
	size_t *queue; /* objects that are there, each once */
	size_t queued, done;
	bool *seen;  /* by the search that is going on */
	bool *asked; /* of one object: whose data was asked about already */
	bool failed; /* out of memory */
};

static void cleanup_start(struct start *start)
{
	free(start->queue);
	free(start->seen);
	free(start->asked);
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

bool start_blame(struct verdict *verdict, enum verdict_why why,
		 const struct take *take, const char *importer)
{
	verdict_turn(verdict, why);
	verdict->symbol = strdup(take->name->text);
	verdict->importer = strdup(importer);
	verdict->kind = elf_type_name(take->from->type);
	return verdict->symbol && verdict->importer;
}

/* `importer` takes data from a lazy library, which cannot be lazy then. */
static void take_data(struct start *start, const struct take *take,
		      size_t importer)
{
	start->failed |=
		!start_blame(&start->verdicts[take->from->object], VERDICT_DATA,
			     take, start->closure->objects[importer].path);
}

/* ------------------------------------------------------------------ */
/* An object that is there                                            */

static void mark_names(struct start *start, size_t i)
{
	const struct takes *takes = start->takes;
	size_t n;
	const struct definition *own = names_of_object(start->names, i, &n);

	for (size_t d = 0; d < n; d++)
		own[d].name->at_start = true;
	for (size_t t = takes->first[i]; t < takes->first[i + 1]; t++)
		takes->list[t].name->at_start = true;
}

static void visit(struct start *start, size_t i)
{
	const struct closure_object *object = &start->closure->objects[i];
	const struct takes *takes = start->takes;

	mark_names(start, i);
	for (size_t n = 0; n < object->need_count; n++)
		map(start, object->needs[n]);
	for (size_t t = takes->first[i]; t < takes->first[i + 1]; t++) {
		const struct take *take = &takes->list[t];

		if (!take->from)
			continue;
		if (is_lazy(start, take->from->object) &&
		    !definition_is_ready(take->from))
			take_data(start, take, i);
		map(start, take->from->object);
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

/* Does a lazy library have it, whose stub cannot? */
static bool is_lost(const struct start *start, const struct take *take)
{
	return is_lazy(start, take->from->object) && take->name->at_start &&
	       !definition_is_ready(take->from);
}

static void check_takes_later(struct start *start, size_t i)
{
	const struct takes *takes = start->takes;

	forget(start);
	bring_in(start, i);
	for (size_t t = takes->first[i]; t < takes->first[i + 1]; t++) {
		const struct take *take = &takes->list[t];

		if (take->own || !take->from)
			continue;
		if (is_lost(start, take)) {
			take_data(start, take, i);
			/* Who is there and needs it, has it there now; whoever
			 * comes later is asked once more. */
			start->done = 0;
		} else if (!start->seen[take->from->object]) {
			map(start, take->from->object);
		}
	}
}

/* Served by opening the library. (So too if the importer has one of its own.) */
static bool is_late_data(const struct start *start, const struct take *take)
{
	return take->from && is_lazy(start, take->from->object) &&
	       !definition_is_ready(take->from);
}

/* Marks what the dynamic linker relocates when a lazy library is opened: what
 * comes with it, and with whose data any of that takes. */
static void relocate(struct start *start, size_t i)
{
	const struct closure_object *object = &start->closure->objects[i];
	const struct takes *takes = start->takes;

	if (start->seen[i] || start->verdicts[i].mapped)
		return;
	start->seen[i] = true;
	for (size_t n = 0; n < object->need_count; n++)
		if (!is_lazy(start, object->needs[n]))
			relocate(start, object->needs[n]);
	for (size_t t = takes->first[i]; t < takes->first[i + 1]; t++)
		if (is_late_data(start, &takes->list[t]))
			relocate(start, takes->list[t].from->object);
}

/*
 * A library that is eager but away, and takes data from a lazy one: that one is
 * opened in the middle of its relocation. If that came to the library again, it
 * would be relocated as a whole, made read-only, and then gone on with.
 */
static void check_circles(struct start *start, size_t i)
{
	const struct takes *takes = start->takes;

	memset(start->asked, 0, start->closure->count * sizeof(*start->asked));
	for (size_t t = takes->first[i]; t < takes->first[i + 1]; t++) {
		const struct take *take = &takes->list[t];

		if (!is_late_data(start, take) ||
		    start->asked[take->from->object])
			continue;
		start->asked[take->from->object] = true;
		forget(start);
		relocate(start, take->from->object);
		if (!start->seen[i])
			continue;
		take_data(start, take, i);
		start->done = 0; /* as above */
	}
}

/* Templates and inline functions that many have: one is as good as another. */
static bool are_alike(const struct definition *a, const struct definition *b)
{
	return a->binding != ELF_BINDING_GLOBAL &&
	       b->binding != ELF_BINDING_GLOBAL;
}

static void check_first(struct start *start, const struct name *name)
{
	for (const struct definition *at = name->first->next; at;
	     at = at->next) {
		const struct definition *first =
			names_resolve(name, at->version, 0);

		if (first->object != at->object && !are_alike(first, at))
			map(start, first->object);
	}
}

static void look_ahead(struct start *start)
{
	for (size_t i = 0; i < start->closure->count; i++)
		if (start->closure->objects[i].view &&
		    !start->verdicts[i].mapped)
			check_takes_later(start, i);
	for (size_t i = 0; i < start->closure->count; i++)
		if (is_away(start, i))
			check_circles(start, i);
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
	visit_mirrors(start);
	for (size_t i = 0; i < start->closure->count; i++)
		if (start->verdicts[i].mapped)
			start->queue[start->queued++] = i;
	while (start->done < start->queued && !start->failed) {
		while (start->done < start->queued)
			visit(start, start->queue[start->done++]);
		look_ahead(start);
	}
	keep_edges(start);
}

int start_settle(const struct closure *closure, const struct names *names,
		 const struct takes *takes, const struct mirror *mirrors,
		 struct verdict *verdicts)
{
	_cleanup_(cleanup_start) struct start start = {
		.closure = closure,
		.names = names,
		.takes = takes,
		.mirrors = mirrors,
		.verdicts = verdicts,
		.queue = calloc(closure->count, sizeof(size_t)),
		.seen = calloc(closure->count, sizeof(bool)),
		.asked = calloc(closure->count, sizeof(bool)),
	};

	start.failed = !start.queue || !start.seen || !start.asked;
	if (!start.failed)
		settle(&start);
	return start.failed ? status_fail(DLAZY_ENOMEM,
					  "a program's start: out of memory")
			    : 0;
}
