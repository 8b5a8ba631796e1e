/* SPDX-License-Identifier: MIT */
/*
 * How the slow path saves the vector registers, which depends on the CPU:
 * between stub-x86_64.S, which saves them, and save-x86_64.c, which chooses
 * the way.
 */
#ifndef STUB_SAVE_X86_64_H
#define STUB_SAVE_X86_64_H

/* Vector state that an argument can be in: SSE, AVX, opmask, upper halves of
 * zmm0-15, zmm16-31. x87 has no argument registers, AMX tiles carry none. */
#define STUB_SAVE_MASK 0xe6

/* The ways. */
#define STUB_SAVE_UNKNOWN 0
#define STUB_SAVE_SSE 1	   /* no AVX: xmm0-15, one by one */
#define STUB_SAVE_XSAVE 2  /* where xsavec is not to be had */
#define STUB_SAVE_XSAVEC 3 /* in the compacted form */

#ifndef __ASSEMBLER__

#include <stddef.h>

#define STUB_HIDDEN __attribute__((visibility("hidden")))

/* The one in use, from the first call of a stub on, and the bytes it needs. */
extern STUB_HIDDEN int stub_save_way;
extern STUB_HIDDEN size_t stub_save_size;

/* Sets both; returns the way. The slow path's vector registers are not safe
 * yet: uses none. Threads: any, all choose the same. */
STUB_HIDDEN int stub_save_choose(void);

#endif
#endif
