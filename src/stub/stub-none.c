/* SPDX-License-Identifier: MIT */
/*
 * A CPU without assembly of its own: no stubs. The load layer then loads at
 * once, and binds lazily only where a signature is known. To add a CPU, write
 * stub-CPU.S to the contract in stub.h and pool.h.
 */
#include "stub/stub.h"

#include "base/status.h"
#include "stub/pool.h"

#include <stdlib.h>

bool stub_available(void)
{
	return false;
}

int stub_new(void *owner, stub_miss_fn *miss, struct slot **ret)
{
	(void)owner;
	(void)miss;
	(void)ret;
	return status_fail(DLAZY_ENOSYS, "no stubs for this CPU");
}

int stub_seal(void)
{
	return 0;
}

bool stub_is_sealed(void)
{
	return false;
}

void stub_publish(struct slot *slot, void *target)
{
	(void)slot;
	(void)target;
}

void *stub_code(const struct slot *slot)
{
	(void)slot;
	return NULL;
}

void stub_arm(struct slot *slot)
{
	(void)slot;
}

struct slot *stub_slot_of(const void *code)
{
	(void)code;
	return NULL;
}

/* Exported everywhere; no stub file for this CPU exists that would call it. */
__attribute__((visibility("default"))) void dlazy_linked_slow(void);

void dlazy_linked_slow(void)
{
	abort();
}

__attribute__((visibility("default"))) void dlazy_linked_slow_named(void);

void dlazy_linked_slow_named(void)
{
	abort();
}

void *stub_miss(void *slot, const void *caller, const struct linked *l)
{
	(void)slot;
	(void)caller;
	(void)l;
	abort();
}

void stub_fork_prepare(void)
{
}

void stub_fork_done(void)
{
}
