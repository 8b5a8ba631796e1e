/* SPDX-License-Identifier: MIT */
/*
 * Reading a trace buffer, and working times out of it. The traced process can
 * write into its trace buffer whatever it likes, so every place and every
 * string is checked where it is used.
 */
#include "cli/trace/trace.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/status.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *trace_why_word(enum tracebuf_why why)
{
	static const char *const words[] = {
		[TRACEBUF_EXE] = "exe",	      [TRACEBUF_LINKER] = "needed",
		[TRACEBUF_NEEDED] = "needed", [TRACEBUF_PRELOAD] = "preload",
		[TRACEBUF_DLOPEN] = "dlopen",
	};

	return words[why];
}

const char *trace_used_word(enum trace_used used)
{
	static const char *const words[] = {"none", "bound", "called"};

	return words[used];
}

const char *trace_word(struct trace *t, const char *format, ...)
{
	va_list args;
	char *word;

	va_start(args, format);
	int n = vasprintf(&word, format, args);
	va_end(args);
	if (n >= 0 && array_reserve(&t->words, t->word_count, &t->word_room,
				    sizeof(*t->words))) {
		t->words[t->word_count++] = word;
		return word;
	}
	if (n >= 0)
		free(word);
	return "out of memory";
}

/* ------------------------------------------------------------------ */
/* Checked access                                                     */

static const char *string_at(const struct tracebuf *tracebuf, uint32_t at)
{
	if (at == 0 || at >= TRACEBUF_STRINGS ||
	    !memchr(tracebuf->strings + at, '\0', TRACEBUF_STRINGS - at))
		return NULL;
	return tracebuf->strings + at;
}

static size_t object_place(const struct trace *t, uint32_t reference)
{
	return reference && reference <= t->object_count ? reference - 1
							 : TRACE_NONE;
}

static bool reached(struct tracebuf_moment m)
{
	return m.ticks != 0;
}

/*
 * A time that cannot be, as where counters of two CPUs disagree, or the process
 * wrote into its trace buffer, is not known. Clocks are compared to some
 * microseconds.
 */
#define IMPOSSIBLE "the clocks disagree"
#define SLACK_US 1000
#define LONGEST_US (366 * 86400e6)

static struct trace_value possible(double us)
{
	if (us < -SLACK_US || us > LONGEST_US)
		return trace_unknown(IMPOSSIBLE);
	return trace_known(us > 0 ? us : 0);
}

/* From one moment to another, without the tracer's own time. */
static struct trace_value between(const struct trace *t,
				  struct tracebuf_moment a,
				  struct tracebuf_moment b, const char *why_not)
{
	if (!reached(a) || !reached(b))
		return trace_unknown(why_not);
	if (t->tick_us == 0)
		return trace_unknown("it ended before the clock was compared");
	double passed = (double)b.ticks - (double)a.ticks;
	double own = (double)b.own - (double)a.own;
	if (passed < 0)
		return trace_unknown(IMPOSSIBLE);
	return possible(passed > own ? (passed - own) * t->tick_us : 0);
}

/* CLOCK_MONOTONIC, in nanoseconds. */
static double time_of(const struct trace *t, uint64_t ticks)
{
	return (double)t->tracebuf->first_ns +
	       ((double)ticks - (double)t->tracebuf->first_ticks) * t->tick_us *
		       1e3;
}

/* Since the start. */
static struct trace_value at(const struct trace *t, struct tracebuf_moment m,
			     struct trace_span span)
{
	uint64_t zero = span.begin_ns ? span.begin_ns : t->tracebuf->first_ns;

	if (!reached(m) || t->tick_us == 0)
		return trace_unknown("no time was taken");
	return possible((time_of(t, m.ticks) - (double)zero) / 1e3);
}

/* ------------------------------------------------------------------ */
/* Loads                                                              */

static void read_load(struct trace *t, size_t i, struct trace_span span)
{
	const struct tracebuf_load *raw = &t->tracebuf->loads[i];
	struct trace_load *load = &t->loads[i];
	const char *no_constructor =
		"it failed, or has no constructor whose call would end it";

	*load = (struct trace_load){
		.raw = raw,
		.requested = string_at(t->tracebuf, raw->requested),
		.by = object_place(t, raw->by),
		.at_us = at(t, raw->begin, span),
		.map_us = between(t, raw->begin, raw->mapped,
				  "it did not come so far"),
		.relocate_us =
			between(t, raw->mapped, raw->relocated, no_constructor),
		.init_us = between(t, raw->relocated, raw->end, no_constructor),
	};
	/* Constructors of the start have run when the program's are next. */
	if (i == 0)
		load->init_us =
			between(t, raw->relocated, t->tracebuf->main,
				"it ended before main: in a constructor?");
}

static bool contains(const struct tracebuf_object *o,
		     const struct tracebuf_load *l)
{
	return l->thread == o->init_thread &&
	       l->begin.ticks >= o->init_begin.ticks &&
	       l->begin.ticks < o->init_end.ticks;
}

/* What its constructors loaded is accounted for there. */
static double loaded_within(const struct trace *t,
			    const struct tracebuf_object *o)
{
	double sum = 0;
	uint64_t last_end = 0;

	for (size_t i = 1; i < t->load_count; i++) {
		const struct tracebuf_load *l = t->loads[i].raw;

		/* One within another counts with that. */
		if (!contains(o, l) || l->begin.ticks < last_end)
			continue;
		struct tracebuf_moment end =
			reached(l->end) ? l->end : l->mapped;
		sum += trace_or_zero(between(t, l->begin, end, ""));
		last_end = end.ticks;
	}
	return sum;
}

/* ------------------------------------------------------------------ */
/* Objects                                                            */

static struct trace_value map_time(const struct trace *t,
				   const struct tracebuf_object *raw)
{
	if (raw->why == TRACEBUF_EXE || raw->why == TRACEBUF_LINKER)
		return trace_unknown("the kernel mapped it, before the "
				     "dynamic linker ran");
	if (t->tick_us == 0)
		return trace_unknown("it ended before the clock was compared");
	return possible((double)raw->map_ticks * t->tick_us);
}

static struct trace_value init_time(const struct trace *t,
				    const struct tracebuf_object *raw)
{
	if (raw->why == TRACEBUF_LINKER)
		return trace_unknown("the dynamic linker starts itself");
	if (!raw->has_constructors)
		return trace_unknown("it has no constructors, or none that "
				     "can be timed");
	if (!reached(raw->init_begin))
		return trace_unknown("its constructors did not run");
	if (!reached(raw->init_end))
		return trace_unknown("its constructors did not return");
	if (t->tick_us == 0)
		return trace_unknown("it ended before the clock was compared");
	double all = (double)raw->init_ticks * t->tick_us;
	double within = loaded_within(t, raw);
	return possible(all > within ? all - within : 0);
}

static void read_object(struct trace *t, size_t i, struct trace_span span)
{
	const struct tracebuf_object *raw = &t->tracebuf->objects[i];
	struct trace_object *o = &t->objects[i];
	const char *path = string_at(t->tracebuf, raw->path);

	*o = (struct trace_object){
		.raw = raw,
		.path = path ? path : "(its name did not fit)",
		.requested = string_at(t->tracebuf, raw->requested),
		.why = raw->why <= TRACEBUF_DLOPEN ? raw->why : TRACEBUF_DLOPEN,
		.by = object_place(t, raw->by),
		.opens = raw->opens,
		.at_us = at(t, raw->opened, span),
		.map_us = map_time(t, raw),
		.relocate_us = trace_unknown(
			raw->opens > 1
				? "it was mapped more than once: only what all "
				  "loads took is known"
				: "its load did not fit into the trace"),
		.init_us = init_time(t, raw),
	};
	if (o->why == TRACEBUF_LINKER)
		o->by = 0; /* the program names it as its interpreter */
	if (o->by == i)
		o->by = TRACE_NONE;
}

/* ------------------------------------------------------------------ */
/* Relocation, object by object                                       */

/*
 * The linker relocates a load's objects one after the other, in the order in
 * which their constructors run, the program and itself last. It tells only of
 * calls that it binds then; the last of these is the end of that object. So
 * between two ends lie one object or more: where it is one, its time is known.
 */
struct sequence {
	size_t *places;
	size_t count;
	const struct trace *t;
};

static uint32_t order_of(const struct tracebuf_object *raw)
{
	if (raw->why == TRACEBUF_LINKER)
		return UINT32_MAX;
	if (raw->why == TRACEBUF_EXE)
		return UINT32_MAX - 1;
	return raw->init_order;
}

static int compare_order(const void *a, const void *b, void *data)
{
	const struct trace *t = data;
	uint32_t m = order_of(t->objects[*(const size_t *)a].raw);
	uint32_t n = order_of(t->objects[*(const size_t *)b].raw);

	return (m > n) - (m < n);
}

static void relocate_unknown(struct trace *t, const size_t *places, size_t n,
			     const char *why)
{
	for (size_t i = 0; i < n; i++)
		t->objects[places[i]].relocate_us = trace_unknown(why);
}

/* Those that were relocated between two moments. */
static void relocate_group(struct trace *t, const size_t *places, size_t n,
			   struct tracebuf_moment begin,
			   struct tracebuf_moment end)
{
	struct trace_value all =
		between(t, begin, end, "when it ended is not known");

	if (n == 1)
		t->objects[places[0]].relocate_us = all;
	else if (n > 1 && all.unknown)
		relocate_unknown(t, places, n, all.unknown);
	else if (n > 1)
		relocate_unknown(
			t, places, n,
			trace_word(t,
				   "%zu objects took %.1f us, one after the "
				   "other; the linker does not tell more",
				   n, all.value));
}

/* Each has its place in the sequence, and ends come in its order. */
static bool is_ordered(const struct trace *t, const size_t *places, size_t n)
{
	uint64_t last = 0;

	for (size_t i = 0; i < n; i++) {
		const struct tracebuf_object *raw = t->objects[places[i]].raw;

		if (order_of(raw) == 0 || raw->opens > 1)
			return false;
		if (!reached(raw->bound_at))
			continue;
		if (raw->bound_at.ticks < last)
			return false;
		last = raw->bound_at.ticks;
	}
	return true;
}

static void relocate_sequence(struct trace *t, const struct tracebuf_load *load,
			      size_t *places, size_t n)
{
	struct tracebuf_moment begin = load->mapped;
	size_t first = 0;

	/* Its other times are sums. */
	if (n == 1 && t->objects[places[0]].opens > 1)
		return;
	qsort_r(places, n, sizeof(*places), compare_order, t);
	if (n > 1 && !is_ordered(t, places, n)) {
		relocate_unknown(t, places, n,
				 "in which order these were relocated is not "
				 "known");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const struct tracebuf_object *raw = t->objects[places[i]].raw;

		if (!reached(raw->bound_at) || i + 1 == n)
			continue;
		relocate_group(t, places + first, i + 1 - first, begin,
			       raw->bound_at);
		begin = raw->bound_at;
		first = i + 1;
	}
	relocate_group(t, places + first, n - first, begin, load->relocated);
}

static int find_relocation(struct trace *t)
{
	_cleanup_free_ size_t *places =
		calloc(t->object_count + 1, sizeof(*places));

	if (!places)
		return status_no_memory(NULL);
	for (size_t load = 0; load < t->load_count; load++) {
		size_t n = 0;

		for (size_t i = 0; i < t->object_count; i++)
			if (t->objects[i].raw->load == load)
				places[n++] = i;
		relocate_sequence(t, t->loads[load].raw, places, n);
	}
	return 0;
}

/* ------------------------------------------------------------------ */
/* Of the whole                                                       */

static void value_add(struct trace_value *sum, struct trace_value v)
{
	if (!v.unknown)
		sum->value += v.value;
}

/* Loads that lie within another's time on its thread are told apart from it. */
static bool is_within_constructor(const struct trace *t, size_t load)
{
	const struct tracebuf_load *l = t->loads[load].raw;

	for (size_t i = 0; i < t->load_count; i++) {
		const struct tracebuf_load *outer = t->loads[i].raw;
		uint64_t end = i ? outer->end.ticks : t->tracebuf->main.ticks;

		if (i != load && outer->thread == l->thread &&
		    reached(outer->relocated) &&
		    l->begin.ticks >= outer->relocated.ticks &&
		    l->begin.ticks < end)
			return true;
	}
	return false;
}

static void find_sums(struct trace *t)
{
	const struct tracebuf *tracebuf = t->tracebuf;
	double late = 0;

	t->map_us = t->loads[0].map_us;
	t->relocate_us = t->loads[0].relocate_us;
	t->constructors_us = t->loads[0].init_us;
	for (size_t i = 1; i < t->load_count; i++) {
		const struct trace_load *l = &t->loads[i];
		double linking = trace_or_zero(l->map_us) +
				 trace_or_zero(l->relocate_us);

		value_add(&t->map_us, l->map_us);
		value_add(&t->relocate_us, l->relocate_us);
		if (is_within_constructor(t, i)) {
			t->constructors_us.value -= linking;
			continue;
		}
		value_add(&t->constructors_us, l->init_us);
		if (l->raw->thread == tracebuf->pid)
			late += linking + trace_or_zero(l->init_us);
	}
	if (t->constructors_us.value < 0)
		t->constructors_us.value = 0;
	t->program_us =
		between(t, tracebuf->resumed, tracebuf->exit,
			reached(tracebuf->resumed) ? "it did not end by exit()"
						   : "it did not come to main");
	if (!t->program_us.unknown)
		t->program_us.value -=
			late < t->program_us.value ? late : t->program_us.value;
}

static void find_ends(struct trace *t, struct trace_span span)
{
	const struct tracebuf *tracebuf = t->tracebuf;
	const char *unseen = "who started it was not watched";

	t->wall_us = t->exec_us = t->exit_us = trace_unknown(unseen);
	if (!span.begin_ns || span.end_ns < span.begin_ns)
		return;
	t->wall_us = trace_known((double)(span.end_ns - span.begin_ns) / 1e3);
	t->exit_us = trace_unknown("it did not end by exit()");
	if (t->tick_us == 0) {
		t->exec_us = trace_unknown("it ended before the clock was "
					   "compared");
		return;
	}
	t->exec_us = possible(
		(time_of(t, tracebuf->start.ticks) - (double)span.begin_ns) /
		1e3);
	if (reached(tracebuf->finished))
		t->exit_us = possible(((double)span.end_ns -
				       time_of(t, tracebuf->finished.ticks)) /
				      1e3);
}

/* ------------------------------------------------------------------ */

static int check(const char *path, const struct trace *t)
{
	if (t->map.size < sizeof(struct tracebuf) ||
	    t->tracebuf->magic != TRACEBUF_MAGIC ||
	    t->tracebuf->size != sizeof(struct tracebuf))
		return status_fail(DLAZY_EFORMAT,
				   "%s: is no trail, or not of this version "
				   "of dlazy",
				   path);
	if (t->tracebuf->object_count == 0)
		return status_fail(DLAZY_EFORMAT,
				   "%s: the process ended before it had any "
				   "objects",
				   path);
	return 0;
}

static uint32_t at_most(uint32_t count, uint32_t most)
{
	return count < most ? count : most;
}

static int allocate(struct trace *t)
{
	const struct tracebuf *tracebuf = t->tracebuf;

	t->object_count = at_most(tracebuf->object_count, TRACEBUF_OBJECTS);
	t->load_count = at_most(tracebuf->load_count, TRACEBUF_LOADS);
	/* The last place, of loads without one, tells of none. */
	t->command_count = at_most(tracebuf->argument_count, TRACEBUF_STRINGS);
	t->objects = calloc(t->object_count, sizeof(*t->objects));
	t->loads = calloc(t->load_count + 1, sizeof(*t->loads));
	t->command = calloc(t->command_count + 1, sizeof(*t->command));
	if (!t->objects || !t->loads || !t->command)
		return status_no_memory(NULL);
	return 0;
}

static void read_command(struct trace *t)
{
	uint32_t place = t->tracebuf->arguments;

	for (size_t i = 0; i < t->command_count; i++) {
		t->command[i] = string_at(t->tracebuf, place);
		if (!t->command[i]) {
			t->command_count = i;
			return;
		}
		place += (uint32_t)strlen(t->command[i]) + 1;
	}
}

static int open_tracebuf(const char *path, struct trace *t)
{
	_cleanup_close_ int fd = -1;
	struct file_identity identity;
	int status = file_open(AT_FDCWD, path, &fd, &identity);

	if (status == 0 && identity.size == 0)
		return status_fail(DLAZY_EFORMAT,
				   "%s: was not written, for want of room; set "
				   "TMPDIR to where there is more",
				   path);
	if (status == 0)
		status = file_map(fd, identity.size, &t->map);
	if (status < 0)
		return status;
	t->tracebuf = (const struct tracebuf *)t->map.data;
	return check(path, t);
}

/* Counters of CPUs go at 1 MHz to 100 GHz. Else the two moments at which the
 * clocks were compared are too near each other. */
#define TICK_US_LEAST 1e-5
#define TICK_US_MOST 1.0

static void read_clock(struct trace *t)
{
	const struct tracebuf *tracebuf = t->tracebuf;

	if (tracebuf->last_ticks > tracebuf->first_ticks &&
	    tracebuf->last_ns > tracebuf->first_ns)
		t->tick_us =
			(double)(tracebuf->last_ns - tracebuf->first_ns) / 1e3 /
			(double)(tracebuf->last_ticks - tracebuf->first_ticks);
	if (t->tick_us < TICK_US_LEAST || t->tick_us > TICK_US_MOST)
		t->tick_us = 0;
	t->own_us = (double)tracebuf->own * t->tick_us;
	t->own_scan_us = (double)tracebuf->own_scan * t->tick_us;
	t->own_memory_us = (double)tracebuf->own_memory * t->tick_us;
	t->has_exited = reached(tracebuf->exit);
}

int trace_read(const char *path, struct trace_span span, struct trace *ret)
{
	struct trace *t = ret;

	*t = (struct trace){.runs = 1};
	int status = open_tracebuf(path, t);
	if (status == 0)
		status = allocate(t);
	if (status < 0)
		return status;
	read_command(t);
	read_clock(t);
	for (size_t i = 0; i < t->load_count; i++)
		read_load(t, i, span);
	for (size_t i = 0; i < t->object_count; i++)
		read_object(t, i, span);
	find_sums(t);
	find_ends(t, span);
	status = find_relocation(t);
	if (status == 0)
		status = trace_find_uses(t);
	if (status == 0)
		trace_find_memory(t);
	return status;
}

void trace_clear(struct trace *t)
{
	for (size_t i = 0; t->objects && i < t->object_count; i++)
		free(t->objects[i].uses);
	for (size_t i = 0; i < t->word_count; i++)
		free(t->words[i]);
	free(t->words);
	free(t->objects);
	free(t->loads);
	free(t->command);
	file_unmap(&t->map);
	*t = (struct trace){.tracebuf = NULL};
}
