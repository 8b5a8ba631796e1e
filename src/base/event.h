/* SPDX-License-Identifier: MIT */
/*
 * Events and their observers. Every layer tells by value what happened;
 * nothing reads events back to decide.
 */
#ifndef BASE_EVENT_H
#define BASE_EVENT_H

#include <dlazy/dlazy.h>

#include <stdbool.h>

/* As dlazy_observe() and dlazy_unobserve(). */
int event_observe(dlazy_event_fn *fn, void *data);
int event_unobserve(dlazy_event_fn *fn, void *data);

/* Whether anybody listens: what an event costs to make can be saved. */
bool event_wanted(void);

/* One who is told what observers are, while it wants to be, and of each slot, or
 * pointer of the host (caller NULL), that has its address for good. */
struct event_probe {
	bool (*is_wanted)(void);
	void (*tell)(const struct dlazy_event *event);
	void (*bound)(const struct dlazy_module *m, const char *symbol,
		      const void *caller, const void *address);
};
void event_set_probe(const struct event_probe *probe);
void event_bound(const struct dlazy_module *m, const char *symbol,
		 const void *caller, const void *address);

/*
 * Gives a function to call last in a process that is about to abort(); one
 * only.
 */
void event_at_abort(void (*fn)(void));
void event_abort(void);

/* Tells all observers, as event_call_host() does; sets size, and time_ns if it is 0. Takes no lock. */
void event_emit(struct dlazy_event event);

/*
 * Calls fn(data), which is, or calls, a function of the host's: within a first
 * call, on the stack of who made that, where it was made on another.
 */
void event_call_host(void (*fn)(void *data), void *data);

/* What does so; NULL: nothing has to be done. stub/stack.c defines it. */
extern void (*event_host_stack)(void (*fn)(void *data), void *data)
	__attribute__((visibility("hidden")));

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t event_now(void);

/* fork(2): keep the list whole in the child. */
void event_fork_prepare(void);
void event_fork_done(void);

#endif
