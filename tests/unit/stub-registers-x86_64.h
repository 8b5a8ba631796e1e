/* SPDX-License-Identifier: MIT */
/*
 * Every register that can carry an argument on x86-64: a caller that loads
 * them all, and a callee that stores them all, per width of vector registers.
 */
#ifndef TESTS_UNIT_STUB_REGISTERS_X86_64_H
#define TESTS_UNIT_STUB_REGISTERS_X86_64_H

#include <stdint.h>

struct registers {
	uint64_t general[8]; /* rax rdi rsi rdx rcx r8 r9 r10 */
	uint64_t mask[8];    /* k0-7 */
	uint8_t vector[32][64];
} __attribute__((aligned(64)));

void registers_call_sse(const struct registers *registers, void *code);
void registers_call_avx(const struct registers *registers, void *code);
void registers_call_avx512(const struct registers *registers, void *code);

/* Callees: what arrived is in registers_seen. Not called from C. */
extern struct registers registers_seen;
void registers_store_sse(void);
void registers_store_avx(void);
void registers_store_avx512(void);

/* Calls code with the vector state as xrstor finds it in `area`; what it
 * returned. */
unsigned registers_call_restored(const void *area, void *code);

/* Calls code with r10 = chain; what it returned. */
void *registers_call_chain(void *chain, void *code);

/* Return al, and r10. */
int registers_al(int first, ...);
void *registers_r10(void);

#endif
