/* SPDX-License-Identifier: MIT */
/*
 * The gate's lock is held for a few instructions by a load, and over fork(2)
 * by a fork. It is never held while a load runs: constructors fork and load.
 *
 * A fork waits at most GATE_WAIT_NS: the thread it waits for may itself be
 * waiting for something the forking thread holds, which without us would have
 * been no deadlock. From within a constructor it does not wait at all: its
 * thread has the linker's lock, so the others are only waiting for that, and
 * nothing of theirs is half done.
 */
#include "load/loading.h"

#include "base/event.h"
#include "base/lock.h"
#include "load/dl.h"
#include "load/forbid.h"
#include "ledger/ledger.h"
#include "load/module.h"
#include "registry/prefetch.h"
#include "ledger/usdt.h"
#include "registry/registry.h"
#include "load/wait.h"
#include "stub/stub.h"

#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define GATE_WAIT_NS UINT64_C(1000000000)

static struct lock gate_lock = LOCK_INIT(LOCK_GATE);
static pthread_cond_t gate_changed = PTHREAD_COND_INITIALIZER;
static unsigned loading; /* loads in progress, of all threads */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static _Thread_local struct gate_frame *innermost
	__attribute__((tls_model("initial-exec")));

/* Asked of the kernel once; a forked child is another thread. */
static _Thread_local pid_t thread __attribute__((tls_model("initial-exec")));

static pid_t this_thread(void)
{
	if (!thread)
		thread = (pid_t)syscall(SYS_gettid);
	return thread;
}

static unsigned gate_depth(void)
{
	unsigned n = 0;

	for (struct gate_frame *f = innermost; f; f = f->outer)
		n++;
	return n;
}

static void before_fork(void)
{
	struct timespec until;
	unsigned own = gate_depth();

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += (time_t)(GATE_WAIT_NS / 1000000000u);
	lock_take(&gate_lock);
	while (loading > own && !gate_has_linker() &&
	       pthread_cond_timedwait(&gate_changed, &gate_lock.mutex,
				      &until) == 0)
		;
	registry_fork_prepare();
	module_fork_prepare();
	stub_fork_prepare();
	event_fork_prepare();
}

static void after_fork(void)
{
	event_fork_done();
	stub_fork_done();
	module_fork_done();
	registry_fork_done();
}

static void after_fork_in_parent(void)
{
	after_fork();
	lock_drop(&gate_lock);
}

static void after_fork_in_child(void)
{
	unsigned own = gate_depth();

	thread = 0;
	after_fork();
	prefetch_after_fork();
	wait_after_fork();
	for (struct gate_frame *f = innermost; f; f = f->outer)
		f->thread = this_thread();
	if (loading > own)
		module_after_fork(gate_has_linker());
	loading = own;
	gate_changed = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
	lock_drop(&gate_lock);
}

static void add_handlers(void)
{
	pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
	forbid_begin();
	ledger_begin();
	probe_begin();
}

void gate_install(void)
{
	pthread_once(&once, add_handlers);
}

struct gate_frame *gate_enter(struct dlazy_module *module)
{
	struct gate_frame *frame = malloc(sizeof(*frame));

	if (!frame)
		return NULL;
	*frame = (struct gate_frame){
		.module = module,
		.outer = innermost,
		.thread = this_thread(),
	};
	innermost = frame;
	LOCKED(&gate_lock);
	loading++;
	return frame;
}

void gate_return(struct gate_frame *frame)
{
	if (!innermost)
		innermost = frame;
}

/* Drops the innermost load; true: it was of this module. */
static bool drop_frame(const struct dlazy_module *module)
{
	struct gate_frame *frame = innermost;
	bool found = frame->module == module;

	innermost = frame->outer;
	free(frame);
	return found;
}

void gate_leave(const struct dlazy_module *module)
{
	LOCKED(&gate_lock);
	do {
		loading--;
	} while (!drop_frame(module));
	pthread_cond_broadcast(&gate_changed);
}

bool gate_is_loading(const struct dlazy_module *module)
{
	for (struct gate_frame *f = innermost; f; f = f->outer)
		if (f->module == module)
			return true;
	return false;
}

struct gate_frame *gate_frames_of(const struct dlazy_module *module)
{
	struct gate_frame *frames = NULL;

	for (struct gate_frame *f = innermost; f; f = f->outer) {
		if (f->module != module)
			continue;
		f->other = frames;
		frames = f;
	}
	return frames;
}

bool gate_is_inside(void)
{
	return innermost != NULL;
}

bool gate_has_linker(void)
{
	for (struct gate_frame *f = innermost; f; f = f->outer)
		if (f->in_linker)
			return dl_locks_constructors();
	return false;
}

bool gate_is_elsewhere(void)
{
	LOCKED(&gate_lock);
	return loading > gate_depth();
}
