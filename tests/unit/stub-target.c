/* SPDX-License-Identifier: MIT */
/*
 * The miss function of the stub tests. Its clobbering of registers is per CPU
 * and done on purpose: a compiler rarely uses them all.
 */
#include "tests/unit/stub-target.h"

#include "stub/linked.h"
#include "stub/stub.h"

#include <errno.h>

target_miss_fn *target_miss = target_find;
int target_misses;

#if defined(__x86_64__)
#define GENERAL "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11"

static void clobber_general(void)
{
	__asm__ volatile("mov $-1, %%rax\n\tmov $-1, %%rcx\n\t"
			 "mov $-1, %%rdx\n\tmov $-1, %%rsi\n\t"
			 "mov $-1, %%rdi\n\tmov $-1, %%r8\n\t"
			 "mov $-1, %%r9\n\tmov $-1, %%r10\n\t"
			 "mov $-1, %%r11" ::
				 : GENERAL);
}

static void clobber_sse(void)
{
	__asm__ volatile(".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
			 "pcmpeqd %%xmm\\n, %%xmm\\n\n\t.endr" ::
				 : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",
				   "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
				   "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
				   "xmm15");
}

__attribute__((target("avx"))) static void clobber_avx(void)
{
	__asm__ volatile("vzeroall" ::
				 : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",
				   "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
				   "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
				   "xmm15");
}

__attribute__((target("avx512f,avx512bw"))) static void clobber_avx512(void)
{
	__asm__ volatile(
		".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,"
		"20,21,22,23,24,25,26,27,28,29,30,31\n\t"
		"vpternlogd $0xff, %%zmm\\n, %%zmm\\n, %%zmm\\n\n\t.endr\n\t"
		".irp n,0,1,2,3,4,5,6,7\n\tkxnorq %%k\\n, %%k\\n, %%k\\n\n\t"
		".endr" ::
			: "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",
			  "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
			  "xmm12", "xmm13", "xmm14", "xmm15", "xmm16", "xmm17",
			  "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23",
			  "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29",
			  "xmm30", "xmm31", "k1", "k2", "k3", "k4", "k5", "k6",
			  "k7");
}

void target_clobber(void)
{
	if (__builtin_cpu_supports("avx512bw"))
		clobber_avx512();
	else if (__builtin_cpu_supports("avx"))
		clobber_avx();
	else
		clobber_sse();
	clobber_general();
}
#elif defined(__aarch64__)
void target_clobber(void)
{
	__asm__ volatile(
		".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18\n\t"
		"mov x\\n, #-1\n\t.endr\n\t"
		".irp n,0,1,2,3,4,5,6,7,16,17,18,19,20,21,22,23,24,25,26,27,"
		"28,29,30,31\n\tmovi v\\n\\().16b, #255\n\t.endr" ::
			: "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8",
			  "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16",
			  "x17", "x18", "v0", "v1", "v2", "v3", "v4", "v5",
			  "v6", "v7", "v16", "v17", "v18", "v19", "v20", "v21",
			  "v22", "v23", "v24", "v25", "v26", "v27", "v28",
			  "v29", "v30", "v31");
}
#else
void target_clobber(void)
{
}
#endif

void *target_find(struct slot *slot, const void *caller)
{
	struct target *target = slot->owner;

	(void)caller;
	slot_publish(slot, target->function);
	return target->function;
}

void *target_missed(struct slot *slot, const void *caller,
		    struct stub_failure *ret)
{
	(void)ret; /* nothing fails here */
	__atomic_add_fetch(&target_misses, 1, __ATOMIC_RELAXED);
	void *function = target_miss(slot, caller);
	errno = EBADF;
	target_clobber();
	return function;
}

/* The stubs of stub-linked.S. */
#define LINKED_STUBS 8
void target_linked_0(void), target_linked_1(void), target_linked_2(void),
	target_linked_3(void), target_linked_4(void), target_linked_5(void),
	target_linked_6(void), target_linked_7(void);
static void (*const linked_stubs[LINKED_STUBS])(void) = {
	target_linked_0, target_linked_1, target_linked_2, target_linked_3,
	target_linked_4, target_linked_5, target_linked_6, target_linked_7,
};
static struct slot linked_slots[LINKED_STUBS]; /* as miss functions know them */
static int linked_used;

extern const struct linked target_linked;

bool target_is_linked;

/* What src/runtime would do. */
static void *linked_miss(const struct linked *l, linked_slot *slot,
			 const void *caller, struct stub_failure *ret)
{
	const linked_slot *slots = linked_at(l, l->slots);

	CHECK(l == &target_linked);
	struct slot *known = &linked_slots[slot - slots];
	void *function = target_missed(known, caller, ret);
	void *published = atomic_load(&known->target);
	if (published)
		atomic_store(slot, published);
	return function;
}

stub_linked_miss_fn *stub_linked_miss = linked_miss;

static void *take_linked_stub(struct target *target)
{
	CHECK(linked_used < LINKED_STUBS);
	linked_slots[linked_used].owner = target;
	return (void *)linked_stubs[linked_used++];
}

void *target_stub(void *function)
{
	struct target *target = calloc(1, sizeof(*target));
	struct slot *slot;

	if (!stub_available())
		test_skip("no stubs for this CPU");
	target->function = function;
	if (target_is_linked)
		return take_linked_stub(target);
	CHECK_INT(stub_new(target, target_missed, &slot), 0);
	return stub_code(slot);
}

void target_arm(void *code)
{
	const linked_slot *slots =
		linked_at(&target_linked, target_linked.slots);

	if (!target_is_linked) {
		stub_arm(stub_slot_of(code));
		return;
	}
	for (int i = 0; i < LINKED_STUBS; i++) {
		if ((void *)linked_stubs[i] != code)
			continue;
		atomic_store(&linked_slots[i].target, NULL);
		atomic_store((linked_slot *)&slots[i], NULL);
	}
}
