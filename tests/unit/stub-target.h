/* SPDX-License-Identifier: MIT */
/*
 * What the tests of stubs call: a stub whose owner is the function itself. The
 * miss function stands for a dlopen with constructors: it changes errno and
 * every register that a C function may change.
 */
#ifndef TESTS_UNIT_STUB_TARGET_H
#define TESTS_UNIT_STUB_TARGET_H

#include "tests/test.h"

#ifdef __cplusplus
extern "C" {
#endif

struct slot;

struct target {
	void *function;
};

/* As stub_miss_fn, whose header C++ cannot read, but does not fail. */
typedef void *target_miss_fn(struct slot *slot, const void *caller);

/* What target_missed goes on to; target_find unless a test sets another. */
extern target_miss_fn *target_miss;

/* How often a slow path was taken. */
extern int target_misses;

/* The miss function of all stubs here. */
struct stub_failure;
void *target_missed(struct slot *slot, const void *caller,
		    struct stub_failure *ret);

/* Publishes and returns the owner's function. */
void *target_find(struct slot *slot, const void *caller);

/* A new stub that leads to `function`: a run-time stub, or, in linked tests,
 * one of eight linked ones. */
void *target_stub(void *function);
extern bool target_is_linked;

/* The stub's next call takes the slow path again. */
void target_arm(void *code);

/* A test of either kind of stub. */
#define TEST_BOTH(test_name)                \
	static void test_name##_both(void); \
	TEST(test_name)                     \
	{                                   \
		test_name##_both();         \
	}                                   \
	TEST(test_name##_linked)            \
	{                                   \
		target_is_linked = true;    \
		test_name##_both();         \
	}                                   \
	static void test_name##_both(void)

/* Overwrites every vector register that a function may overwrite. */
void target_clobber(void);

#ifdef __cplusplus
}
#endif

#endif
