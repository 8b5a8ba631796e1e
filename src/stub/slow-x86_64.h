/* SPDX-License-Identifier: MIT */
/*
 * Between stub-x86_64.S and slow-x86_64.c: the three slow paths, which differ
 * in how they keep the vector registers.
 */
#ifndef STUB_SLOW_X86_64_H
#define STUB_SLOW_X86_64_H

/* Vector state that an argument can be in: SSE, AVX, opmask, upper halves of
 * zmm0-15, zmm16-31. x87 has no argument registers, AMX tiles carry none. */
#define STUB_SAVE_MASK 0xe6

#ifndef __ASSEMBLER__

#include <stddef.h>

#define STUB_HIDDEN __attribute__((visibility("hidden")))

STUB_HIDDEN void stub_slow_xsavec(void);
STUB_HIDDEN void stub_slow_xsave(void);
STUB_HIDDEN void stub_slow_sse(void);

/* Bytes the first two need for the area of xsave or xsavec. */
extern STUB_HIDDEN size_t stub_save_size;

#endif
#endif
