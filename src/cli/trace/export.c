/* SPDX-License-Identifier: MIT */
/*
 * A trace for other tools: as Trace Events, which Perfetto (ui.perfetto.dev) and
 * chrome://tracing open, and as folded stacks, of which flamegraph.pl, inferno and
 * speedscope make flame graphs.
 *
 * The timeline has times as they were measured, the tracer's own included, so that
 * each interval lies within the one that contains it. A stack says which object
 * brought in which; its weight is in nanoseconds, without the tracer's.
 */
#include "cli/trace/export.h"

#include "base/file.h"
#include "base/json.h"
#include "cli/cli.h"

#include <inttypes.h>
#include <stdio.h>

/* ------------------------------------------------------------------ */
/* Trace Events                                                       */

struct events {
	struct json *j;
	const struct trace *t;
	double zero_us; /* of the timeline, in the process's clock */
};

static double clock_us(const struct trace *t, struct tracebuf_moment m)
{
	return (double)t->tracebuf->first_ns / 1e3 +
	       ((double)m.ticks - (double)t->tracebuf->first_ticks) *
		       t->tick_us;
}

/*
 * Times are multiples of an eighth of a microsecond: these, and their sums, are
 * the same numbers in binary, in decimal and in whole nanoseconds, so that of
 * two events that meet, or lie within one another, none reaches into the other,
 * whatever a viewer reckons with. (One would show it elsewhere, or drop it.)
 */
#define GRID_US 0.125

static double on_grid(double us)
{
	if (us < -9e12 || us > 9e12)
		return us;
	return (double)(int64_t)(us / GRID_US + (us < 0 ? -0.5 : 0.5)) *
	       GRID_US;
}

/* Begins a complete event ("X"); its arguments follow. Its begin and its end
 * are rounded, not how long it took. */
static void begin_event(struct events *e, const char *name, const char *kind,
			double begin_us, double end_us, uint32_t thread)
{
	struct json *j = e->j;
	double begin = on_grid(begin_us - e->zero_us);
	double end = on_grid(end_us - e->zero_us);

	json_begin_object(j);
	json_string_at(j, "name", name);
	json_string_at(j, "cat", kind);
	json_string_at(j, "ph", "X");
	json_double_at(j, "ts", begin);
	json_double_at(j, "dur", end - begin);
	json_unsigned_at(j, "pid", e->t->tracebuf->pid);
	json_unsigned_at(j, "tid", thread);
	json_begin_object_at(j, "args");
}

static void end_event(struct events *e)
{
	json_end_object(e->j);
	json_end_object(e->j);
}

static void print_span(struct events *e, const char *name, const char *kind,
		       struct tracebuf_moment begin, struct tracebuf_moment end,
		       uint32_t thread)
{
	if (!begin.ticks || !end.ticks || end.ticks < begin.ticks)
		return;
	begin_event(e, name, kind, clock_us(e->t, begin), clock_us(e->t, end),
		    thread);
	end_event(e);
}

static void print_load_events(struct events *e, size_t i)
{
	const struct trace_load *l = &e->t->loads[i];
	struct tracebuf_moment end = i ? l->raw->end : e->t->tracebuf->main;
	char name[512];

	if (i)
		snprintf(name, sizeof(name), "dlopen %s",
			 l->requested ? l->requested : "");
	else
		snprintf(name, sizeof(name), "start");
	print_span(e, name, "load", l->raw->begin,
		   end.ticks ? end : l->raw->mapped, l->raw->thread);
	print_span(e, "mapping", "phase", l->raw->begin, l->raw->mapped,
		   l->raw->thread);
	print_span(e, "relocating", "phase", l->raw->mapped, l->raw->relocated,
		   l->raw->thread);
	print_span(e, "constructors", "phase", l->raw->relocated, end,
		   l->raw->thread);
}

/* Who pulled it in, and what became of it. */
static void print_arguments(struct events *e, const struct trace_object *o)
{
	json_string_at(e->j, "path", o->path);
	json_string_at(e->j, "why", trace_why_word(o->why));
	json_string_at(e->j, "by",
		       o->by == TRACE_NONE ? NULL : e->t->objects[o->by].path);
	json_string_at(e->j, "used", trace_used_word(o->used));
	json_bool_at(e->j, "did_nothing", o->did_nothing);
}

/* Of an object that was mapped again and again, only the first time of its
 * constructors is known. */
static void print_object_events(struct events *e, const struct trace_object *o)
{
	const struct tracebuf_object *raw = o->raw;
	const char *name = file_base_name(o->path);
	uint32_t thread = raw->load < e->t->load_count
				  ? e->t->loads[raw->load].raw->thread
				  : e->t->tracebuf->pid;

	if (!o->map_us.unknown && o->opens == 1 && raw->opened.ticks) {
		double end = clock_us(e->t, raw->opened);
		begin_event(e, name, "map", end - o->map_us.value, end, thread);
		print_arguments(e, o);
		end_event(e);
	}
	if (raw->init_begin.ticks && raw->init_end.ticks) {
		begin_event(e, name, "init", clock_us(e->t, raw->init_begin),
			    clock_us(e->t, raw->init_end), raw->init_thread);
		print_arguments(e, o);
		end_event(e);
	}
}

static void print_name(struct events *e)
{
	struct json *j = e->j;

	json_begin_object(j);
	json_string_at(j, "name", "process_name");
	json_string_at(j, "ph", "M");
	json_unsigned_at(j, "pid", e->t->tracebuf->pid);
	json_begin_object_at(j, "args");
	json_string_at(j, "name", file_base_name(e->t->objects[0].path));
	json_end_object(j);
	json_end_object(j);
}

/* What the linker does not see: before it, and behind it. */
static void print_ends(struct events *e)
{
	const struct trace *t = e->t;
	double start = clock_us(t, t->tracebuf->start);
	double finished = clock_us(t, t->tracebuf->finished);

	if (!t->exec_us.unknown) {
		begin_event(e, "exec", "phase", start - t->exec_us.value, start,
			    t->tracebuf->pid);
		end_event(e);
	}
	if (!t->exit_us.unknown) {
		begin_event(e, "exit", "phase", finished,
			    finished + t->exit_us.value, t->tracebuf->pid);
		end_event(e);
	}
}

static void print_process(struct events *e)
{
	const struct tracebuf *tracebuf = e->t->tracebuf;

	print_name(e);
	if (e->t->tick_us == 0)
		return;
	print_ends(e);
	print_span(e, "tracer: looking at memory", "tracer", tracebuf->main,
		   tracebuf->resumed, tracebuf->pid);
	print_span(e, "program", "phase", tracebuf->resumed, tracebuf->exit,
		   tracebuf->pid);
	print_span(e, "tracer: looking at memory", "tracer", tracebuf->exit,
		   tracebuf->finished, tracebuf->pid);
	for (size_t i = 0; i < e->t->load_count; i++)
		print_load_events(e, i);
	for (size_t i = 0; i < e->t->object_count; i++)
		print_object_events(e, &e->t->objects[i]);
}

void trace_print_events(FILE *out, const struct trace *all, size_t count)
{
	struct json j = json_to(out);
	double zero = clock_us(&all[0], all[0].tracebuf->start) -
		      trace_or_zero(all[0].exec_us);

	cli_json_begin(&j);
	json_string_at(&j, "displayTimeUnit", "ms");
	json_begin_array_at(&j, "traceEvents");
	for (size_t i = 0; i < count; i++)
		print_process(&(struct events){&j, &all[i], zero});
	json_end_array(&j);
	json_end_object(&j);
	json_finish(&j);
}

/* ------------------------------------------------------------------ */
/* Folded stacks                                                      */

#define DEPTH_MAX 64

/* A frame's name must not have what separates frames, or lines. */
static void put_frame(FILE *out, const char *path)
{
	for (const char *c = file_base_name(path); *c; c++)
		putc(*c == ';' || *c == ' ' || (unsigned char)*c < ' ' ? '_'
								       : *c,
		     out);
	putc(';', out);
}

static void put_stack(FILE *out, const struct trace *t, size_t object)
{
	size_t chain[DEPTH_MAX], depth = 0;

	for (size_t i = object; i != TRACE_NONE && depth < DEPTH_MAX;
	     i = t->objects[i].by)
		chain[depth++] = i;
	/* What is preloaded has nobody, but is the program's. */
	if (depth && chain[depth - 1] != 0 && depth < DEPTH_MAX)
		chain[depth++] = 0;
	while (depth > 0)
		put_frame(out, t->objects[chain[--depth]].path);
}

static void put_weight(FILE *out, const struct trace *t, size_t object,
		       const char *what, struct trace_value us)
{
	if (us.unknown || us.value * 1e3 < 1)
		return;
	put_stack(out, t, object);
	fprintf(out, "%s %" PRIu64 "\n", what, (uint64_t)(us.value * 1e3));
}

void trace_print_folded(FILE *out, const struct trace *all, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct trace *t = &all[i];

		put_weight(out, t, 0, "[program]", t->program_us);
		for (size_t k = 0; k < t->object_count; k++) {
			const struct trace_object *o = &t->objects[k];

			put_weight(out, t, k, "[map]", o->map_us);
			put_weight(out, t, k, "[relocate]", o->relocate_us);
			put_weight(out, t, k, "[init]", o->init_us);
		}
	}
}
