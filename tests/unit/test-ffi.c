/* SPDX-License-Identifier: MIT */
/*
 * src/ffi: calls and closures through libffi, results of each width.
 */
#include "ffi/ffi.h"
#include "tests/test.h"

#include <dlazy/dlazy.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>

static int8_t minus_one(void)
{
	return -1;
}

static uint16_t add_short(uint16_t a, uint16_t b)
{
	return (uint16_t)(a + b);
}

static float half(float x)
{
	return x / 2;
}

static long double sum(int n, ...)
{
	long double total = 0;
	va_list args;

	va_start(args, n);
	for (int i = 0; i < n; i++)
		total += va_arg(args, double);
	va_end(args);
	return total;
}

static const char *second(const char *a, const char *b)
{
	(void)a;
	return b;
}

TEST(small_results_fill_exactly_their_type)
{
	struct {
		int8_t value;
		uint8_t after[15];
	} byte = {0, {0}};
	struct {
		uint16_t value;
		uint16_t after;
	} word = {0, 0x5555};
	void *args[] = {&(uint16_t){65535}, &(uint16_t){3}};

	memset(byte.after, 0x55, sizeof(byte.after));
	CHECK_INT(dlazy_ffi_call((void *)minus_one, "b()", &byte, NULL), 0);
	CHECK(byte.value == -1 && byte.after[0] == 0x55);
	CHECK_INT(dlazy_ffi_call((void *)add_short, "H(HH)", &word, args), 0);
	CHECK(word.value == 2 && word.after == 0x5555);
}

TEST(floats_variadic_and_strings_are_passed)
{
	float f = 0;
	long double total = 0;
	const char *s = NULL;
	void *args[] = {&(float){3}};
	void *many[] = {&(int){2}, &(double){1.5}, &(double){2.5}};
	void *strings[] = {&(const char *){"a"}, &(const char *){"b"}};

	CHECK_INT(dlazy_ffi_call((void *)half, "f(f)", &f, args), 0);
	CHECK(f == 1.5f);
	CHECK_INT(dlazy_ffi_call((void *)sum, "D(i.dd)", &total, many), 0);
	CHECK(total == 4);
	CHECK_INT(dlazy_ffi_call((void *)second, "s(ss)", &s, strings), 0);
	CHECK_STR(s, "b");
}

TEST(wrong_signature_calls_nothing)
{
	CHECK_INT(dlazy_ffi_call(NULL, "i(", NULL, NULL), -DLAZY_EINVAL);
	CHECK_INT(dlazy_ffi_call(NULL, "i(i)", NULL, NULL), -DLAZY_EINVAL);
}

static void *give(void *owner, const void *caller)
{
	void **function = owner;

	(void)caller;
	errno = EIO;
	return *function;
}

TEST(closure_asks_at_each_call_and_passes_arguments)
{
	void *target = (void *)half, *code = NULL;
	float (*call)(float);

	CHECK_INT(dlazy_ffi_closure("f(f)", give, &target, &code), 0);
	memcpy(&call, &code, sizeof(call));
	errno = 0;
	CHECK(call(5) == 2.5f);
	CHECK_INT(errno, 0);
}

TEST(closure_returns_small_results)
{
	void *target = (void *)minus_one, *code = NULL;
	int8_t (*call)(void);

	CHECK_INT(dlazy_ffi_closure("b()", give, &target, &code), 0);
	memcpy(&call, &code, sizeof(call));
	CHECK_INT(call(), -1);
}

TEST(closure_of_a_wrong_signature_is_refused)
{
	void *code = NULL;

	CHECK_INT(dlazy_ffi_closure("f", give, NULL, &code), -DLAZY_EINVAL);
	CHECK(code == NULL);
}
