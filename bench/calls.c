/* SPDX-License-Identifier: MIT */
/*
 * calls FILE ROUNDS: what one call costs, by six ways to the same function.
 * Prints a line for each round, nanoseconds: through a plain pointer, the PLT
 * (linked with -ltarget), a pointer that dlazy_bind() has filled, a run-time
 * stub, dlsym() each time, the load address and a recorded offset.
 */
#include "bench/host.h"

#include <dlazy/dlazy.h>

#include <dlfcn.h>
#include <link.h>

int f(int x);

/* What of another such library `dlazy stub` made a stub of, which is linked in
 * its place. */
int linked(int x);

typedef int function(int x);

#define CALLS 400000
#define CALLS_DLSYM 20000

/*
 * Calls stand a cache line apart, as CPUs predict few branches of one line, and
 * sixteen in a loop, whose own cost is little then: where the compiler puts
 * them makes no difference.
 */
#define LOOP __attribute__((noinline, aligned(64)))
#define APART(call)                      \
	do {                             \
		call;                    \
		__asm__(".p2align 6\n"); \
	} while (0)
#define FOUR(call)   \
	APART(call); \
	APART(call); \
	APART(call); \
	APART(call)
#define SIXTEEN(call) \
	FOUR(call);   \
	FOUR(call);   \
	FOUR(call);   \
	FOUR(call)

static function *volatile plain, *volatile stub;
static void *bound;
static volatile uintptr_t base, offset;

LOOP static double by_pointer(function *volatile *pointer)
{
	uint64_t start = now_ns();

	for (int i = 0, x = 0; i < CALLS; i += 16) {
		SIXTEEN(x = (*pointer)(x));
	}
	return (double)(now_ns() - start) / CALLS;
}

LOOP static double by_plt(void)
{
	uint64_t start = now_ns();

	for (int i = 0, x = 0; i < CALLS; i += 16) {
		SIXTEEN(x = f(x));
	}
	return (double)(now_ns() - start) / CALLS;
}

LOOP static double by_linked_stub(void)
{
	uint64_t start = now_ns();

	for (int i = 0, x = 0; i < CALLS; i += 16) {
		SIXTEEN(x = linked(x));
	}
	return (double)(now_ns() - start) / CALLS;
}

LOOP static double by_dlsym(void *handle)
{
	uint64_t start = now_ns();

	for (int i = 0, x = 0; i < CALLS_DLSYM; i++)
		x = ((function *)dlsym(handle, "f"))(x);
	return (double)(now_ns() - start) / CALLS_DLSYM;
}

LOOP static double by_offset(void)
{
	uint64_t start = now_ns();

	for (int i = 0, x = 0; i < CALLS; i += 16) {
		SIXTEEN(x = ((function *)(base + offset))(x));
	}
	return (double)(now_ns() - start) / CALLS;
}

int main(int argc, char **argv)
{
	struct dlazy_module *m = argc == 3 ? dlazy_open(argv[1], 0) : NULL;
	struct dlazy_import import = {"f", &bound, NULL};
	void *handle = m ? dlopen(argv[1], RTLD_NOW) : NULL;
	struct link_map *map;

	if (!handle || dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0 ||
	    dlazy_bind(m, &import, 1) < 0)
		errx(1, "usage: calls FILE ROUNDS");
	plain = (function *)dlsym(handle, "f");
	stub = (function *)dlazy_sym(m, "f");
	base = map->l_addr;
	offset = (uintptr_t)plain - base;
	stub(1); /* loads, and so binds */
	f(1);
	linked(1);
	for (int i = atoi(argv[2]); i > 0; i--)
		printf("%.4f %.4f %.4f %.4f %.4f %.4f %.4f\n",
		       by_pointer(&plain), by_plt(),
		       by_pointer((function *volatile *)&bound),
		       by_pointer(&stub), by_linked_stub(), by_dlsym(handle),
		       by_offset());
	return 0;
}
