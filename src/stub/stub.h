/* SPDX-License-Identifier: MIT */
/*
 * Stubs: code that calls through a slot, for any symbol and any prototype,
 * made without writing code. A stub is 16 bytes of this library's own text:
 * it puts its slot's address into a scratch register and jumps to the slot's
 * target. Until the symbol is bound that target is the slow path, which keeps
 * every register that can carry an argument, and errno, asks stub_miss for
 * the address, and goes there.
 *
 * The contract of a CPU's assembly, src/stub/stub-CPU.S, is in pool.h. A CPU
 * without one has stub-none.c: stub_new() says DLAZY_ENOSYS. There are as many
 * stubs as are asked for: when the first pool is used up it is mapped again.
 * Those mapped later have no unwind information of their own. Only a signal's handler
 * that interrupts their three instructions and unwinds misses it.
 *
 * Never is a page both writable and executable.
 */
#ifndef STUB_STUB_H
#define STUB_STUB_H

#include "stub/slot.h"

#include <dlazy/dlazy.h>

#include <stdbool.h>
#include <stddef.h>

/*
 * A call that cannot be made. What there is to say, and whom to ask for a
 * replacement, is put together while nothing can interrupt the thread; hooks are
 * called when that has ended, as they may jump away or not come back.
 */
struct stub_failure {
	struct dlazy_failure told;
	struct {
		dlazy_failure_fn *fn;
		void *data;
	} hooks[2];  /* in this order; NULL: none */
	char *words; /* malloc'd: told.message and told.symbol; or NULL */
	size_t words_size;
	/* What is to be called instead; interrupted as the caller is. May throw,
	 * or not return, as hooks do. */
	void *(*instead)(struct stub_failure *failure);
	/* Has the replacement stay; NULL: it is for this call. */
	void (*keep)(const struct stub_failure *failure, void *replacement);
	void *slot;
};

/*
 * The slow path's question: where is the symbol of this slot? Asked on the
 * calling thread, with its argument registers saved, and uninterrupted
 * (base/interrupt.h); may load, run constructors, throw through. caller: the
 * return address of the call into the stub. NULL, and *ret: it cannot be reached.
 */
typedef void *stub_miss_fn(struct slot *slot, const void *caller,
			   struct stub_failure *ret);

/*
 * The same question from a linked stub (linked.h). Nobody could have told us
 * whom to ask, as it may come before any constructor has run: so runtime/
 * defines this pointer. The function stores the address in the slot where it
 * holds.
 */
struct linked;
typedef void *stub_linked_miss_fn(const struct linked *l, _Atomic(void *) *slot,
				  const void *caller, struct stub_failure *ret);
extern stub_linked_miss_fn *stub_linked_miss
	__attribute__((visibility("hidden")));

/*
 * The same once stubs are sealed, of a library that is loaded: without a system call
 * or a lock, as there may be a sandbox. NULL: it is to be asked as ever.
 */
typedef void *stub_linked_settled_fn(const struct linked *l,
				     _Atomic(void *) *slot);
extern stub_linked_settled_fn *stub_linked_settled
	__attribute__((visibility("hidden")));

/* Whether this CPU has stubs, and there can be more of them. */
bool stub_available(void);

/*
 * Makes the tables of slots read-only, for good: stubs stay as they are, and there
 * are no more. Who changes a slot holds a lock, which the caller of this holds, too.
 * 0 or, with message, -DLAZY_ENOMEM.
 */
int stub_seal(void);
bool stub_is_sealed(void);

/* The slot's stub goes to `target`; not so where stubs are sealed. */
void stub_publish(struct slot *slot, void *target);

/*
 * A new stub for `owner`, armed; never freed (it may be called at any time).
 * `miss` must be the same at every call. 0, or -DLAZY_ENOMEM (no more can be
 * mapped; the message says what was tried), -DLAZY_ENOSYS. Threads: any.
 */
int stub_new(void *owner, stub_miss_fn *miss, struct slot **ret);

/* The address of the slot's stub: what is handed out. */
void *stub_code(const struct slot *slot);

/* The slot's next call takes the slow path again. */
void stub_arm(struct slot *slot);

/* The slot of the stub in which an address lies; NULL if in none that was
 * handed out. Threads: any, without a lock. */
struct slot *stub_slot_of(const void *code);

/* fork(2): keep the allocator whole in the child. */
void stub_fork_prepare(void);
void stub_fork_done(void);

#endif
