/* SPDX-License-Identifier: MIT */
/*
 * What only AArch64 has: a load that must acquire, and a static chain that
 * compilers pass in x15 or x18.
 */
#include "tests/unit/stub-target.h"

#include "stub/pool.h"

#include <stdint.h>

static uint32_t instruction(size_t stub, size_t i)
{
	uint32_t word;

	memcpy(&word, stub_pool + stub * STUB_SIZE + 4 * i, sizeof(word));
	return word;
}

TEST(every_stub_may_be_branched_to)
{
	for (size_t i = 0; i < STUB_POOL; i++)
		CHECK_INT(instruction(i, 0), 0xd503245f); /* bti c */
}

/* Emulators on stronger machines cannot show a reordered load, so what is
 * checked is the instruction: see the memory order in slot.h. */
TEST(stubs_acquire_their_slots)
{
	for (size_t i = 0; i < STUB_POOL; i++)
		CHECK_INT(instruction(i, 2), 0xc8dffe11); /* ldar x17, [x16] */
}

struct chains {
	void *x15, *x18;
};

struct chains call_with_chains(void *x15, void *x18, void *code);
struct chains return_chains(void);

__asm__(".text\n"
	".globl call_with_chains, return_chains\n"
	".type call_with_chains, %function\n"
	"call_with_chains:\n\t"
	"hint #34\n\t" /* bti c */
	"mov x15, x0\n\t"
	"mov x18, x1\n\t"
	"mov x16, x2\n\t"
	"br x16\n"
	".type return_chains, %function\n"
	"return_chains:\n\t"
	"hint #34\n\t"
	"mov x0, x15\n\t"
	"mov x1, x18\n\t"
	"ret\n");

TEST_BOTH(static_chain_arrives)
{
	int a, b;
	void *code = target_stub((void *)return_chains);

	for (int i = 0; i < 2; i++) {
		struct chains chains = call_with_chains(&a, &b, code);
		CHECK(chains.x15 == &a);
		CHECK(chains.x18 == &b);
	}
	CHECK_INT(target_misses, 1);
}
