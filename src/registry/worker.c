/* SPDX-License-Identifier: MIT */
/*
 * Starting a thread with every signal blocked but those that it would raise
 * itself, as a host's handlers are for its own threads.
 */
#include "registry/worker.h"

#include "base/interrupt.h"
#include "base/status.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

int worker_start(void *(*fn)(void *), void *data, const char *what)
{
	pthread_attr_t detached;
	sigset_t all = interrupts_signals(), before;
	pthread_t thread;

	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&thread, &detached, fn, data);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&detached);
	if (!error)
		return 0;
	return status_fail(DLAZY_ENOMEM, "%s: no thread: %s", what,
			   strerror(error));
}
