/* SPDX-License-Identifier: MIT */
/*
 * Choosing how to save vector registers: which ways this x86-64 CPU and its
 * kernel allow, and how much room they need (CPUID leaf 0xd; Intel SDM volume
 * 1, chapter 13).
 *
 * Under a hypervisor each CPUID traps, at some 5 us, and the eight that are
 * needed would be a good part of a first call. So the dynamic linker is asked
 * where possible (glibc 2.33 on): it has executed them at start.
 *
 * All of this runs before vector registers are saved, so it is compiled to use
 * none, and no sanitizer may call anything from it.
 */
/* The headers' inline functions, too. */
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("general-regs-only"))), \
			     apply_to = function)
#else
#pragma GCC target("general-regs-only")
#endif

#include "stub/save-x86_64.h"

#include "base/array.h"

#include <cpuid.h>
#include <stdbool.h>

/* Standalone stubs (src/alone) run with any C library. */
#if !defined(DLAZY_ALONE) && __has_include(<sys/platform/x86.h>)
#include <sys/platform/x86.h>
#endif

#define XSAVE_LEAF 0xd
#define XSAVE_LEGACY (512 + 64) /* legacy region and header */

#define UNWATCHED                                                     \
	__attribute__((no_sanitize("thread"), no_sanitize("address"), \
		       no_sanitize("undefined")))

int stub_save_way;
size_t stub_save_size;

/* What the kernel has enabled. */
UNWATCHED static unsigned enabled_state(void)
{
	unsigned low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low;
}

/* Room for either form of the area: components at their standard offsets, or
 * one after the other with the alignment that the compacted form may ask. */
UNWATCHED static size_t save_size(void)
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

#ifdef CPU_FEATURE_ACTIVE
UNWATCHED static bool linker_has_xsavec(void)
{
	return CPU_FEATURE_ACTIVE(OSXSAVE) && CPU_FEATURE_ACTIVE(XSAVEC);
}
#else
UNWATCHED static bool linker_has_xsavec(void)
{
	return false;
}
#endif

/* Of the compacted form, which is all that xsavec writes: components one after
 * the other. Each is as large as its registers (SDM volume 1, 13.5), and so
 * each begins at a multiple of 64, whether it must or not. */
UNWATCHED static size_t compacted_size(void)
{
	static const struct {
		unsigned component, size;
	} all[] = {
		{2, 16 * 16}, /* upper halves of ymm0-15 */
		{5, 8 * 8},   /* k0-7 */
		{6, 16 * 32}, /* upper halves of zmm0-15 */
		{7, 16 * 64}, /* zmm16-31 */
	};
	unsigned state = enabled_state() & STUB_SAVE_MASK;
	size_t size = XSAVE_LEGACY;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (state >> all[i].component & 1)
			size += all[i].size;
	return size;
}

UNWATCHED static int choose(size_t *ret_size)
{
	unsigned a, b, c, d;

	if (linker_has_xsavec()) {
		*ret_size = compacted_size();
		return STUB_SAVE_XSAVEC;
	}
	*ret_size = 16 * 16;
	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
		return STUB_SAVE_SSE;
	*ret_size = save_size();
	if (__get_cpuid_count(XSAVE_LEAF, 1, &a, &b, &c, &d) && (a & 2))
		return STUB_SAVE_XSAVEC;
	return STUB_SAVE_XSAVE;
}

UNWATCHED int stub_save_choose(void)
{
	size_t size;
	int way = choose(&size);

	/* In this order: who sees the way uses the size. */
	__atomic_store_n(&stub_save_size, size, __ATOMIC_RELAXED);
	__atomic_store_n(&stub_save_way, way, __ATOMIC_RELEASE);
	return way;
}

#ifdef __clang__
#pragma clang attribute pop
#endif
