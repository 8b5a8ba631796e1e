/* SPDX-License-Identifier: MIT */
/*
 * What each CPU has for the audit object, in cpu-CPU.S and cpu-CPU.c, and
 * its system calls, in call-CPU.S.
 *
 * A trampoline stands in a caller's slot for one function of another object: it
 * notes that it was called and jumps on. An init stands for one object's
 * constructors. Both are code in the audit object's own text, one after the
 * other, so that no code is made at run time.
 */
#ifndef HOOK_CPU_H
#define HOOK_CPU_H

#define CPU_TRAMPOLINES 65536
#define CPU_TRAMPOLINE_SIZE 32
#define CPU_INITS 4096
#define CPU_INIT_SIZE 16

#ifndef __ASSEMBLER__
#include <stdint.h>

#pragma GCC visibility push(hidden)

extern const uint8_t cpu_trampolines[CPU_TRAMPOLINES * CPU_TRAMPOLINE_SIZE];
extern const uint8_t cpu_inits[CPU_INITS * CPU_INIT_SIZE];

/* What a trampoline sets to 1 when it is called; where it jumps to. */
extern uint8_t cpu_called[CPU_TRAMPOLINES];
extern uint64_t cpu_targets[CPU_TRAMPOLINES];

/* Called by init n; of hook.c. */
void hook_init(int argc, char **argv, char **envp, unsigned n);

/* A system call; negated errno on failure. */
long cpu_call(long number, long a, long b, long c, long d, long e, long f);

/* The CPU's clock. */
uint64_t cpu_ticks(void);

/* What relocation leaves where it was told to. */
enum cpu_slot {
	CPU_SLOT_OTHER,
	CPU_SLOT_POINTER, /* the symbol's address */
	CPU_SLOT_NAMED,	  /* something that does not tell whose symbol it is */
};
enum cpu_slot cpu_slot(uint64_t r_info);

#pragma GCC visibility pop
#endif

#endif
