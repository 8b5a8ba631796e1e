/* SPDX-License-Identifier: MIT */
/*
 * Counting loads, and having a fork wait for them. A load holds the lock for a
 * few instructions, and a fork holds it over fork(2). It is never held while a
 * load runs: constructors fork and load.
 *
 * A fork waits at most FORK_WAIT_NS: the thread that it waits for may itself
 * be waiting for something that the forking thread holds, which without us
 * would have been no deadlock. A fork from within a constructor does not wait
 * for other loads: its thread has the linker's lock, so the others are only waiting
 * for that, and nothing of theirs is half done.
 *
 * glibc (2.36) gives a child a new dl_load_lock, but what that guards as it was, so
 * calls that are no loads are waited for, too; and dl_load_write_lock as it was:
 * a walk over the objects, which has that, is waited for even in a constructor.
 */
#include "load/loading.h"

#include "base/event.h"
#include "base/lock.h"

#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FORK_WAIT_NS UINT64_C(1000000000)

/* Whether a constructor's thread has the linker's lock. */
#ifdef __GLIBC__
#define LOCKS_CONSTRUCTORS true
#else
#define LOCKS_CONSTRUCTORS false
#endif

static struct lock loading_lock = LOCK_INIT(LOCK_LOADING);
static pthread_cond_t loading_changed;
static unsigned loads; /* loads in progress, of all threads */
static unsigned calls; /* of the linker's, but for loads; of all threads */
static unsigned walks; /* over its list of objects */
static unsigned waiting_forks;

static _Thread_local unsigned own_calls
	__attribute__((tls_model("initial-exec")));

static _Thread_local struct loading_frame *innermost
	__attribute__((tls_model("initial-exec")));

/* Asked of the kernel once; a forked child is another thread. */
static _Thread_local pid_t thread __attribute__((tls_model("initial-exec")));

static pid_t this_thread(void)
{
	if (!thread)
		thread = (pid_t)syscall(SYS_gettid);
	return thread;
}

static unsigned loading_depth(void)
{
	unsigned n = 0;

	for (struct loading_frame *f = innermost; f; f = f->outer)
		n++;
	return n;
}

void loading_begin(void)
{
	lock_condition_init(&loading_changed);
}

/* false: the time is over. */
static bool wait_for_change(uint64_t until_ns)
{
	waiting_forks++;
	bool in_time = lock_wait(&loading_lock, &loading_changed, until_ns);
	waiting_forks--;
	return in_time;
}

/* Whether a child would find a lock of the linker's taken, or an object half
 * loaded. */
static bool is_in_linker_elsewhere(void)
{
	if (walks)
		return true;
	if (loading_has_linker())
		return false;
	return loads > loading_depth() || calls > own_calls;
}

void loading_fork_prepare(void)
{
	uint64_t until_ns = event_now() + FORK_WAIT_NS;

	lock_take(&loading_lock);
	while (is_in_linker_elsewhere() && wait_for_change(until_ns))
		;
}

bool loading_after_fork(void)
{
	unsigned own = loading_depth();
	bool others = loads > own;

	thread = 0;
	for (struct loading_frame *f = innermost; f; f = f->outer)
		f->thread = this_thread();
	loads = own;
	calls = own_calls;
	walks = waiting_forks = 0;
	loading_begin();
	return others;
}

void loading_fork_done(void)
{
	lock_drop(&loading_lock);
}

struct loading_frame *loading_enter(struct dlazy_module *module)
{
	struct loading_frame *frame = malloc(sizeof(*frame));

	if (!frame)
		return NULL;
	*frame = (struct loading_frame){
		.module = module,
		.outer = innermost,
		.thread = this_thread(),
	};
	innermost = frame;
	LOCKED(&loading_lock);
	loads++;
	return frame;
}

void loading_return(struct loading_frame *frame)
{
	if (!innermost)
		innermost = frame;
}

/* Drops the innermost load; true: it was of this module. */
static bool drop_frame(const struct dlazy_module *module)
{
	struct loading_frame *frame = innermost;
	bool found = frame->module == module;

	innermost = frame->outer;
	free(frame);
	return found;
}

static void count_ended(unsigned *count, unsigned ended)
{
	LOCKED(&loading_lock);
	*count -= ended;
	if (waiting_forks)
		pthread_cond_broadcast(&loading_changed);
}

void loading_leave(const struct dlazy_module *module)
{
	unsigned ended = 1;

	UNINTERRUPTED(); /* a fork in between would count what is gone */
	while (!drop_frame(module))
		ended++;
	count_ended(&loads, ended);
}

void loading_begin_walk(void)
{
	LOCKED(&loading_lock);
	walks++;
}

void loading_end_walk(void)
{
	count_ended(&walks, 1);
}

void loading_begin_call(void)
{
	LOCKED(&loading_lock);
	calls++;
	own_calls++;
}

void loading_end_call(void)
{
	UNINTERRUPTED(); /* as in loading_leave() */
	own_calls--;
	count_ended(&calls, 1);
}

bool loading_has_module(const struct dlazy_module *module)
{
	for (struct loading_frame *f = innermost; f; f = f->outer)
		if (f->module == module)
			return true;
	return false;
}

bool loading_is_own(const struct loading_frame *frame)
{
	for (const struct loading_frame *f = innermost; f; f = f->outer)
		if (f == frame)
			return true;
	return false;
}

struct loading_frame *loading_frames_of(const struct dlazy_module *module)
{
	struct loading_frame *frames = NULL;

	for (struct loading_frame *f = innermost; f; f = f->outer) {
		if (f->module != module)
			continue;
		f->other = frames;
		frames = f;
	}
	return frames;
}

bool loading_is_inside(void)
{
	return innermost != NULL;
}

bool loading_has_linker(void)
{
	for (struct loading_frame *f = innermost; f; f = f->outer)
		if (f->in_linker)
			return LOCKS_CONSTRUCTORS;
	return false;
}

bool loading_is_elsewhere(void)
{
	LOCKED(&loading_lock);
	return loads > loading_depth();
}
