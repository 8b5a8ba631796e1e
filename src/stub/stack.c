/* SPDX-License-Identifier: MIT */
/*
 * Finding out how much stack is left, and calling on another one. A fiber's stack
 * is not its thread's, and below it, or below one that a thread was given
 * (pthread_attr_setstack()), other data may lie: only what is known to be the
 * thread's own is used. Where libc does not tell that without allocating, the
 * kernel is asked what is there, by system calls that read memory and have no
 * other effect: they fail in place of a fault.
 *
 * Stacks are kept for the next call that needs one. They are mapped below the
 * caller's, if there is room: longjmp() and unwinders expect a caller's frame
 * to be higher than its callee's.
 */
#include "stub/stack.h"

#include "base/above.h"
#include "base/bound.h"
#include "base/cleanup.h"
#include "base/event.h"
#include "stub/pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

#define STACK_LEFT 24576
#define STACK_SIZE ((size_t)262144)
#define STACKS_KEPT 4
#define STACK_DISTANCE ((size_t)16 << 20)

/* From its top, the program's first stack is no longer than that, or has no end
 * that matters. */
#define FIRST_STACK_SIZE ((uintptr_t)64 << 20)

/* All that is called before there is another stack. */
BOUND(getauxval);
BOUND(getpid);
BOUND(getrlimit);
BOUND(madvise);
BOUND(mmap);
BOUND(mprotect);
BOUND(pthread_self);
BOUND(sigaltstack);
BOUND(syscall);

/* Standalone stubs run with any C library. */
extern const char *gnu_get_libc_version(void) __attribute__((weak));

static bool is_glibc(void)
{
	return gnu_get_libc_version;
}

static bool is_readable(uintptr_t address)
{
	return syscall(SYS_rt_sigprocmask, -1, address, NULL, 8) == 0 ||
	       errno != EFAULT;
}

/* One call where the kernel (5.14) knows it, else one for each page. It says
 * EINVAL for a page that may not be read, too. */
static bool is_range_readable(uintptr_t from, uintptr_t to, uintptr_t page)
{
	if (madvise((void *)from, to - from, MADV_POPULATE_READ) == 0)
		return true;
	if (errno != EINVAL && errno != ENOSYS)
		return false;
	for (uintptr_t at = to; at > from;) {
		at -= page;
		if (!is_readable(at))
			return false;
	}
	return true;
}

/* The first stack grows as it is touched, as far as it may. */
static bool is_below_limit(uintptr_t size)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_STACK, &limit) < 0 || limit.rlim_cur >= size;
}

/* The end of the first stack: the program's name is the last that lies there. */
static uintptr_t first_stack_end(void)
{
	uintptr_t random = getauxval(AT_RANDOM), name = getauxval(AT_EXECFN);
	uintptr_t page = getauxval(AT_PAGESZ);

	return ((name > random ? name : random) & -page) + page;
}

/*
 * The stack that a thread other than the first has, without its guard. glibc
 * (as of 2.36) has it in the thread's descriptor: the block, its size, the
 * guard's size, and the one that was asked for. pthread_getattr_np() would tell,
 * but allocates. Looked for by what these four must be, as their place is not the
 * same in each version.
 */
#define DESCRIPTOR_SIZE 2048 /* it has more in each of them */

struct own_stack {
	uintptr_t block;
	size_t size, guard, asked_guard;
};

static bool is_own_stack(const struct own_stack *s, uintptr_t descriptor)
{
	return s->block && s->size < (size_t)1 << 40 && s->block < descriptor &&
	       descriptor - s->block < s->size && s->guard < s->size &&
	       s->guard % getauxval(AT_PAGESZ) == 0 &&
	       s->asked_guard <= (size_t)1 << 40;
}

static bool is_first_thread(void)
{
	return syscall(SYS_gettid) == getpid();
}

/* The descriptor of the first thread, in which nothing was found: it is not looked
 * through at each first call. */
static _Atomic uintptr_t first_thread;

static bool find_own_stack(uintptr_t *ret_lowest, uintptr_t *ret_end)
{
	uintptr_t self = (uintptr_t)pthread_self();
	struct own_stack s;

	if (!is_glibc() || self == atomic_load(&first_thread))
		return false;
	for (size_t at = 0; at + sizeof(s) <= DESCRIPTOR_SIZE;
	     at += sizeof(void *)) {
		memcpy(&s, (const char *)self + at, sizeof(s));
		if (!is_own_stack(&s, self))
			continue;
		*ret_lowest = s.block + s.guard;
		*ret_end = s.block + s.size;
		return true;
	}
	if (is_first_thread())
		atomic_store(&first_thread, self);
	return false;
}

/* Whether STACK_LEFT bytes below an address are there, and the stack's. A signal's
 * stack, and one that a thread was given, may lie in the first stack, as arrays. */
static bool has_room(uintptr_t sp)
{
	uintptr_t used = first_stack_end() - sp, lowest, end;
	stack_t alternate;

	if (sigaltstack(NULL, &alternate) == 0 &&
	    alternate.ss_flags & SS_ONSTACK)
		return sp - (uintptr_t)alternate.ss_sp >= STACK_LEFT;
	if (find_own_stack(&lowest, &end))
		return sp > lowest && sp < end && sp - lowest >= STACK_LEFT;
	if (used < FIRST_STACK_SIZE)
		return is_below_limit(used + STACK_LEFT);
	/* A thread's own has the thread's descriptor at its top. */
	if (is_first_thread() ||
	    (uintptr_t)pthread_self() - sp >= FIRST_STACK_SIZE)
		return false;
	uintptr_t page = getauxval(AT_PAGESZ);
	return is_range_readable((sp - STACK_LEFT) & -page, sp & -page, page);
}

static _Atomic(char *) kept[STACKS_KEPT];

static char *map_stack(uintptr_t sp)
{
	size_t page = getauxval(AT_PAGESZ);
	uintptr_t below = (sp - STACK_DISTANCE) & -(uintptr_t)page;
	char *stack = mmap((void *)below, STACK_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	if (stack == MAP_FAILED)
		return NULL;
	mprotect(stack, page, PROT_NONE);
	return stack;
}

static char *take_stack(uintptr_t sp)
{
	for (int i = 0; i < STACKS_KEPT; i++) {
		char *stack = atomic_load(&kept[i]);

		if (stack && (uintptr_t)stack < sp &&
		    atomic_compare_exchange_strong(&kept[i], &stack, NULL))
			return stack;
	}
	return map_stack(sp);
}

static void give_stack_back(char **stack)
{
	for (int i = 0; i < STACKS_KEPT; i++) {
		char *none = NULL;

		if (atomic_compare_exchange_strong(&kept[i], &none, *stack))
			return;
	}
	munmap(*stack, STACK_SIZE);
}

/* Where the stack that this thread has left goes on; NULL: it is on it. */
static _Thread_local char *left __attribute__((tls_model("initial-exec")));

static void restore_left(char **before)
{
	left = *before;
}

/* Behind what the callers of stub_call_on() and itself push. */
#define CALLEE_ROOM 256

/* Its own function: its frame is on the caller's stack only if need be. */
__attribute__((noinline)) static void call_elsewhere(void (*fn)(void *),
						     void *data, char *taken)
{
	_cleanup_(give_stack_back) char *stack = taken;
	_cleanup_(restore_left) __attribute__((unused)) char *before = left;

	left = (char *)(((uintptr_t)__builtin_alloca(16) - CALLEE_ROOM) & -64);
	stub_call_on(stack + STACK_SIZE, fn, data);
}

void stack_call_back(void (*fn)(void *data), void *data)
{
	_cleanup_(restore_left) char *there = left;

	left = NULL;
	if (there)
		stub_call_on(there, fn, data);
	else
		fn(data);
}

ABOVE void (*event_host_stack)(void (*fn)(void *),
			       void *data) = stack_call_back;

void stack_call(void (*fn)(void *data), void *data)
{
	uintptr_t sp = (uintptr_t)__builtin_frame_address(0);
	char *stack = has_room(sp) ? NULL : take_stack(sp);

	if (stack)
		call_elsewhere(fn, data, stack);
	else
		fn(data);
}
