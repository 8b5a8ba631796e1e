/* SPDX-License-Identifier: MIT */
/*
 * What a thread is waiting for is read from /proc/self/task/TID/syscall
 * (proc(5)): a thread in pthread_join() waits on a futex inside the descriptor
 * of the thread it joins, one that wants the linker's lock on a futex in the
 * linker's data. Where that file cannot be read (hidepid, no /proc) the answer
 * is WAIT_ASK, and the linker's lock does the waiting.
 *
 * Waiting here cannot add a deadlock: the loading thread holds the linker's
 * lock, for which dlopen would wait too, unless it is itself waiting for that
 * lock, and then we do not.
 */
#include "load/wait.h"

#include "base/cleanup.h"
#include "base/event.h"
#include "load/dl.h"
#include "load/module.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>

#define WAIT_SECONDS 10
#define WAIT_FIRST_NS 1000000
#define WAIT_LONGEST_NS 16000000

/* Bytes behind pthread_self() that are surely the thread's own descriptor. */
#define DESCRIPTOR_SIZE 2048

static pthread_cond_t load_ended = PTHREAD_COND_INITIALIZER;

void wait_end_locked(void)
{
	pthread_cond_broadcast(&load_ended);
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

/* What to do about a loader that is still at it; false: wait on. */
static bool judge_loader(pid_t loader, enum wait_answer *ret)
{
	uintptr_t self = (uintptr_t)pthread_self(), futex;

	*ret = WAIT_ASK;
	if (!waited_futex(loader, &futex))
		return true;
	if (!futex)
		return false;
	if (futex - self < DESCRIPTOR_SIZE) {
		*ret = WAIT_JOINED;
		return true;
	}
	return dl_is_linker_data(futex);
}

/* Sleeps until a load ends, at most `ns`; the loader, 0 if there is none. */
static pid_t wait_a_while(struct dlazy_module *m, long ns)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += ns;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;

	LOCKED(&load_lock);
	if (m->loaders && ns)
		pthread_cond_timedwait(&load_ended, &load_lock.mutex, &until);
	return m->loaders ? m->loader : 0;
}

enum wait_answer wait_for_loader(struct dlazy_module *m)
{
	uint64_t end = event_now() + WAIT_SECONDS * UINT64_C(1000000000);
	enum wait_answer answer;
	pid_t loader = wait_a_while(m, 0);

	for (long ns = WAIT_FIRST_NS; loader && event_now() < end;) {
		loader = wait_a_while(m, ns);
		if (loader && judge_loader(loader, &answer))
			return answer;
		ns = ns < WAIT_LONGEST_NS ? ns * 2 : ns;
	}
	return WAIT_ASK;
}
