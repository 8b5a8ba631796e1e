/* SPDX-License-Identifier: MIT */
/*
 * First calls and the allocator, which is this program's own here: it may call
 * lazy functions itself, so it must not be called under a lock, and where a
 * library is loaded already a first call needs it for nothing.
 */
#include "tests/unit/linked-stubs.h"

#include "base/lock.h"
#include "stub/linked.h"

#include <dlazy/lifecycle.h>

#include <errno.h>
#include <stdatomic.h>

#if !defined(__GLIBC__) || defined(__SANITIZE_ADDRESS__) || \
	defined(__SANITIZE_THREAD__)
TEST(allocator_of_the_program)
{
	test_skip("the allocator cannot be replaced here");
}
#else

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void __libc_free(void *old);

static bool is_watched;
static unsigned calls, calls_under_a_lock;
static int_fn *on_malloc;

static void watch(void)
{
	if (!is_watched)
		return;
	calls++;
	calls_under_a_lock += lock_held != 0;
	if (!on_malloc)
		return;
	int_fn *function = on_malloc;
	on_malloc = NULL; /* once */
	function();
}

void *malloc(size_t size)
{
	watch();
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	watch();
	return __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
	watch();
	return __libc_realloc(old, size);
}

void free(void *old)
{
	watch();
	__libc_free(old);
}

static int_fn *function_of(struct dlazy_module *m, const char *symbol)
{
	return (int_fn *)(uintptr_t)symbol_of(m, symbol);
}

static int watched(int_fn *function)
{
	calls = calls_under_a_lock = 0;
	is_watched = true;
	int result = function();
	is_watched = false;
	return result;
}

static int sum(void)
{
	return stub_sum(2, 40, 2);
}

static int where(void)
{
	return *stub_where();
}

TEST(first_call_allocates_nothing_when_the_library_is_loaded)
{
	needs_stubs();
	struct dlazy_module *m =
		opened(test_plugin("good-host-constructor"), 0);
	int_fn *ready = function_of(m, "host_ready");
	int_fn *runs = function_of(m, "host_runs");

	CHECK_INT(ready(), 1);
	CHECK_INT(watched(runs), 1);
	CHECK_INT(calls, 0);
}

TEST(first_call_of_a_linked_stub_allocates_nothing_then)
{
	linked_files(&linked_real, test_plugin("linked-real"), NULL);
	CHECK_INT(sum(), 42);
	CHECK_INT(watched(where), 42);
	CHECK_INT(calls, 0);
}

TEST(nor_does_one_with_a_version)
{
	linked_files(&linked_versions, test_plugin("good-versions"), NULL);
	int first = stub_v1();

	CHECK(watched(stub_v2) != first);
	CHECK_INT(calls, 0);
}

static void *replace(const struct dlazy_failure *failure, void *data)
{
	(void)failure;
	return data;
}

static int seven(void)
{
	return 7;
}

TEST(nothing_is_allocated_under_a_lock)
{
	needs_stubs();
	int_fn *ready = function_of(
		opened(test_plugin("good-host-constructor"), 0), "host_ready");
	int_fn *fails =
		function_of(opened(test_plugin("bad-missing-library"), 0),
			    "missing_answer");

	CHECK_INT(dlazy_on_failure(NULL, replace, (void *)(uintptr_t)seven), 0);
	CHECK_INT(watched(ready), 1);
	CHECK(calls > 0);
	CHECK_INT(calls_under_a_lock, 0);
	CHECK_INT(watched(fails), 7);
	CHECK(calls > 0);
	CHECK_INT(calls_under_a_lock, 0);
	CHECK_INT(watched(fails), 7);
	CHECK_INT(calls_under_a_lock, 0);
}

static void watch_event(const struct dlazy_event *event, void *data)
{
	(void)event;
	(void)data;
}

/* Its module is made by it, and what is told of it is remembered. */
TEST(nor_when_a_linked_library_is_found)
{
	linked_files(&linked_real, test_plugin("linked-real"), NULL);
	linked_files(&linked_host, test_plugin("good-host-constructor"), NULL);
	CHECK_INT(watched(sum), 42);
	CHECK(calls > 0);
	CHECK_INT(calls_under_a_lock, 0);
	CHECK_INT(dlazy_observe(watch_event, NULL), 0);
	CHECK_INT(watched(stub_ready), 1);
	CHECK(calls > 0);
	CHECK_INT(calls_under_a_lock, 0);
}

/* A replacement for its slot is kept, and freed. */
TEST(nor_when_a_linked_library_gets_installed)
{
	const char *path = own_path("p.so");

	linked_files(&linked_plain, path, NULL);
	CHECK_INT(dlazy_on_failure(NULL, replace, (void *)(uintptr_t)seven), 0);
	CHECK_INT(watched(stub_plain), 7);
	CHECK_INT(calls_under_a_lock, 0);
	test_copy(test_plugin("good-plain"), path);
	is_watched = true;
	CHECK_INT(dlazy_linked_load(&linked_plain), 0);
	is_watched = false;
	CHECK_INT(calls_under_a_lock, 0);
	CHECK_INT(stub_plain(), 42);
}

/* Another file is in its place by then, and read. */
TEST(nor_when_the_file_has_changed)
{
	needs_stubs();
	const char *path = own_copy("good-host-constructor", "p.so");
	int_fn *ready = function_of(opened(path, 0), "host_ready");

	CHECK_INT(rename(own_copy("good-host-constructor", "q.so"), path), 0);
	CHECK_INT(watched(ready), 1);
	CHECK(calls > 0);
	CHECK_INT(calls_under_a_lock, 0);
}

/* What it needs is looked for among the plugins of its registry, and others are to
 * be asked for their use at each load. */
TEST(nor_when_it_is_a_registrys)
{
	needs_stubs();
	struct dlazy_registry *r = dlazy_registry_new();

	CHECK_INT(dlazy_registry_add_file(r, "p",
					  test_plugin("good-host-constructor"),
					  DLAZY_DISCARD),
		  0);
	CHECK_INT(dlazy_registry_limit(r, 1, 0), 0);
	int_fn *ready = function_of(dlazy_registry_find(r, "p"), "host_ready");

	CHECK_INT(watched(ready), 1);
	CHECK(calls > 0);
	CHECK_INT(calls_under_a_lock, 0);
}

static int_fn *other;

static int call_other(void)
{
	return other();
}

/* Once for each of its calls: the library that it touches is loaded, but this
 * function of it is not bound. */
TEST(allocator_may_touch_another_module)
{
	needs_stubs();
	struct dlazy_module *m = opened(test_plugin("good-plain"), 0);

	other = function_of(m, "plain_answer");
	CHECK_INT(dlazy_load(m), 0);
	int_fn *ready = function_of(
		opened(test_plugin("good-host-constructor"), 0), "host_ready");
	on_malloc = call_other;
	CHECK_INT(watched(ready), 1);
	CHECK(on_malloc == NULL);
}

#endif
