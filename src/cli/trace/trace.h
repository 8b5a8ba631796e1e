/* SPDX-License-Identifier: MIT */
/*
 * What a traced process did, worked out from the trace buffer it left
 * (hook/tracebuf.h) once it has ended, for tables and files to be made of.
 *
 * Nothing is guessed: a value that was not observed is unknown, and says why.
 */
#ifndef CLI_TRACE_TRACE_H
#define CLI_TRACE_TRACE_H

#include "base/file.h"
#include "hook/tracebuf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A quantity, or why it is not known. */
struct trace_value {
	double value;
	const char *unknown; /* NULL: it is known */
};

static inline struct trace_value trace_known(double value)
{
	return (struct trace_value){value, NULL};
}

static inline struct trace_value trace_unknown(const char *why)
{
	return (struct trace_value){0, why};
}

/* The sum of what is known of both. */
static inline double trace_or_zero(struct trace_value v)
{
	return v.unknown ? 0 : v.value;
}

/* Microseconds to the nanosecond: more is not known. */
static inline double trace_rounded(double us)
{
	return us > -9e12 && us < 9e12
		       ? (double)(int64_t)(us * 1e3 + (us < 0 ? -0.5 : 0.5)) /
				 1e3
		       : us;
}

#define TRACE_NONE ((size_t)-1)

enum trace_used {
	TRACE_USED_NONE,
	TRACE_USED_BOUND,
	TRACE_USED_CALLED,
};

/* One object's use of another. */
struct trace_use {
	size_t by;
	size_t symbols;
	size_t called; /* of these: seen to be called */
	size_t data;   /* of these: not functions */
};

struct trace_object {
	const struct tracebuf_object *raw;
	const char *path;
	const char *requested; /* or NULL */
	enum tracebuf_why why;
	size_t by; /* or TRACE_NONE */
	size_t opens;
	struct trace_value at_us; /* when it was mapped, since the start */
	struct trace_value map_us, relocate_us, init_us;
	struct trace_value private_kib; /* its own copy of pages */
	struct trace_value text_kib;	/* code that is mapped */
	struct trace_value touched_kib; /* of that, used since main began */
	size_t symbols_bound;		/* (symbol, object that binds it) */
	size_t symbols_called;
	size_t called_since_main; /* of these: through trampolines or later */
	struct trace_use *uses;	  /* by other objects, of this one */
	size_t use_count, use_room;
	enum trace_used used;
	bool did_nothing; /* since main began */
};

struct trace_load {
	const struct tracebuf_load *raw;
	const char *requested;
	size_t by;
	struct trace_value at_us, map_us, relocate_us, init_us;
};

struct trace {
	const struct tracebuf *tracebuf;
	struct file_map map;
	const char **command;
	size_t command_count;
	double tick_us; /* 0: not known */
	struct trace_object *objects;
	size_t object_count;
	struct trace_load *loads;
	size_t load_count;
	bool has_exited; /* by exit(), as far as the linker knows */

	size_t runs; /* its times are medians over so many */

	/* Of the whole. */
	struct trace_value wall_us;
	struct trace_value exec_us;	/* until the tracer's first moment */
	struct trace_value map_us;	/* of the start and of dlopens */
	struct trace_value relocate_us; /* likewise */
	struct trace_value constructors_us; /* likewise */
	struct trace_value program_us;	    /* from main on, without those */
	struct trace_value exit_us;	    /* destructors and the end */
	double own_us, own_scan_us, own_memory_us;
	char **words; /* owned: reasons made for this one */
	size_t word_count, word_room;
};

/* When the process began and ended, CLOCK_MONOTONIC; 0: not known. */
struct trace_span {
	uint64_t begin_ns, end_ns;
};

/*
 * Reads a trace buffer. 0, or -DLAZY_EFORMAT (damaged), -DLAZY_EIO,
 * -DLAZY_ENOMEM with message.
 */
int trace_read(const char *path, struct trace_span span, struct trace *ret);
void trace_clear(struct trace *t);

/* Keeps a reason made for this trace; a short one if memory is out. */
const char *trace_word(struct trace *t, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Parts of trace_read(), each in a file of its own. */

/* Who uses whom (uses.c). 0 or -DLAZY_ENOMEM. */
int trace_find_uses(struct trace *t);
/* Memory, from what the kernel told (memory.c). */
void trace_find_memory(struct trace *t);

/* The program's libraries that did nothing; what they cost as far as is
 * known. */
struct trace_waste {
	size_t count;	  /* of them */
	size_t libraries; /* in all */
	double us;
	double private_kib;
	double relocations, all_relocations;
	size_t opened; /* of them: by dlopen, or for one that was */
};
struct trace_waste trace_waste(const struct trace *t);

/* Did nothing, and would not be there if the program itself had a stub of it:
 * no object in use has symbols of it. */
bool trace_is_stubbable(const struct trace *t, const struct trace_object *o);

static inline bool trace_is_library(const struct trace_object *o)
{
	return o->why != TRACEBUF_EXE && o->why != TRACEBUF_LINKER;
}

/* From start to end without the tracer's own time, where that is known: what
 * is told first of a program. */
static inline double trace_wall(const struct trace *t)
{
	double us = trace_or_zero(t->wall_us) - t->own_us;

	return us > 0 ? us : 0;
}

/* Names of enum tracebuf_why and enum trace_used as the contract has them. */
const char *trace_why_word(enum tracebuf_why why);
const char *trace_used_word(enum trace_used used);

#endif
