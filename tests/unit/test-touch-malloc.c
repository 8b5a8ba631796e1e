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
#include <sys/stat.h>

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

/* ------------------------------------------------------------------ */
/* Not in a first call: an allocator with a lock of its own, which a first call of
 * another thread holds, must not be waited for by who has the lock that this call
 * needs. */

static int open_twice(void)
{
	struct dlazy_module *m = dlazy_open(own_path("d/p.so"), 0);

	CHECK(m != NULL);
	CHECK(dlazy_open(own_path("e/p.so"), 0) == m);
	CHECK_INT(dlazy_close(m), 0);
	return dlazy_close(m);
}

TEST(nor_when_a_file_is_opened_by_two_paths)
{
	CHECK_INT(mkdir(own_path("d"), 0755), 0);
	CHECK_INT(mkdir(own_path("e"), 0755), 0);
	test_copy(test_plugin("good-plain"), own_path("d/p.so"));
	CHECK_INT(link(own_path("d/p.so"), own_path("e/p.so")), 0);
	CHECK_INT(watched(open_twice), 0);
	CHECK(calls > 0);
	CHECK_INT(calls_under_a_lock, 0);
}

static struct dlazy_module *watched_module;

static int bind_and_unbind(void)
{
	int_fn *pointer;
	const struct dlazy_import import = {"plain_answer", (void **)&pointer,
					    "i()"};

	CHECK_INT(dlazy_bind(watched_module, &import, 1), 0);
	CHECK_INT(dlazy_bind(watched_module, &import, 1), 0);
	CHECK_INT(dlazy_unbind(watched_module, &import, 1), 0);
	CHECK(dlazy_sym(watched_module, "absent") == NULL);
	return dlazy_prefetch(watched_module);
}

TEST(nor_when_a_symbol_is_bound)
{
	watched_module = opened(test_plugin("good-plain"), 0);
	CHECK_INT(watched(bind_and_unbind), 0);
	CHECK(calls > 0);
	CHECK_INT(calls_under_a_lock, 0);
}

static int look_on(void)
{
	CHECK_INT(dlazy_observe(watch_event, NULL), 0);
	CHECK_INT(dlazy_observe(watch_event, &calls), 0);
	CHECK_INT(dlazy_unobserve(watch_event, NULL), 0);
	return dlazy_unobserve(watch_event, &calls);
}

TEST(nor_when_an_observer_comes_and_goes)
{
	CHECK_INT(watched(look_on), 0);
	CHECK(calls > 0);
	CHECK_INT(calls_under_a_lock, 0);
}

static int reload(void)
{
	CHECK_INT(dlazy_reload(watched_module), 0);
	return dlazy_unload(watched_module);
}

TEST(nor_when_a_module_is_reloaded_and_unloaded)
{
	const char *path = own_copy("good-plain", "p.so");

	watched_module = opened(path, DLAZY_DISCARD);
	CHECK_INT(dlazy_load(watched_module), 0);
	CHECK_INT(rename(own_copy("good-plain", "q.so"), path), 0);
	CHECK_INT(watched(reload), 0);
	CHECK(calls > 0);
	CHECK_INT(calls_under_a_lock, 0);
}

static int seal(void)
{
	return dlazy_seal();
}

TEST(nor_when_the_process_is_sealed)
{
	opened(test_plugin("good-plain"), 0);
	CHECK_INT(watched(seal), 0);
	CHECK(calls > 0);
	CHECK_INT(calls_under_a_lock, 0);
}

#endif
