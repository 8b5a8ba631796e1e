/* SPDX-License-Identifier: MIT */
/*
 * The worker that prefetches. It is one thread, made when there is something
 * to do and gone when there is not (but where a thread that asks must not wait,
 * also for a thread to be made: then it stays): the dynamic linker loads one object at a
 * time, so more threads would only wait for each other. It takes no signals.
 * Its queue is under load_lock.
 */
#include "registry/prefetch.h"

#include "base/array.h"
#include "base/event.h"
#include "load/load.h"
#include "registry/worker.h"

#include <string.h>

struct wish {
	struct dlazy_module *module;
	const void *caller;
};

static struct {
	struct wish *wishes;
	size_t count, room;
	bool working;
	bool stays;
} queue;

static pthread_cond_t wished;

#define NAP_NS UINT64_C(1000000000000)

void prefetch_begin(void)
{
	lock_condition_init(&wished);
}

/* The oldest wish; false: none is left, and so no worker. */
static bool take_wish(struct wish *ret)
{
	LOCKED(&load_lock);
	while (!queue.count && queue.stays)
		lock_wait(&load_lock, &wished, event_now() + NAP_NS);
	queue.working = queue.count > 0;
	if (!queue.working)
		return false;
	*ret = queue.wishes[0];
	queue.count--;
	memmove(queue.wishes, queue.wishes + 1,
		queue.count * sizeof(*queue.wishes));
	return true;
}

/* A failure is the module's to remember. */
static void *work(void *unused)
{
	struct wish wish;

	while (take_wish(&wish)) {
		struct touch touch = {.caller = wish.caller};
		struct load_handle loaded;

		if (!module_is_valid(wish.module))
			continue; /* closed meanwhile */
		load_module(wish.module, &touch, &loaded);
		load_release(&loaded);
	}
	return unused;
}

/* 1: a worker must be started; 0: one is there, or nothing is to be done. */
static int add_wish(struct dlazy_module *m, const void *caller)
{
	LOCKED(&load_lock);
	if (atomic_load(&m->handle) || module_is_builtin(m))
		return 0;
	if (!array_reserve(&queue.wishes, queue.count, &queue.room,
			   sizeof(*queue.wishes)))
		return status_fail(DLAZY_ENOMEM, "prefetch: out of memory");
	queue.wishes[queue.count++] = (struct wish){m, caller};
	bool idle = !queue.working;
	queue.working = true;
	pthread_cond_signal(&wished);
	return idle;
}

int prefetch_module(struct dlazy_module *m, const void *caller)
{
	struct touch touch = {.caller = caller};
	int status = load_permit(m, &touch);

	if (status == 0)
		status = add_wish(m, caller);
	if (status != 1)
		return status;
	status = worker_start(work, NULL, "prefetch");
	if (status < 0) {
		LOCKED(&load_lock);
		queue.working = false;
		queue.count = 0;
	}
	return status;
}

int prefetch_stay(void)
{
	bool idle;
	{
		LOCKED(&load_lock);
		idle = !queue.working;
		queue.working = queue.stays = true;
	}
	int status = idle ? worker_start(work, NULL, "prefetch") : 0;
	if (status == 0)
		return 0;
	LOCKED(&load_lock);
	queue.working = queue.stays = false;
	return status;
}

void prefetch_after_fork(void)
{
	prefetch_begin();
	LOCKED(&load_lock);
	queue.working = false;
	queue.count = 0;
}
