/* SPDX-License-Identifier: MIT */
/*
 * What only x86-64 has: the count of vector arguments in al, the static chain
 * in r10, vector registers as wide as the CPU's, three slow paths, MXCSR.
 */
#include "tests/unit/stub-registers-x86_64.h"
#include "tests/unit/stub-target.h"

#include "stub/pool.h"
#include "stub/save-x86_64.h"
#include "stub/stub.h"

#include <cpuid.h>
#include <immintrin.h>

struct registers registers_seen;

TEST_BOTH(count_of_vector_arguments_arrives)
{
	int (*f)(int, ...) = (int (*)(int, ...))target_stub(registers_al);

	CHECK_INT(f(0, 1.0, 2.0, 3.0), 3);
	target_arm((void *)f);
	CHECK_INT(f(0, 1, 2), 0);
	CHECK_INT(target_misses, 2);
}

TEST_BOTH(static_chain_arrives)
{
	void *code = target_stub((void *)registers_r10);
	int frame;

	for (int i = 0; i < 2; i++)
		CHECK(registers_call_chain(&frame, code) == &frame);
	CHECK_INT(target_misses, 1);
}

__attribute__((target("avx"))) static __m256 twice256(__m256 a, __m256 b)
{
	return _mm256_add_ps(a, _mm256_add_ps(b, b));
}

__attribute__((target("avx"), noinline)) static void check256(void)
{
	float out[8];
	__m256 (*f)(__m256, __m256) =
		(__m256(*)(__m256, __m256))target_stub(twice256);

	for (int i = 0; i < 2; i++) {
		_mm256_storeu_ps(out, f(_mm256_set1_ps(2),
					_mm256_set_ps(1, 2, 3, 4, 5, 6, 7, 8)));
		for (int k = 0; k < 8; k++)
			CHECK(out[k] == 2 + 2 * (8 - (float)k));
	}
}

TEST_BOTH(m256_arguments_arrive)
{
	if (!__builtin_cpu_supports("avx"))
		test_skip("this CPU has no AVX");
	check256();
}

__attribute__((target("avx512f"))) static __m512d twice512(__m512d a, __m512d b)
{
	return _mm512_add_pd(a, _mm512_add_pd(b, b));
}

__attribute__((target("avx512f"), noinline)) static void check512(void)
{
	double out[8];
	__m512d (*f)(__m512d, __m512d) =
		(__m512d(*)(__m512d, __m512d))target_stub(twice512);

	for (int i = 0; i < 2; i++) {
		_mm512_storeu_pd(out, f(_mm512_set1_pd(2),
					_mm512_set_pd(1, 2, 3, 4, 5, 6, 7, 8)));
		for (int k = 0; k < 8; k++)
			CHECK(out[k] == 2 + 2 * (8 - (double)k));
	}
}

TEST_BOTH(m512_arguments_arrive)
{
	if (!__builtin_cpu_supports("avx512f"))
		test_skip("this CPU has no AVX-512");
	check512();
}

struct width {
	void (*call)(const struct registers *registers, void *code);
	void (*store)(void);
	int vectors, bytes, masks;
};

static const struct width sse = {registers_call_sse, registers_store_sse, 16,
				 16, 0};
static const struct width avx = {registers_call_avx, registers_store_avx, 16,
				 32, 0};
static const struct width avx512 = {registers_call_avx512,
				    registers_store_avx512, 32, 64, 8};

static const struct width *widest(void)
{
	if (__builtin_cpu_supports("avx512bw"))
		return &avx512;
	return __builtin_cpu_supports("avx") ? &avx : &sse;
}

static void fill(struct registers *registers)
{
	unsigned char *bytes = (unsigned char *)registers;

	for (size_t i = 0; i < sizeof(*registers); i++)
		bytes[i] = (unsigned char)(i * 167 + (i >> 8) + 1);
}

static void check_seen(const struct registers *sent, const struct width *width)
{
	static const char *const names[] = {"rax", "rdi", "rsi", "rdx",
					    "rcx", "r8",  "r9",	 "r10"};

	for (int i = 0; i < 8; i++)
		if (registers_seen.general[i] != sent->general[i])
			test_fail(__FILE__, __LINE__, "%s is lost", names[i]);
	for (int i = 0; i < width->masks; i++)
		if (registers_seen.mask[i] != sent->mask[i])
			test_fail(__FILE__, __LINE__, "k%d is lost", i);
	for (int i = 0; i < width->vectors; i++)
		if (memcmp(registers_seen.vector[i], sent->vector[i],
			   (size_t)width->bytes) != 0)
			test_fail(__FILE__, __LINE__, "vector %d is lost", i);
}

/* Room for any way. */
static void take_way(int way)
{
	stub_save_size = 8192;
	stub_save_way = way;
}

/* The first call keeps registers in that way, the second needs not. */
static void check_slow_path(int way, const struct width *width)
{
	static struct registers sent;
	void *code = target_stub((void *)width->store);

	take_way(way);
	fill(&sent);
	for (int i = 0; i < 2; i++) {
		memset(&registers_seen, 0, sizeof(registers_seen));
		width->call(&sent, code);
		check_seen(&sent, width);
	}
	CHECK_INT(target_misses, 1);
}

TEST_BOTH(slow_path_with_xsavec_keeps_every_register)
{
	if (stub_save_choose() != STUB_SAVE_XSAVEC)
		test_skip("no xsavec here");
	check_slow_path(STUB_SAVE_XSAVEC, widest());
}

/* Of their own, so that it is seen where there are none. */
TEST_BOTH(slow_path_with_xsavec_keeps_zmm16_to_zmm31)
{
	if (stub_save_choose() != STUB_SAVE_XSAVEC || widest() != &avx512)
		test_skip("no AVX-512 here");
	check_slow_path(STUB_SAVE_XSAVEC, &avx512);
}

TEST_BOTH(slow_path_with_xsave_keeps_every_register)
{
	if (stub_save_choose() == STUB_SAVE_SSE)
		test_skip("no xsave here");
	check_slow_path(STUB_SAVE_XSAVE, widest());
}

TEST_BOTH(slow_path_with_sse_keeps_every_register)
{
	check_slow_path(STUB_SAVE_SSE, &sse);
}

/* Of all vectors: they are not safe yet while the way is chosen. */
TEST_BOTH(choice_of_the_way_keeps_every_register)
{
	check_slow_path(STUB_SAVE_UNKNOWN, widest());
	CHECK_INT(stub_save_way, stub_save_choose());
}

/* The standard form of the area is what CPUID leaf 0xd says for the whole of
 * XCR0; ours leaves out what carries no argument. */
TEST(save_area_holds_what_is_enabled)
{
	unsigned a, b, c, d;

	if (stub_save_choose() == STUB_SAVE_SSE)
		test_skip("no xsave here");
	__cpuid_count(0xd, 0, a, b, c, d);
	CHECK(stub_save_size <= b);
	CHECK(stub_save_size >= 512u + 64u + (a & 4 ? 256u : 0u));
	CHECK(!(a & 0x80) || stub_save_size >= 576 + 256 + 64 + 512 + 1024);
}

#define FLUSH_TO_ZERO 0x8040 /* and denormals are zero */

static void *miss_that_sets_mode(struct slot *slot, const void *caller)
{
	_mm_setcsr(_mm_getcsr() | FLUSH_TO_ZERO);
	return target_find(slot, caller);
}

static unsigned read_mode(void)
{
	return _mm_getcsr();
}

/* Valgrind knows the rounding of MXCSR and no more. */
static void need_modes(void)
{
	unsigned before = _mm_getcsr();

	_mm_setcsr(before | FLUSH_TO_ZERO);
	if (!(_mm_getcsr() & FLUSH_TO_ZERO))
		test_skip("MXCSR cannot be set here");
	_mm_setcsr(before);
}

static void check_mode(int way)
{
	void *code = target_stub((void *)read_mode);
	unsigned before = _mm_getcsr();

	take_way(way);
	CHECK_INT(((unsigned (*)(void))code)() & FLUSH_TO_ZERO, FLUSH_TO_ZERO);
	CHECK_INT(_mm_getcsr() & FLUSH_TO_ZERO, FLUSH_TO_ZERO);
	_mm_setcsr(before);
}

TEST_BOTH(mode_set_by_a_constructor_stays)
{
	int best = stub_save_choose();

	need_modes();
	target_miss = miss_that_sets_mode;
	check_mode(STUB_SAVE_SSE);
	if (best != STUB_SAVE_SSE)
		check_mode(STUB_SAVE_XSAVE);
	if (best == STUB_SAVE_XSAVEC)
		check_mode(STUB_SAVE_XSAVEC);
}

/* xsavec leaves out a state in its initial configuration, and xrstor then sets
 * MXCSR to its default whatever the area says. */
TEST_BOTH(mode_set_by_a_constructor_stays_with_vectors_in_initial_state)
{
	static struct {
		unsigned char legacy[512];
		unsigned char rest[4096];
	} __attribute__((aligned(64))) area;
	unsigned mode = 0x1f80;
	void *code = target_stub((void *)read_mode);

	if (stub_save_choose() == STUB_SAVE_SSE)
		test_skip("no xsave here");
	need_modes();
	memcpy(area.legacy + 24, &mode, sizeof(mode));
	target_miss = miss_that_sets_mode;
	mode = registers_call_restored(&area, code);
	CHECK_INT(mode & FLUSH_TO_ZERO, FLUSH_TO_ZERO);
}

/* Another calling convention, in which xmm6-15, rdi and rsi belong to the
 * caller. */
__attribute__((ms_abi)) static double ms_sum(double a, long b, double c, long d,
					     double e)
{
	return a + (double)b + c + (double)d + e;
}

TEST_BOTH(microsoft_convention_works)
{
	double (*f)(double, long, double, long, double)
		__attribute__((ms_abi)) = (void *)target_stub((void *)ms_sum);
	volatile double kept = 7;

	CHECK(f(1, 2, 3, 4, 5) * kept == 105);
	CHECK(f(1, 2, 3, 4, 5) * kept == 105);
	CHECK_INT(target_misses, 1);
}

TEST(every_stub_may_be_branched_to)
{
	for (size_t i = 0; i < POOL_BYTES; i += STUB_SIZE)
		CHECK(memcmp(stub_pool + i, "\xf3\x0f\x1e\xfa", 4) == 0);
}
