/* SPDX-License-Identifier: MIT */
/*
 * One behaviour, one test, one process. A test is a function whose name is a
 * sentence; the runner (tests/test.c) forks for each, limits its time, checks
 * that it leaves no descriptor open, and prints TAP.
 *
 *   TEST(second_open_returns_same_module) { CHECK(a == b); }
 *
 * Why not cmocka or Criterion: the same programs run under qemu-user, ASan,
 * TSan and valgrind, where Criterion's sandbox does not, and cmocka has no
 * process per test; what is left is these lines.
 */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

struct test {
	const char *name;
	void (*run)(void);
	unsigned seconds; /* time limit, see TEST_SECONDS */
	struct test *next;
};

void test_register(struct test *test);

/* The test is over: prints what and where, exits. */
void test_fail(const char *file, int line, const char *format, ...)
	__attribute__((noreturn, format(printf, 3, 4)));

/* It cannot be done here, for this reason; exits. */
void test_skip(const char *format, ...)
	__attribute__((noreturn, format(printf, 1, 2)));

/* Skips what does not come back from the dlopen that it called: an exception of
 * a constructor, a child that one forked. ThreadSanitizer of gcc 14 leaves out
 * what happens inside, and fails a process that ends there, as it sees it. */
void test_leaves_dlopen(void);

/* A directory of this test's own, emptied afterwards; absolute. */
const char *test_directory(void);

/* The path of a test plugin (tests/fixtures/NAME.c, built as NAME.so);
 * static storage, up to 16 at a time. */
const char *test_plugin(const char *name);

/* Copies a file; fails the test if it cannot. */
void test_copy(const char *from, const char *to);

/* How many lines of /proc/self/maps contain `text`. */
int test_mapped(const char *text);

/* Runs fn in a forked child with standard error going to `output`; returns
 * its wait status. */
int test_child(void (*fn)(void *), void *data, char *output, size_t size);

/* Seconds on a plain build, as many times longer as this one is slower (a
 * sanitizer, valgrind): for alarm() in a child that may hang. */
unsigned test_seconds(unsigned seconds);

/* How many of a sweep's `whole` rounds to do: a tenth, or all where TEST_DEEP is
 * set, as by `./bootstrap check-deep`. */
unsigned test_rounds(unsigned whole);

/* Skips what reads every file of the machine where that takes many times as long
 * (TEST_SLOW), unless TEST_DEEP is set. */
void test_reads_the_machine(void);

/*
 * A time limit is ten times what the test needs on a quick machine: machines
 * differ threefold, and other tests run beside it. TEST_TIMES=1 shows the need.
 * What a sanitizer or valgrind adds is not part of it.
 */
#define TEST_SECONDS(test_name, limit)                                      \
	static void test_name(void);                                        \
	__attribute__((constructor)) static void test_name##_register(void) \
	{                                                                   \
		static struct test self = {#test_name, test_name, limit,    \
					   NULL};                           \
		test_register(&self);                                       \
	}                                                                   \
	static void test_name(void)

#define TEST(test_name) TEST_SECONDS(test_name, 60)

#define CHECK(x)                                                 \
	do {                                                     \
		if (!(x))                                        \
			test_fail(__FILE__, __LINE__, "%s", #x); \
	} while (0)

#define CHECK_INT(a, b)                                                    \
	do {                                                               \
		long long a_ = (long long)(a), b_ = (long long)(b);        \
		if (a_ != b_)                                              \
			test_fail(__FILE__, __LINE__,                      \
				  "%s is %lld, not %s = %lld", #a, a_, #b, \
				  b_);                                     \
	} while (0)

#define CHECK_STR(a, b)                                                    \
	do {                                                               \
		const char *a_ = (a), *b_ = (b);                           \
		if (!a_ || !b_ || strcmp(a_, b_))                          \
			test_fail(__FILE__, __LINE__,                      \
				  "%s is \"%s\", not \"%s\"", #a,          \
				  a_ ? a_ : "(null)", b_ ? b_ : "(null)"); \
	} while (0)

/* `part` is in `text`. */
#define CHECK_IN(text, part)                                                 \
	do {                                                                 \
		const char *a_ = (text), *b_ = (part);                       \
		if (!a_ || !strstr(a_, b_))                                  \
			test_fail(__FILE__, __LINE__, "\"%s\" lacks \"%s\"", \
				  a_ ? a_ : "(null)", b_);                   \
	} while (0)

#ifdef __cplusplus
}
#endif

#endif
