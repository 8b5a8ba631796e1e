/* SPDX-License-Identifier: MIT */
/*
 * What the files of the audit object share.
 *
 * It runs inside the dynamic linker, in a namespace of its own, before there is
 * a C library and in any thread: so it has none, allocates nothing, takes no
 * lock, and uses no vector register. What it learns goes to the trace buffer.
 *
 * The linker calls about objects under its lock, or before there is a second
 * thread; only bindings come from any thread.
 */
#ifndef HOOK_HOOK_H
#define HOOK_HOOK_H

#include "hook/cpu.h"
#include "hook/kernel.h"
#include "hook/tracebuf.h"

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

extern struct tracebuf *hook_tracebuf; /* NULL: nobody reads one */

/* From the auxiliary vector. */
extern struct hook_auxiliary {
	uint64_t headers; /* AT_PHDR, of the program */
	uint64_t header_count;
	uint64_t linker; /* AT_BASE */
	uint64_t vdso;
} hook_auxiliary;

/* A forked child shares its parent's trace buffer, and writes there only what
 * it calls. */
bool hook_is_traced(void);

/* Time */

static inline struct tracebuf_moment moment_at(uint64_t ticks)
{
	return (struct tracebuf_moment){
		ticks, __atomic_load_n(&hook_tracebuf->own, __ATOMIC_RELAXED)};
}

static inline struct tracebuf_moment moment_now(void)
{
	return moment_at(cpu_ticks());
}

/* From one moment to another, without the tracer's own time. */
static inline uint64_t moment_between(struct tracebuf_moment a,
				      struct tracebuf_moment b)
{
	uint64_t passed = b.ticks - a.ticks, own = b.own - a.own;

	return passed > own ? passed - own : 0;
}

/* The tracer has been at work since `begin`. Returns how long. */
uint64_t hook_worked(uint64_t begin);

/* Notes how ticks and nanoseconds stand to each other now. */
void hook_synchronize(void);

/* Text */

size_t text_length(const char *text);
bool text_equal(const char *a, const char *b);
/* What follows the prefix, or NULL. */
const char *text_after(const char *text, const char *prefix);
/* Keeps a text; 0 if it is NULL or does not fit. */
uint32_t text_keep(const char *text);

/* Objects: a reference is a place in the table plus one, 0 is none. */

struct hook_search {
	struct tracebuf_moment begin; /* ticks 0: nothing is being looked for */
	const char *name;
	uint32_t by;
	bool is_needed; /* by a DT_NEEDED */
};

uint32_t object_reference(const uintptr_t *cookie);
struct tracebuf_object *object_of(uint32_t reference);
/* Which is mapped at an address, or 0. */
uint32_t object_at(uint64_t address);
/* Does an address lie in the object's code? */
bool object_is_code(uint32_t reference, uint64_t address);
/* Returns the reference; 0: not to be told of. */
uint32_t object_open(struct link_map *map, const struct hook_search *search,
		     struct tracebuf_moment now);
void object_close(uint32_t reference);
/* Is the name one that the object's PT_DYNAMIC says it needs? */
bool object_needs(uint32_t reference, const char *name);
/* Calls the object's own constructors. */
void object_construct(uint32_t reference, int argc, char **argv, char **envp);
uint64_t object_pointer(const struct tracebuf_object *o, uint64_t d_ptr);

/* Bindings */

/* A call that `from` will make to `to`: returns where it is to go. */
uint64_t bound_call(uint32_t from, uint32_t to, uint32_t symbol,
		    uint64_t address);
void bound_add(uint32_t from, uint32_t to, uint32_t symbol,
	       enum tracebuf_kind kind);
/* Looks at what relocation put into the slots of the load's objects. */
void bound_scan(uint32_t load);
/* main begins: what has been called until now was called before it. */
void bound_begin_main(void);

/* Memory */

/* Keeps /proc/self/smaps as it is. */
void memory_keep(struct tracebuf_memory *to);
/* Forgets which pages have been used; false: that cannot be had. */
bool memory_forget_use(void);

#pragma GCC visibility pop

#endif
