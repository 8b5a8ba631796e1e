/* SPDX-License-Identifier: MIT */
/*
 * The pool: STUB_POOL stubs in the library's text and as many slots in .bss,
 * at the same distance, so that every stub is the same bytes and the pool can
 * be mapped again beside new slots. Pages nobody touches cost nothing.
 *
 * This is what the assembly of a CPU (stub-CPU.S) provides, and what it needs.
 */
#ifndef STUB_POOL_H
#define STUB_POOL_H

#define STUB_POOL 16384 /* stubs in a pool */
#define STUB_SIZE 16	/* bytes of a stub, and of a slot */

#ifndef __ASSEMBLER__

#include "stub/slot.h"

#include <stdbool.h>
#include <stddef.h>

#define POOL_BYTES ((size_t)STUB_POOL * STUB_SIZE)

_Static_assert(sizeof(struct slot) == STUB_SIZE, "stub i uses slot i");

/* Both page-aligned. The code reads and jumps; C never writes to it. */
extern const unsigned char stub_pool[POOL_BYTES]
	__attribute__((visibility("hidden")));
extern struct slot stub_slots[STUB_POOL] __attribute__((visibility("hidden")));

/* The slow path: a fresh slot's target. (It has another entry, for linked
 * stubs: dlazy_linked_slow, see linked.h.) */
__attribute__((visibility("hidden"))) void stub_slow(void);

/*
 * Called by the slow path once registers are saved; the slot is a linked
 * stub's if l is not NULL. Returns where to go.
 */
struct linked;
__attribute__((visibility("hidden"))) void *stub_miss(void *slot,
						      const void *caller,
						      const struct linked *l);

/* Calls fn(data) with the stack pointer at `top`, which is aligned to a page; what
 * it throws passes. */
__attribute__((visibility("hidden"))) void stub_call_on(void *top,
							void (*fn)(void *),
							void *data);

/* From a pool's code to its slots, bytes. */
static inline ptrdiff_t pool_distance(void)
{
	return (char *)stub_slots - (char *)stub_pool;
}

/* Makes a pool's slots read-only, or writable again. 0 or, with message,
 * -DLAZY_ENOMEM. */
int pool_protect(const unsigned char *code, bool read_only);

/* Where the kernel can (mseal, Linux 6.10), nothing of a pool's slots can be mapped
 * otherwise again. */
void pool_seal(const unsigned char *code);

/*
 * Maps the pool once more, beside new slots (all zero). 0 and the code's
 * address, or -DLAZY_ENOMEM with a message that says what was tried.
 */
int pool_map(const unsigned char **ret_code);

#endif
#endif
