/* SPDX-License-Identifier: MIT */
/*
 * Handing out stubs. Stubs and slots correspond by a fixed distance, in the
 * first pool and in those mapped later, so going from a slot to its stub is
 * one subtraction and needs no lock.
 *
 * Stubs are handed out in order and never taken back. `pools.lock` guards the
 * allocation; the list of pools is only ever appended to, by a release store,
 * so stub_slot_of() reads it without the lock.
 */
#include "stub/stub.h"

#include "base/above.h"
#include "base/atomic.h"
#include "base/interrupt.h"
#include "base/lock.h"
#include "base/status.h"
#include "stub/pool.h"
#include "stub/stack.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

struct pool {
	const unsigned char *code;
	struct pool *_Atomic next;
};

static struct pool first = {stub_pool, NULL};

static struct {
	struct lock lock;
	struct pool *newest;
	size_t used; /* stubs of the newest */
	stub_miss_fn *_Atomic miss;
} pools = {.lock = LOCK_INIT(LOCK_STUB), .newest = &first};

static _Atomic(bool) sealed;

bool stub_is_sealed(void)
{
	return atomic_load_explicit(&sealed, memory_order_relaxed);
}

bool stub_available(void)
{
	return !stub_is_sealed();
}

ABOVE_NONE stub_linked_miss_fn *stub_linked_miss = NULL;
ABOVE_NONE stub_linked_settled_fn *stub_linked_settled = NULL;

/* What a slow path asks, and the answer. */
struct question {
	void *slot;
	const void *caller;
	const struct linked *linked; /* NULL: a stub of the pool */
	void *target;
	struct stub_failure *failure;
};

static void ask(void *data)
{
	struct question *q = data;

	q->target = q->linked ? stub_linked_miss(q->linked, q->slot, q->caller,
						 q->failure)
			      : atomic_load_explicit(&pools.miss,
						     memory_order_relaxed)(
					q->slot, q->caller, q->failure);
}

static void *ask_uninterrupted(struct question *q)
{
	UNINTERRUPTED();
	stack_call(ask, q);
	return q->target;
}

void *stub_miss(void *slot, const void *caller, const struct linked *l)
{
	struct stub_failure failure;
	struct question question = {slot, caller, l, NULL, &failure};
	int saved = errno;
	void *target =
		l && stub_is_sealed() ? stub_linked_settled(l, slot) : NULL;

	if (!target)
		target = ask_uninterrupted(&question);
	if (!target)
		target = failure.instead(&failure);
	errno = saved;
	return target;
}

static int grow_locked(void)
{
	struct pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return status_no_memory(NULL);
	int r = pool_map(&pool->code);
	if (r < 0) {
		free(pool);
		return r;
	}
	ATOMIC_SHARED(&pool->next);
	atomic_store_explicit(&pools.newest->next, pool, memory_order_release);
	pools.newest = pool;
	pools.used = 0;
	return 0;
}

static struct slot *slot_at(const struct pool *pool, size_t offset)
{
	return (struct slot *)(pool->code + pool_distance() + offset);
}

int stub_new(void *owner, stub_miss_fn *miss, struct slot **ret)
{
	LOCKED(&pools.lock);
	if (stub_is_sealed())
		return status_fail(DLAZY_EBUSY, "no more stubs: they are "
						"sealed (dlazy_seal())");
	if (pools.used == STUB_POOL) {
		int r = grow_locked();
		if (r < 0)
			return r;
	}
	if (!pools.miss) {
		ATOMIC_SHARED(&pools.miss);
		pools.miss = miss;
	}
	struct slot *slot = slot_at(pools.newest, pools.used++ * STUB_SIZE);
	slot->owner = owner;
	ATOMIC_SHARED(&slot->target);
	stub_arm(slot);
	*ret = slot;
	return 0;
}

void *stub_code(const struct slot *slot)
{
	return (char *)slot - pool_distance();
}

/* NULL: it is the first. */
static struct pool *pool_before(const struct pool *pool)
{
	struct pool *before = pool == &first ? NULL : &first;

	while (before && atomic_load(&before->next) != pool)
		before = atomic_load(&before->next);
	return before;
}

/* All of them, or none. */
int stub_seal(void)
{
	LOCKED(&pools.lock);
	ATOMIC_SHARED(&sealed);
	for (struct pool *p = &first; p; p = atomic_load(&p->next)) {
		int status = pool_protect(p->code, true);
		if (status == 0)
			continue;
		for (; p; p = pool_before(p))
			pool_protect(p->code, false);
		return status;
	}
	for (struct pool *p = &first; p; p = atomic_load(&p->next))
		pool_seal(p->code);
	atomic_store(&sealed, true);
	return 0;
}

void stub_publish(struct slot *slot, void *target)
{
	if (!stub_is_sealed())
		slot_publish(slot, target);
}

void stub_arm(struct slot *slot)
{
	stub_publish(slot, (void *)stub_slow);
}

static const struct pool *pool_of(uintptr_t code)
{
	const struct pool *pool = &first;

	while (pool && code - (uintptr_t)pool->code >= POOL_BYTES)
		pool = atomic_load_explicit(&pool->next, memory_order_acquire);
	return pool;
}

struct slot *stub_slot_of(const void *code)
{
	const struct pool *pool = pool_of((uintptr_t)code);

	if (!pool)
		return NULL;
	size_t offset = (size_t)((const unsigned char *)code - pool->code);
	struct slot *slot = slot_at(pool, offset & ~(size_t)(STUB_SIZE - 1));
	/* A stub that was never handed out has no target. */
	return atomic_load_explicit(&slot->target, memory_order_acquire) ? slot
									 : NULL;
}

void stub_fork_prepare(void)
{
	lock_take(&pools.lock);
}

void stub_fork_done(void)
{
	lock_drop(&pools.lock);
}
