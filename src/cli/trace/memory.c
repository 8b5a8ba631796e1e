/* SPDX-License-Identifier: MIT */
/*
 * Memory, from /proc/self/smaps as the traced process kept it: how much is an
 * object's own (pages that it wrote to), how much code it maps, and how much
 * of that was used since main began. The last needs no call to be seen: code
 * that is not used for sure was not called; code that was used may have been
 * used by its destructors alone.
 */
#include "cli/trace/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sums {
	double private_kib, text_kib, touched_kib;
	bool is_mapped;
};

/* One mapping's line, then one for each quantity. */
struct reader {
	const struct trace *t;
	bool at_main;	      /* what is read was kept then */
	struct sums witness;  /* of the page that is known to be used */
	struct sums *sums;    /* of each object */
	struct sums *current; /* of the mapping's, or NULL */
	bool is_text;
};

static bool is_since_main(const struct trace *t,
			  const struct tracebuf_object *raw)
{
	return raw->opened.ticks > t->tracebuf->main.ticks;
}

static struct sums *find(struct reader *r, uint64_t start, uint64_t end)
{
	uint64_t witness = r->t->tracebuf->witness;

	if (witness >= start && witness < end)
		return &r->witness;
	for (size_t i = 0; i < r->t->object_count; i++) {
		const struct tracebuf_object *raw = r->t->objects[i].raw;

		if (raw->end && start >= (raw->start & ~(uint64_t)4095) &&
		    start < raw->end && raw->is_open &&
		    !(r->at_main && is_since_main(r->t, raw)))
			return &r->sums[i];
	}
	return NULL;
}

static void take_quantity(struct reader *r, const char *line)
{
	double kib;

	if (sscanf(line, "Private_Dirty: %lf", &kib) == 1)
		r->current->private_kib += kib;
	else if (r->is_text && sscanf(line, "Size: %lf", &kib) == 1)
		r->current->text_kib += kib;
	else if (r->is_text && sscanf(line, "Referenced: %lf", &kib) == 1)
		r->current->touched_kib += kib;
}

static void take_line(struct reader *r, const char *line)
{
	uint64_t start, end;
	char access[5];

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s ", &start, &end,
		   access) == 3) {
		r->current = find(r, start, end);
		r->is_text = access[2] == 'x';
		if (r->current)
			r->current->is_mapped = true;
	} else if (r->current) {
		take_quantity(r, line);
	}
}

/* Lines are copied: the text has no NUL at its end. */
static void take_text(struct reader *r, const struct tracebuf_memory *memory)
{
	const char *at = memory->text;
	const char *end = at + (memory->size < sizeof(memory->text)
					? memory->size
					: sizeof(memory->text));
	char line[256];

	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((stop ? stop : end) - at);

		snprintf(line, sizeof(line), "%.*s",
			 (int)(n < sizeof(line) ? n : sizeof(line) - 1), at);
		take_line(r, line);
		at += n + 1;
	}
}

static struct trace_value touched(const struct reader *r,
				  const struct trace_object *o,
				  const struct sums *s)
{
	const struct trace *t = r->t;

	if (!t->tracebuf->at_exit.size)
		return trace_unknown(
			t->has_exited ? "/proc could not be read at exit"
				      : "it did not end by exit(), where this "
					"is looked at");
	if (!t->tracebuf->cleared || r->witness.touched_kib == 0)
		return trace_unknown("this kernel does not tell");
	if (is_since_main(t, o->raw))
		return trace_unknown("it was loaded since main, so that its "
				     "constructors count");
	if (s->text_kib == 0)
		return trace_unknown("it has no code");
	return trace_known(s->touched_kib);
}

static void set_memory(const struct reader *r, struct trace_object *o,
		       const struct sums *s, bool is_whole)
{
	if (!s->is_mapped) {
		const char *why = !o->raw->end ? "where it lies is not known"
				  : !o->raw->is_open
					  ? "it had been closed by then"
				  : r->at_main && is_since_main(r->t, o->raw)
					  ? "it was loaded since main, and the "
					    "program did not end by exit(), "
					    "where this is looked at"
				  : !is_whole ? "not all mappings could be kept"
					      : "it had no mapping";
		o->private_kib = o->text_kib = o->touched_kib =
			trace_unknown(why);
		return;
	}
	o->private_kib = trace_known(s->private_kib);
	o->text_kib = trace_known(s->text_kib);
	o->touched_kib = touched(r, o, s);
}

/* Was its code used since main began, or can nobody say that it was not? */
static bool is_active(const struct trace_object *o)
{
	if (!trace_is_library(o) || o->called_since_main)
		return true;
	if (!o->touched_kib.unknown)
		return o->touched_kib.value > 0;
	return o->used != TRACE_USED_NONE;
}

/* Data that an object in use is bound to may be used without any code. */
static bool gives_data(const struct trace *t, const struct trace_object *o)
{
	for (size_t i = 0; i < o->use_count; i++)
		if (o->uses[i].data && !t->objects[o->uses[i].by].did_nothing)
			return true;
	return false;
}

static void find_idle(struct trace *t)
{
	bool changed = true;

	/* Of a program that did not come to main nothing is to be said. */
	if (!t->tracebuf->main.ticks)
		return;
	for (size_t i = 0; i < t->object_count; i++)
		t->objects[i].did_nothing = !is_active(&t->objects[i]);
	while (changed) {
		changed = false;
		for (size_t i = 0; i < t->object_count; i++) {
			struct trace_object *o = &t->objects[i];

			if (!o->did_nothing || !gives_data(t, o))
				continue;
			o->did_nothing = false;
			changed = true;
		}
	}
}

void trace_find_memory(struct trace *t)
{
	const struct tracebuf *tracebuf = t->tracebuf;
	const struct tracebuf_memory *memory = tracebuf->at_exit.size
						       ? &tracebuf->at_exit
						       : &tracebuf->at_main;
	struct reader r = {
		.t = t,
		.at_main = memory == &tracebuf->at_main,
		.sums = calloc(t->object_count, sizeof(*r.sums)),
	};
	const char *why = "out of memory";

	if (!memory->size)
		why = tracebuf->main.ticks ? "/proc could not be read"
					   : "it did not come to main";
	if (r.sums && memory->size)
		take_text(&r, memory);
	for (size_t i = 0; i < t->object_count; i++) {
		struct trace_object *o = &t->objects[i];

		if (r.sums && memory->size)
			set_memory(&r, o, &r.sums[i], memory->is_whole);
		else
			o->private_kib = o->text_kib = o->touched_kib =
				trace_unknown(why);
	}
	free(r.sums);
	find_idle(t);
}

bool trace_is_stubbable(const struct trace *t, const struct trace_object *o)
{
	if (!o->did_nothing || o->by != 0 || o->why != TRACEBUF_NEEDED)
		return false;
	for (size_t i = 0; i < o->use_count; i++)
		if (o->uses[i].by != 0 &&
		    !t->objects[o->uses[i].by].did_nothing)
			return false;
	return true;
}

struct trace_waste trace_waste(const struct trace *t)
{
	struct trace_waste w = {.count = 0};

	for (size_t i = 0; i < t->object_count; i++) {
		const struct trace_object *o = &t->objects[i];
		double relocations = (double)o->raw->relative +
				     o->raw->symbolic + o->raw->calls;

		w.libraries += trace_is_library(o);
		w.all_relocations += relocations;
		if (!o->did_nothing)
			continue;
		w.count++;
		w.us += trace_or_zero(o->map_us) +
			trace_or_zero(o->relocate_us) +
			trace_or_zero(o->init_us);
		w.private_kib += trace_or_zero(o->private_kib);
		w.relocations += relocations;
		w.opened += o->raw->load != 0;
	}
	return w;
}
