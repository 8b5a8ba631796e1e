/* SPDX-License-Identifier: MIT */
/*
 * Finding out what the loading thread waits for. /proc/self/task/TID/syscall
 * (proc(5)) says it: a thread in pthread_join() waits on a futex inside the
 * descriptor of the thread it joins; one that wants the linker's lock waits on
 * a futex in the linker's data. Where that file cannot be read (hidepid, no
 * /proc) the answer is WAIT_ASK, and the linker's lock does the waiting.
 *
 * Waiting here cannot add a deadlock: the loading thread holds the linker's
 * lock, for which dlopen would wait too, unless it is itself waiting for that
 * lock, and then we do not wait.
 */
#include "load/wait.h"

#include "base/cleanup.h"
#include "base/event.h"
#include "load/dl.h"
#include "load/loading.h"
#include "load/module.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>

#define WAIT_SECONDS 10
#define WAIT_FIRST_NS 1000000
#define WAIT_LONGEST_NS 16000000
#define LOADERS_MAX 16

/* Bytes behind pthread_self() that are surely the thread's own descriptor. */
#define DESCRIPTOR_SIZE 2048

static pthread_cond_t load_ended;
static unsigned waiting; /* threads; under load_lock */

void wait_end_locked(void)
{
	if (waiting)
		pthread_cond_broadcast(&load_ended);
}

/* In a forked child its waiters were left behind, and a later broadcast would wait
 * for them. */
void wait_begin(void)
{
	lock_condition_init(&load_ended);
	waiting = 0;
}

/* The futex a thread waits on; 0: it runs, or waits for something else. */
static bool waited_futex(pid_t thread, uintptr_t *ret)
{
	char path[64], text[256] = "";
	unsigned long number, address;

	snprintf(path, sizeof(path), "/proc/self/task/%ld/syscall",
		 (long)thread);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return false;
	*ret = 0;
	if (sscanf(text, "%lu %lx", &number, &address) == 2 &&
	    number == SYS_futex)
		*ret = address;
	return true;
}

/*
 * The threads that load a module, as many as can be looked at. They are
 * several only if none saw another begin.
 */
struct loaders {
	pid_t threads[LOADERS_MAX];
	size_t count;
};

/*
 * Decides what to do while others are still loading; false: wait on. A loader
 * that wants the linker's lock is waiting for another loader, or for somebody
 * else.
 */
static bool judge_loaders(const struct loaders *loaders, enum wait_answer *ret)
{
	uintptr_t self = (uintptr_t)pthread_self(), futex;
	bool busy = false;

	*ret = WAIT_ASK;
	for (size_t i = 0; i < loaders->count; i++) {
		if (!waited_futex(loaders->threads[i], &futex))
			continue;
		if (futex && futex - self < DESCRIPTOR_SIZE) {
			*ret = WAIT_JOINED;
			return true;
		}
		busy |= !futex || !dl_is_linker_data(futex);
	}
	return !busy;
}

/* Sleeps until a load ends, at most `ns`. false: there is none to wait for. */
static bool wait_a_while(struct dlazy_module *m, bool preparing, long ns,
			 struct loaders *ret)
{
	uint64_t until_ns = event_now() + (uint64_t)ns;
	struct loading_frame *first;

	LOCKED(&load_lock);
	if ((preparing ? m->preparer : m->loaders) && ns) {
		waiting++;
		lock_wait(&load_lock, &load_ended, until_ns);
		waiting--;
	}
	ret->count = 0;
	first = preparing ? m->preparer : m->loaders;
	for (struct loading_frame *f = first; f && ret->count < LOADERS_MAX;
	     f = preparing ? NULL : f->other)
		ret->threads[ret->count++] = f->thread;
	return first && !atomic_load(&m->handle);
}

static enum wait_answer wait_until_ended(struct dlazy_module *m, bool preparing)
{
	uint64_t end = event_now() + WAIT_SECONDS * UINT64_C(1000000000);
	enum wait_answer answer;
	struct loaders loaders;
	long ns = 0;

	while (wait_a_while(m, preparing, ns, &loaders) && event_now() < end) {
		if (ns && judge_loaders(&loaders, &answer))
			return answer;
		ns = !ns ? WAIT_FIRST_NS : ns < WAIT_LONGEST_NS ? ns * 2 : ns;
	}
	return loaders.count && !atomic_load(&m->handle) ? WAIT_ASK
							 : WAIT_ENDED;
}

enum wait_answer wait_for_loader(struct dlazy_module *m)
{
	return wait_until_ended(m, false);
}

enum wait_answer wait_for_preparer(struct dlazy_module *m)
{
	return wait_until_ended(m, true);
}
