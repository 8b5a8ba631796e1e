/* SPDX-License-Identifier: MIT */
/*
 * Emitting events. The list of observers is never changed, only replaced:
 * emitting reads it without a lock, as an observer may itself observe, load,
 * or fork. A thread may still be walking an old list, which stays reachable
 * through the new ones: old lists are freed by the next change that finds no
 * thread walking one.
 */
#include "base/clock.h"
#include "base/event.h"

#include "base/above.h"
#include "base/atomic.h"
#include "base/lock.h"
#include "base/status.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

struct observer {
	dlazy_event_fn *fn;
	void *data;
};

struct observers {
	struct observers *older; /* keeps it reachable */
	size_t count;
	struct observer all[];
};

static struct lock event_lock = LOCK_INIT(LOCK_EVENT);
static _Atomic(struct observers *) current;
static atomic_size_t observing; /* of the current list; read at each call */
static atomic_size_t walking;	/* threads that may have a list in hand */
static _Atomic(const struct event_probe *) the_probe;
static void (*_Atomic at_abort)(void);

/* A new list of `count` that begins like the current one. */
static struct observers *observers_copy(size_t count)
{
	struct observers *old = atomic_load(&current);
	struct observers *list =
		calloc(1, sizeof(*list) + count * sizeof(list->all[0]));

	if (!list)
		return NULL;
	ATOMIC_SHARED_BYTES(list, sizeof(*list) + count * sizeof(list->all[0]));
	list->older = old;
	list->count = count;
	for (size_t i = 0; old && i < count && i < old->count; i++)
		list->all[i] = old->all[i];
	return list;
}

/* Who counts as walking after this is seen to be none gets the new list. */
static void replace_locked(struct observers *list)
{
	ATOMIC_SHARED(&current);
	ATOMIC_SHARED(&walking);
	atomic_store(&current, list);
	atomic_store(&observing, list->count);
	if (atomic_load(&walking) > 0)
		return;
	while (list->older) {
		struct observers *older = list->older;

		list->older = older->older;
		free(older);
	}
}

int event_observe(dlazy_event_fn *fn, void *data)
{
	LOCKED(&event_lock);
	struct observers *old = atomic_load(&current);
	size_t count = old ? old->count : 0;
	struct observers *list = observers_copy(count + 1);

	if (!list)
		return status_fail(DLAZY_ENOMEM, "observe: out of memory");
	list->all[count] = (struct observer){fn, data};
	replace_locked(list);
	return 0;
}

int event_unobserve(dlazy_event_fn *fn, void *data)
{
	LOCKED(&event_lock);
	struct observers *old = atomic_load(&current);
	size_t at = 0, count = old ? old->count : 0;

	while (at < count &&
	       (old->all[at].fn != fn || old->all[at].data != data))
		at++;
	if (at == count)
		return status_fail(DLAZY_ENOENT,
				   "unobserve: no such observer was added");
	struct observers *list = observers_copy(count - 1);
	if (!list)
		return status_fail(DLAZY_ENOMEM, "unobserve: out of memory");
	for (size_t i = at; i + 1 < count; i++)
		list->all[i] = old->all[i + 1];
	replace_locked(list);
	return 0;
}

void event_set_probe(const struct event_probe *probe)
{
	ATOMIC_SHARED(&the_probe);
	atomic_store(&the_probe, probe);
}

void event_bound(const struct dlazy_module *m, const char *symbol,
		 const void *caller, const void *address)
{
	const struct event_probe *probe =
		atomic_load_explicit(&the_probe, memory_order_acquire);

	if (probe)
		probe->bound(m, symbol, caller, address);
}

/* The probe if it wants to be told. */
static const struct event_probe *wanting_probe(void)
{
	const struct event_probe *probe =
		atomic_load_explicit(&the_probe, memory_order_acquire);

	return probe && probe->is_wanted() ? probe : NULL;
}

bool event_wanted(void)
{
	return atomic_load_explicit(&observing, memory_order_relaxed) ||
	       wanting_probe();
}

ABOVE_NONE void (*event_host_stack)(void (*fn)(void *), void *data) = NULL;

void event_call_host(void (*fn)(void *data), void *data)
{
	if (event_host_stack)
		event_host_stack(fn, data);
	else
		fn(data);
}

/* An observer that jumps out of this leaves it walking: no list is freed then. */
static void tell_observers(void *data)
{
	struct dlazy_event *event = data;

	atomic_fetch_add(&walking, 1);
	struct observers *list = atomic_load(&current);
	for (size_t i = 0; list && i < list->count; i++)
		list->all[i].fn(event, list->all[i].data);
	atomic_fetch_sub(&walking, 1);
}

void event_emit(struct dlazy_event event)
{
	const struct event_probe *probe = wanting_probe();

	LOCK_ASSERT_NONE();
	event.size = sizeof(event);
	if (!event.time_ns)
		event.time_ns = event_now();
	if (probe)
		probe->tell(&event);
	event_call_host(tell_observers, &event);
}

void event_at_abort(void (*fn)(void))
{
	ATOMIC_SHARED(&at_abort);
	atomic_store(&at_abort, fn);
}

void event_abort(void)
{
	void (*fn)(void) = atomic_load(&at_abort);

	if (fn)
		fn();
}

uint64_t event_now(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

void event_fork_prepare(void)
{
	lock_take(&event_lock);
}

void event_fork_done(void)
{
	lock_drop(&event_lock);
}
