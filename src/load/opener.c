/* SPDX-License-Identifier: MIT */
/*
 * Deferred libraries: somebody on the machine takes data from them, but nobody
 * of the program's start. They are loaded when the program first calls dlopen,
 * before it is libc's turn; that is jumped to, so libc sees who called.
 *
 * The stub of dlopen is found by everybody, this library included. What this
 * library opens, and what is opened while deferred ones are being loaded (by
 * their constructors), goes to libc directly, and the slot stays empty: until
 * all of them are there, each thread that comes sees to it that they are. (The
 * linked stubs of data are the net below: who takes data from a library that is
 * not there all the same, has it loaded from within the linker.)
 *
 * A library that cannot be loaded is no reason not to open what is asked for:
 * whoever needs it will be told.
 */
#include "load/opener.h"

#include "base/atomic.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "load/bind.h"
#include "load/dl.h"
#include "load/linked.h"
#include "load/load.h"

/* Is this thread loading deferred libraries? */
static _Thread_local bool opening __attribute__((tls_model("initial-exec")));

static void opening_end(bool **flag)
{
	**flag = false;
}

static void load_one(const struct linked *l, const struct touch *touch)
{
	struct dlazy_module *m = linked_module(l);
	_cleanup_load_ struct load_handle loaded = {NULL, true};

	if (m)
		load_module(m, touch, &loaded);
	status_clear();
}

/* A constructor's exception may leave this, too. */
static void load_deferred(const struct linked_run *run,
			  const struct touch *touch)
{
	_cleanup_(opening_end) bool *flag = &opening;

	*flag = true;
	for (uint32_t i = 0; i < run->linked_count; i++) {
		const struct linked *l = linked_of_run(run, i);

		if (l->flags & LINKED_DEFERRED)
			load_one(l, touch);
	}
}

static bool is_ours(const void *caller)
{
	return dl_is_same_object(caller, (const void *)(uintptr_t)&opener_miss);
}

void *opener_miss(const struct linked *l, linked_slot *slot, const void *caller)
{
	const struct touch touch = {.symbol = "dlopen", .caller = caller};
	void *real = dl_libc_open();

	if (!real)
		return bind_replacement(NULL, &touch, status_last());
	if (opening || is_ours(caller))
		return real;
	load_deferred(linked_at(l, l->run), &touch);
	ATOMIC_SHARED(slot);
	atomic_store_explicit(slot, real, memory_order_release);
	return real;
}
