/* SPDX-License-Identifier: MIT */
/*
 * Around fork(2): each layer in turn keeps what it has whole in the child.
 *
 * A child that is forked while another thread is in the dynamic linker inherits
 * an object half relocated; so a fork waits, for a bounded time, until no other
 * thread is loading, and what could not be waited for is marked in the child.
 * Then every lock is taken, in their order, so that the child finds what they
 * guard as it should be. A handler of somebody else that runs in between, as it
 * was registered before ours, may use the library all the same (interrupt.h).
 *
 * As this is above all layers, it is also where their use begins.
 */
#include "fork.h"

#include "base/above.h"
#include "base/event.h"
#include "base/interrupt.h"
#include "ledger/ledger.h"
#include "ledger/usdt.h"
#include "load/forbid.h"
#include "load/loading.h"
#include "load/module.h"
#include "load/quarantine.h"
#include "load/require.h"
#include "load/wait.h"
#include "registry/job.h"
#include "registry/prefetch.h"
#include "registry/registry.h"
#include "runtime/module.h"
#include "stub/stub.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

static void enter(void)
{
	loading_fork_prepare();
	registry_fork_prepare();
	module_fork_prepare();
	stub_fork_prepare();
	event_fork_prepare();
}

static void drop_locks(void)
{
	event_fork_done();
	stub_fork_done();
	module_fork_done();
	registry_fork_done();
}

static void end_in_parent(void)
{
	drop_locks();
	loading_fork_done();
}

static void end_in_child(void)
{
	drop_locks();
	bool others = loading_after_fork();
	loading_fork_done();
	wait_begin();
	prefetch_after_fork();
	job_after_fork();
	forbid_after_fork();
	if (!others)
		return;
	module_after_fork(loading_has_linker());
	quarantine_after_fork();
}

/* Who forks; the same whichever thread does. */
static pid_t parent;

/* This thread forks, and a handler that is not ours uses the library. If that is
 * after the fork, the parent enters once more than it need. */
static void leave(void)
{
	struct interrupts unused;

	if (getpid() == parent) {
		end_in_parent();
		return;
	}
	interrupts_end_fork(&unused);
	end_in_child();
}

static const struct interrupts_fork between = {.leave = leave, .enter = enter};

static void before_fork(void)
{
	UNINTERRUPTED();
	enter();
	parent = getpid();
	interrupts_begin_fork(&between);
}

static void after_fork_in_parent(void)
{
	struct interrupts before;

	interrupts_end_fork(&before);
	end_in_parent();
	interrupts_restore(&before);
}

static void after_fork_in_child(void)
{
	struct interrupts before;

	if (!interrupts_in_fork()) /* by leave() */
		return;
	interrupts_end_fork(&before);
	end_in_child();
	interrupts_restore(&before);
}

static void install(void)
{
	loading_begin();
	wait_begin();
	job_begin();
	prefetch_begin();
	pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

/* As early as can be: handlers that others add then run before ours, and after
 * them in the child, so that they may use this library. */
__attribute__((constructor)) static void install_handlers(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, install);
}

/* The environment is read now, and not at the start, as the host may say what it
 * wants there. */
static void begin(void)
{
	install_handlers();
	forbid_begin();
	require_begin();
	ledger_begin();
	probe_begin();
}

/* What is called in it may call a stub again: a malloc, say. A handler that jumps
 * out of pthread_once() would leave it for ever in progress. */
void fork_begin(void)
{
	static _Thread_local bool inside
		__attribute__((tls_model("initial-exec")));
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	static _Atomic(bool) done;

	if (inside || atomic_load_explicit(&done, memory_order_acquire))
		return;
	UNINTERRUPTED();
	inside = true;
	pthread_once(&once, begin);
	inside = false;
	atomic_store_explicit(&done, true, memory_order_release);
}

/* A stub can be called before any constructor has run. */
ABOVE void (*linked_first)(void) = fork_begin;
