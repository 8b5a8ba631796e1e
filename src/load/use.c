/* SPDX-License-Identifier: MIT */
/*
 * See use.h. A pin is counted before the stub's slot is read, and discarding arms the
 * slots before it asks for the count (load.c), by an operation that writes it, too: so
 * either the pin is seen, or it comes after that operation and sees the slots, and the
 * call takes the slow path, and loads again.
 */
#include "load/use.h"

#include "base/atomic.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "load/binding.h"
#include "load/module.h"

#include <stdlib.h>

static _Atomic(uint64_t) uses;
static _Atomic(bool) is_wanted;

/* Modules are never freed: what was one is one, and only `is_open` changes. Each has
 * two places here. */
#define KNOWN_BITS 10
static _Atomic(const struct dlazy_module *) known[1 << KNOWN_BITS];

static unsigned place_of(const struct dlazy_module *m)
{
	return (unsigned)(((uintptr_t)m * UINT64_C(0x9e3779b97f4a7c15)) >>
			  (64 - KNOWN_BITS));
}

static bool is_known(const struct dlazy_module *m, unsigned place)
{
	return atomic_load_explicit(&known[place], memory_order_relaxed) == m;
}

static void make_known(const struct dlazy_module *m, unsigned place)
{
	unsigned at = is_known(NULL, place) ? place : place ^ 1;

	ATOMIC_SHARED(&known[at]);
	atomic_store_explicit(&known[at], m, memory_order_relaxed);
}

static int check(const struct dlazy_module *m, const char *function)
{
	unsigned place = place_of(m);

	if (m && (is_known(m, place) || is_known(m, place ^ 1)) &&
	    atomic_load(&m->is_open))
		return 0;
	int status = module_check(m, function);
	if (status == 0)
		make_known(m, place);
	return status;
}

/* What was used last is not counted again, so that threads that call one module do
 * not pass this count from CPU to CPU. */
void use_note(struct dlazy_module *m)
{
	uint64_t last = atomic_load_explicit(&uses, memory_order_relaxed);

	if (last &&
	    atomic_load_explicit(&m->used, memory_order_relaxed) == last)
		return;
	last = atomic_fetch_add_explicit(&uses, 1, memory_order_relaxed) + 1;
	atomic_store_explicit(&m->used, last, memory_order_relaxed);
}

int use_pin(struct dlazy_module *m)
{
	int status = check(m, "dlazy_pin");

	if (status < 0)
		return status;
	atomic_fetch_add(&m->pins, 1);
	use_note(m);
	return 0;
}

bool use_is_pinned(struct dlazy_module *m)
{
	return atomic_fetch_add(&m->pins, 0) > 0;
}

int use_unpin(struct dlazy_module *m)
{
	int status = check(m, "dlazy_unpin");

	if (status < 0)
		return status;
	size_t pins = atomic_load(&m->pins);
	do {
		if (pins == 0)
			return status_fail(DLAZY_EINVAL,
					   "dlazy_unpin: %s is not pinned",
					   m->name);
	} while (!atomic_compare_exchange_weak(&m->pins, &pins, pins - 1));
	return 0;
}

void use_begin(void)
{
	ATOMIC_SHARED(&uses);
	ATOMIC_SHARED(&is_wanted);
	atomic_store(&is_wanted, true);
}

static void arm_other_locked(struct dlazy_module *m, void *loaded)
{
	if (m != loaded && atomic_load(&m->state) == DLAZY_LOADED)
		binding_look_locked(m);
}

void use_arm_others(const struct dlazy_module *m)
{
	if (!atomic_load(&is_wanted))
		return;
	LOCKED(&load_lock);
	module_each_locked(arm_other_locked, (void *)m);
}
