/* SPDX-License-Identifier: MIT */
/*
 * The parts of base/lock.h that are not inline.
 */
#include "base/lock.h"

#include <time.h>

_Thread_local unsigned lock_held;

void lock_condition_init(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
}

bool lock_wait(struct lock *lock, pthread_cond_t *condition, uint64_t until_ns)
{
	struct timespec until = {
		.tv_sec = (time_t)(until_ns / 1000000000u),
		.tv_nsec = (long)(until_ns % 1000000000u),
	};

	return pthread_cond_timedwait(condition, &lock->mutex, &until) == 0;
}
