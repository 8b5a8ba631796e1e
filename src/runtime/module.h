/* SPDX-License-Identifier: MIT */
/*
 * Linked stubs, as the rest of this layer sees them: a module whose file is
 * known by the stub file (stub/linked.h) and looked for when it is loaded.
 */
#ifndef RUNTIME_MODULE_H
#define RUNTIME_MODULE_H

#include "load/bind.h"
#include "stub/linked.h"

/* As dlazy_linked_module(), dlazy_linked_load(). */
struct dlazy_module *linked_module(const struct linked *l);
int linked_load(const struct linked *l, const void *caller);

/*
 * Called before the first such module is made, and each time after that: the
 * layers above see to it that they do their part once. fork.c defines it, as a
 * stub can be called before any constructor has told us. A program that links
 * less has none.
 */
extern void (*linked_first)(void) __attribute__((visibility("hidden")));

/* What a stub, or the dynamic linker, asks for. */
struct linked_question {
	const struct linked *linked;
	struct dlazy_module *module; /* NULL: out of memory */
	const void *name;	     /* its place in the stub file, which
					tells the symbol from any other */
	const char *symbol;	     /* as the stub file has it */
	struct bind_request request; /* the same, taken apart */
	struct touch touch;
};

/* Of a symbol by its number. */
static inline struct linked_question linked_question(const struct linked *l,
						     uint32_t symbol)
{
	return (struct linked_question){
		.linked = l,
		.name = (const uint32_t *)linked_at(l, l->names) + symbol,
		.symbol = linked_name(l, symbol),
	};
}

/* 0, or a status to be said with failure_replacement(). */
int linked_question_begin(struct linked_question *q, const void *caller);
void linked_question_end(struct linked_question *q);
#define _cleanup_question_ _cleanup_(linked_question_end)

/* Tells observers, the first time that it is asked. */
void linked_tell_touch(const struct linked_question *q);

/*
 * Checks the linker's answer: through what the library needs, the stub file
 * itself can be the object that has the symbol.
 */
int linked_judge(const struct linked_question *q, int status,
		 const void *address);

/* The library is in use, and so is one more of its functions if `bound`. */
void linked_count(const struct linked *l, struct dlazy_module *m, bool bound);

#endif
