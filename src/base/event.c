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

static struct observers *observers_new(size_t room)
{
	size_t size = sizeof(struct observers) + room * sizeof(struct observer);
	struct observers *list = calloc(1, size);

	if (list)
		ATOMIC_SHARED_BYTES(list, size);
	return list;
}

/* A list, and the older ones behind it. */
static void observers_free(struct observers **list)
{
	while (*list) {
		struct observers *older = (*list)->older;

		free(*list);
		*list = older;
	}
}

static size_t observers_count(void)
{
	LOCKED(&event_lock);
	struct observers *list = atomic_load(&current);

	return list ? list->count : 0;
}

static size_t index_of(const struct observers *list, dlazy_event_fn *fn,
		       const void *data)
{
	size_t at = 0;

	while (list && at < list->count &&
	       (list->all[at].fn != fn || list->all[at].data != data))
		at++;
	return at;
}

/* Begins like the current one; without the one at that index. */
static void copy_locked(struct observers *list, size_t without)
{
	const struct observers *old = atomic_load(&current);

	list->count = 0;
	for (size_t i = 0; old && i < old->count; i++)
		if (i != without)
			list->all[list->count++] = old->all[i];
}

/*
 * Puts the list in the place of the current one. Who counts as walking after this
 * is seen to be none gets the new list. Returns those that nobody walks any more,
 * which are to be freed without the lock.
 */
static struct observers *replace_locked(struct observers *list)
{
	ATOMIC_SHARED(&current);
	ATOMIC_SHARED(&walking);
	list->older = atomic_load(&current);
	atomic_store(&current, list);
	atomic_store(&observing, list->count);
	return atomic_load(&walking) > 0 ? NULL : TAKE_PTR(list->older);
}

/* Makes *list, which has room for so many, the current one; what is left to be
 * freed is *list then. false: others were faster, it has to have more room. */
static bool add_observer(struct observers **list, size_t room,
			 struct observer observer)
{
	LOCKED(&event_lock);
	const struct observers *old = atomic_load(&current);

	if (old && old->count >= room)
		return false;
	copy_locked(*list, SIZE_MAX);
	(*list)->all[(*list)->count++] = observer;
	*list = replace_locked(*list);
	return true;
}

int event_observe(dlazy_event_fn *fn, void *data)
{
	for (;;) {
		size_t room = observers_count() + 1;
		_cleanup_(observers_free) struct observers *list =
			observers_new(room);

		if (!list)
			return status_no_memory("observe");
		if (add_observer(&list, room, (struct observer){fn, data}))
			return 0;
	}
}

/* As add_observer(); *ret_status is set where there is no such observer. */
static bool take_observer(struct observers **list, size_t room,
			  struct observer observer, int *ret_status)
{
	LOCKED(&event_lock);
	const struct observers *old = atomic_load(&current);
	size_t at = index_of(old, observer.fn, observer.data);

	if (!old || at == old->count) {
		*ret_status = status_fail(
			DLAZY_ENOENT, "unobserve: no such observer was added");
		return true;
	}
	if (old->count > room)
		return false;
	copy_locked(*list, at);
	*list = replace_locked(*list);
	return true;
}

int event_unobserve(dlazy_event_fn *fn, void *data)
{
	for (;;) {
		size_t room = observers_count();
		_cleanup_(observers_free) struct observers *list =
			observers_new(room);
		int status = 0;

		if (!list)
			return status_no_memory("unobserve");
		if (take_observer(&list, room, (struct observer){fn, data},
				  &status))
			return status;
	}
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
