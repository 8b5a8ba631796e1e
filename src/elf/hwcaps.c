/* SPDX-License-Identifier: MIT */
/*
 * Which glibc-hwcaps subdirectories this CPU can use: the levels of the x86-64
 * psABI, as in glibc's sysdeps/x86_64/dl-hwcaps_subdirs.c. AArch64 and RISC-V
 * have no such directories; those of POWER and S/390 are not searched, so
 * there the plain library is found.
 *
 * Asking the CPU needs its own instruction. This is the one #ifdef for a CPU
 * outside src/stub/, as this layer may not include that one.
 */
#include "elf/hwcaps.h"

#include <stddef.h>

#ifdef __x86_64__
#include <cpuid.h>
#include <stdbool.h>
#include <stdint.h>

/* Which registers the kernel saves: bits of XCR0. */
#define XCR0_AVX 0x06u
#define XCR0_AVX512 0xe6u

struct cpu {
	unsigned basic;	   /* leaf 1, ecx */
	unsigned more;	   /* leaf 7, ebx */
	unsigned extended; /* leaf 0x80000001, ecx */
	unsigned saved;	   /* XCR0 */
};

static struct cpu ask_cpu(void)
{
	struct cpu cpu = {0};
	unsigned a, b, c, d;

	if (__get_cpuid(1, &a, &b, &c, &d))
		cpu.basic = c;
	if (__get_cpuid_count(7, 0, &a, &b, &c, &d))
		cpu.more = b;
	if (__get_cpuid(0x80000001, &a, &b, &c, &d))
		cpu.extended = c;
	if (cpu.basic & bit_OSXSAVE)
		__asm__("xgetbv" : "=a"(cpu.saved), "=d"(d) : "c"(0));
	return cpu;
}

static bool all(unsigned have, unsigned want)
{
	return (have & want) == want;
}

static unsigned level_of(const struct cpu *cpu)
{
	if (!all(cpu->basic, bit_SSE3 | bit_SSSE3 | bit_CMPXCHG16B |
				     bit_SSE4_1 | bit_SSE4_2 | bit_POPCNT) ||
	    !all(cpu->extended, bit_LAHF_LM))
		return 1;
	if (!all(cpu->basic, bit_AVX | bit_F16C | bit_FMA | bit_MOVBE) ||
	    !all(cpu->more, bit_AVX2 | bit_BMI | bit_BMI2) ||
	    !all(cpu->extended, bit_LZCNT) || !all(cpu->saved, XCR0_AVX))
		return 2;
	if (!all(cpu->more, bit_AVX512F | bit_AVX512BW | bit_AVX512CD |
				    bit_AVX512DQ | bit_AVX512VL) ||
	    !all(cpu->saved, XCR0_AVX512))
		return 3;
	return 4;
}

const char *const *hwcaps_active(void)
{
	static const char *const names[] = {"x86-64-v4", "x86-64-v3",
					    "x86-64-v2", NULL};
	struct cpu cpu = ask_cpu();

	return names + (4 - level_of(&cpu));
}

#else

const char *const *hwcaps_active(void)
{
	static const char *const none[] = {NULL};

	return none;
}

#endif
