/* SPDX-License-Identifier: MIT */
/*
 * Which slow path this x86-64 CPU and its kernel allow, and how much room it
 * needs: CPUID leaf 0xd (Intel SDM volume 1, chapter 13).
 */
#include "stub/slow-x86_64.h"

#include "stub/pool.h"

#include <cpuid.h>
#include <stdbool.h>

#define XSAVE_LEAF 0xd
#define XSAVE_LEGACY (512 + 64) /* legacy region and header */

size_t stub_save_size;

/* What the kernel has enabled. */
static unsigned enabled_state(void)
{
	unsigned low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low;
}

/* Room for either form of the area: components at their standard offsets, or
 * one after the other with the alignment that the compacted form may ask. */
static size_t save_size(void)
{
	unsigned state = enabled_state() & STUB_SAVE_MASK;
	size_t standard = XSAVE_LEGACY, compacted = XSAVE_LEGACY;

	for (unsigned i = 2; i < 8; i++) {
		unsigned size, offset, flags, d;

		if (!(state >> i & 1))
			continue;
		__cpuid_count(XSAVE_LEAF, i, size, offset, flags, d);
		if (offset + size > standard)
			standard = offset + size;
		if (flags & 2)
			compacted = (compacted + 63) & ~(size_t)63;
		compacted += size;
	}
	return standard > compacted ? standard : compacted;
}

void *stub_slow_entry(void)
{
	unsigned a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
		return (void *)stub_slow_sse;
	stub_save_size = save_size();
	if (__get_cpuid_count(XSAVE_LEAF, 1, &a, &b, &c, &d) && (a & 2))
		return (void *)stub_slow_xsavec;
	return (void *)stub_slow_xsave;
}
