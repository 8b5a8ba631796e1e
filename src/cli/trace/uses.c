/* SPDX-License-Identifier: MIT */
/*
 * Who uses whom: trampolines and bindings of the trace buffer, added up for
 * each pair of objects. Where the slot does not tell whose symbol it is (copied
 * data, thread-local storage), the name is looked up in the files, in the order
 * in which the linker does.
 */
#include "cli/trace/trace.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "elf/view.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static int add_use(struct trace *t, size_t to, struct trace_use use)
{
	size_t by = use.by;

	if (by >= t->object_count || to >= t->object_count || by == to)
		return 0;
	struct trace_object *o = &t->objects[to];
	size_t i = 0;

	while (i < o->use_count && o->uses[i].by != by)
		i++;
	if (i == o->use_count) {
		if (!array_reserve(&o->uses, o->use_count, &o->use_room,
				   sizeof(*o->uses)))
			return status_no_memory(NULL);
		o->uses[o->use_count++] = (struct trace_use){.by = by};
	}
	o->uses[i].symbols += use.symbols;
	o->uses[i].called += use.called;
	o->uses[i].data += use.data;
	o->symbols_bound += use.symbols;
	o->symbols_called += use.called;
	return 0;
}

static int add_trampolines(struct trace *t)
{
	const struct tracebuf *tracebuf = t->tracebuf;
	bool main_began = tracebuf->main.ticks != 0;
	int status = 0;

	for (uint32_t i = 0;
	     i < TRACEBUF_TRAMPOLINES && i < tracebuf->trampoline_count; i++) {
		uint64_t trampoline = tracebuf->trampolines[i];
		size_t by = (size_t)TRACEBUF_FROM(trampoline) - 1;
		size_t to = (size_t)TRACEBUF_TO(trampoline) - 1;
		bool called = tracebuf->called[i] || tracebuf->called_before[i];

		if (status == 0)
			status = add_use(t, to,
					 (struct trace_use){.by = by,
							    .symbols = 1,
							    .called = called});
		if (main_began && tracebuf->called[i] && to < t->object_count)
			t->objects[to].called_since_main++;
	}
	return status;
}

static int add_edges(struct trace *t)
{
	int status = 0;

	for (size_t i = 0; i < TRACEBUF_EDGES && status == 0; i++) {
		const struct tracebuf_edge *e = &t->tracebuf->edges[i];

		if (e->key)
			status = add_use(
				t, (size_t)(e->key & 0xffff) - 1,
				(struct trace_use){
					.by = (size_t)(e->key >> 16) - 1,
					.symbols = e->symbols,
					.data = e->data,
				});
	}
	return status;
}

/* ------------------------------------------------------------------ */
/* By name                                                            */

struct views {
	struct elf_view **list; /* NULL: not opened, or not readable */
	bool *tried;
	size_t count;
};

static void views_clear(struct views *v)
{
	for (size_t i = 0; v->list && i < v->count; i++)
		elf_view_close(v->list[i]);
	free(v->list);
	free(v->tried);
}

static struct elf_view *view_of(struct views *v, const struct trace *t,
				size_t i)
{
	_cleanup_close_ int fd = -1;

	if (v->tried[i])
		return v->list[i];
	v->tried[i] = true;
	if (file_open(AT_FDCWD, t->objects[i].path, &fd, NULL) < 0 ||
	    elf_view_open(fd, t->objects[i].path, &v->list[i]) < 0) {
		v->list[i] = NULL;
		status_clear();
	}
	return v->list[i];
}

static bool defines(struct views *v, const struct trace *t, size_t i,
		    const struct elf_symbol *wanted)
{
	struct elf_view *view = view_of(v, t, i);
	struct elf_symbol found;

	return view &&
	       elf_view_find(view, wanted->name,
			     *wanted->version ? wanted->version : NULL, &found);
}

static size_t find_definer(struct views *v, const struct trace *t, size_t by,
			   const struct elf_symbol *wanted)
{
	/* Its version says in which library. */
	for (size_t i = 0; i < t->object_count && *wanted->library; i++)
		if (t->objects[i].requested &&
		    strcmp(t->objects[i].requested, wanted->library) == 0 &&
		    defines(v, t, i, wanted))
			return i;
	for (size_t i = 0; i < t->object_count; i++)
		if (i != by && t->objects[i].why != TRACEBUF_DLOPEN &&
		    defines(v, t, i, wanted))
			return i;
	return TRACE_NONE;
}

static int add_named(struct trace *t, struct views *v, uint64_t binding)
{
	size_t by = (size_t)TRACEBUF_FROM(binding) - 1;
	struct elf_symbol wanted;

	if (by >= t->object_count)
		return 0;
	struct elf_view *view = view_of(v, t, by);
	if (!view || !elf_view_symbol(view, TRACEBUF_SYMBOL(binding), &wanted))
		return 0;
	return add_use(t, find_definer(v, t, by, &wanted),
		       (struct trace_use){.by = by, .symbols = 1, .data = 1});
}

static int add_binding(struct trace *t, struct views *v, uint64_t binding)
{
	struct trace_use use = {
		.by = (size_t)TRACEBUF_FROM(binding) - 1,
		.symbols = 1,
	};
	size_t to = (size_t)TRACEBUF_TO(binding) - 1;

	switch (TRACEBUF_KIND(binding)) {
	case TRACEBUF_LATE_CALL:
		if (to < t->object_count)
			t->objects[to].called_since_main++;
		use.called = 1;
		break;
	case TRACEBUF_FIRST_CALL:
		use.called = 1;
		break;
	case TRACEBUF_LOOKUP:
		break;
	case TRACEBUF_LOOKUP_DATA:
		use.data = 1;
		break;
	case TRACEBUF_BY_NAME:
		return add_named(t, v, binding);
	default:
		return 0;
	}
	return add_use(t, to, use);
}

static int add_bindings(struct trace *t)
{
	_cleanup_(views_clear) struct views v = {.count = t->object_count};
	int status = 0;

	v.list = calloc(v.count, sizeof(struct elf_view *));
	v.tried = calloc(v.count, sizeof(*v.tried));
	if (!v.list || !v.tried)
		return status_no_memory(NULL);
	for (size_t i = 0; i < TRACEBUF_BINDINGS && status == 0; i++)
		status = add_binding(t, &v, t->tracebuf->bindings[i]);
	return status;
}

/* ------------------------------------------------------------------ */

static enum trace_used used(const struct trace *t, const struct trace_object *o)
{
	/* The program's main is called; ld.so has started it. */
	if (o->symbols_called || o->why == TRACEBUF_LINKER ||
	    (o->why == TRACEBUF_EXE && t->tracebuf->main.ticks))
		return TRACE_USED_CALLED;
	return o->symbols_bound ? TRACE_USED_BOUND : TRACE_USED_NONE;
}

static int compare_uses(const void *a, const void *b)
{
	const struct trace_use *x = a, *y = b;

	if (x->symbols != y->symbols)
		return (x->symbols < y->symbols) - (x->symbols > y->symbols);
	return (x->by > y->by) - (x->by < y->by);
}

int trace_find_uses(struct trace *t)
{
	int status = add_trampolines(t);

	if (status == 0)
		status = add_edges(t);
	if (status == 0)
		status = add_bindings(t);
	for (size_t i = 0; i < t->object_count; i++) {
		struct trace_object *o = &t->objects[i];

		o->used = used(t, o);
		if (o->use_count > 1)
			qsort(o->uses, o->use_count, sizeof(*o->uses),
			      compare_uses);
	}
	return status;
}
