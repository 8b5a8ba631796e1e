/* SPDX-License-Identifier: MIT */
/*
 * Locks, in one order. A thread takes a lock only of a higher rank than those
 * it holds, and holds none at all while the dynamic linker, a constructor or a
 * callback may run: builds without NDEBUG abort where that is broken. Nothing
 * interrupts a thread that holds one (interrupt.h): a signal's handler that needs
 * the lock would wait for its own thread, and one that jumps away would keep it.
 */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include "base/bound.h"
#include "base/cleanup.h"
#include "base/interrupt.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

BOUND(pthread_mutex_lock);
BOUND(pthread_mutex_unlock);

enum lock_rank {
	LOCK_LOADING = 1 << 0,	/* src/load/loading.c: loads and forks */
	LOCK_REGISTRY = 1 << 1, /* what registries declare */
	LOCK_LOAD = 1 << 2,	/* modules and bindings */
	LOCK_STUB = 1 << 3,	/* the stub allocator */
	LOCK_EVENT = 1 << 4,	/* the list of observers */
};

struct lock {
	pthread_mutex_t mutex;
	enum lock_rank rank;
};

#define LOCK_INIT(lock_rank)                                            \
	{                                                               \
		.mutex = PTHREAD_MUTEX_INITIALIZER, .rank = (lock_rank) \
	}

/* The ranks this thread holds; of initial-exec, so that no access allocates. */
extern _Thread_local unsigned lock_held
	__attribute__((visibility("hidden"), tls_model("initial-exec")));

/* To be said before anything that may run code which is not ours. */
#define LOCK_ASSERT_NONE() assert(lock_held == 0)

/* With interrupts kept off, until it is dropped. */
static inline struct lock *lock_take(struct lock *lock)
{
	assert(lock_held < (unsigned)lock->rank);
	pthread_mutex_lock(&lock->mutex);
	lock_held |= (unsigned)lock->rank;
	return lock;
}

static inline void lock_drop(struct lock *lock)
{
	assert(lock_held & (unsigned)lock->rank);
	lock_held &= ~(unsigned)lock->rank;
	pthread_mutex_unlock(&lock->mutex);
}

static inline void cleanup_lock(struct lock **lock)
{
	lock_drop(*lock);
}

/* Holds the lock until the end of the enclosing scope. */
#define LOCKED(which)                                                          \
	_cleanup_(interrupts_restore)                                          \
		__attribute__((unused)) struct interrupts locked_interrupts_;  \
	interrupts_block(&locked_interrupts_);                                 \
	_cleanup_(cleanup_lock) __attribute__((unused)) struct lock *locked_ = \
		lock_take(which)

/*
 * Conditions, for which is waited by CLOCK_MONOTONIC: nobody sets that. Made
 * ready here, also in the child of fork(2), where nobody waits.
 */
void lock_condition_init(pthread_cond_t *condition);

/* Waits for the condition, at most until then (event_now()); the lock is held.
 * false: the time is over. */
bool lock_wait(struct lock *lock, pthread_cond_t *condition, uint64_t until_ns);

#endif
