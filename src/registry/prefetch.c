/* SPDX-License-Identifier: MIT */
/*
 * The worker that prefetches: one thread, started when there is something to do and
 * ended when there is not. It is not ended where a caller must not wait even for a
 * thread to be made. One is enough, as the dynamic linker loads one object at a
 * time. It takes no signals. Its queue is under load_lock.
 */
#include "registry/prefetch.h"

#include "base/cleanup.h"
#include "base/event.h"
#include "load/load.h"
#include "registry/worker.h"

#include <stdlib.h>

struct wish {
	struct wish *next;
	struct dlazy_module *module;
	const void *caller;
};

static struct {
	struct wish *oldest, *newest;
	bool working;
	bool stays;
} queue;

static pthread_cond_t wished;

#define NAP_NS UINT64_C(1000000000000)

void prefetch_begin(void)
{
	lock_condition_init(&wished);
}

/* The oldest wish, to be freed; NULL: none is left, and so no worker. */
static struct wish *take_wish(void)
{
	LOCKED(&load_lock);
	while (!queue.oldest && queue.stays)
		lock_wait(&load_lock, &wished, event_now() + NAP_NS);
	struct wish *wish = queue.oldest;
	queue.working = wish;
	if (wish)
		queue.oldest = wish->next;
	return wish;
}

/* Nobody will do them: they are to be freed. */
static struct wish *drop_all_locked(void)
{
	queue.working = false;
	return TAKE_PTR(queue.oldest);
}

static void wishes_free(struct wish **wishes)
{
	while (*wishes) {
		struct wish *next = (*wishes)->next;

		free(*wishes);
		*wishes = next;
	}
}

/* A failure is the module's to remember. */
static void *work(void *unused)
{
	struct wish *wish;

	while ((wish = take_wish())) {
		struct dlazy_module *m = wish->module;
		struct touch touch = {.caller = wish->caller};
		struct load_handle loaded;

		free(wish);
		if (!module_is_valid(m))
			continue; /* closed meanwhile */
		load_module(m, &touch, &loaded);
		load_release(&loaded);
	}
	return unused;
}

/* Takes the wish over, if it is one. */
static int add_wish_locked(struct wish **fresh)
{
	struct dlazy_module *m = (*fresh)->module;

	if (atomic_load(&m->handle) || module_is_builtin(m))
		return 0;
	struct wish *wish = TAKE_PTR(*fresh);
	if (queue.oldest)
		queue.newest->next = wish;
	else
		queue.oldest = wish;
	queue.newest = wish;
	bool idle = !queue.working;
	queue.working = true;
	return idle;
}

/* 1: a worker must be started; 0: one is there, or nothing is to be done. It is woken
 * without the lock, or it would wait for that, and this thread have to wake it
 * again; but no signal's handler may come to the same condition meanwhile. */
static int add_wish(struct dlazy_module *m, const void *caller)
{
	UNINTERRUPTED();
	_cleanup_free_ struct wish *fresh = malloc(sizeof(*fresh));
	int status;

	if (!fresh)
		return status_no_memory("prefetch");
	*fresh = (struct wish){NULL, m, caller};
	{
		LOCKED(&load_lock);
		status = add_wish_locked(&fresh);
	}
	pthread_cond_signal(&wished);
	return status;
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
		_cleanup_(wishes_free) struct wish *dropped = NULL;

		LOCKED(&load_lock);
		dropped = drop_all_locked();
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
	_cleanup_(wishes_free) struct wish *dropped = NULL;

	prefetch_begin();
	LOCKED(&load_lock);
	dropped = drop_all_locked();
}
