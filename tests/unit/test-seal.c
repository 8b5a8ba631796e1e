/* SPDX-License-Identifier: MIT */
/*
 * dlazy_seal(): what is loaded goes on in a sandbox, all else is refused, and the
 * tables of stubs cannot be written to.
 */
#include "tests/unit/opened.h"
#include "tests/unit/world.h"

#include "stub/pool.h"
#include "stub/stub.h"

#include <dlazy/lifecycle.h>

#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

TEST(what_is_loaded_stays_usable)
{
	needs_stubs();
	struct dlazy_module *m = opened(test_plugin("good-plain-other"), 0);
	void *called = symbol_of(m, "plain_answer");

	CHECK_INT(dlazy_load(m), 0);
	CHECK_INT(dlazy_seal(), 0);
	CHECK_INT(dlazy_seal(), 0);
	CHECK_INT(call_int(called), 43);
	CHECK(symbol_of(m, "plain_answer") == called);
	/* One that was not asked for before. */
	CHECK(dlazy_sym(m, "plain_news") != NULL);
	CHECK(!stub_slot_of(dlazy_sym(m, "plain_news")));
}

TEST(a_later_touch_names_both_places)
{
	needs_stubs();
	struct dlazy_module *m =
		opened(test_plugin("good-plain-other"), DLAZY_DISCARD);
	void *stub = symbol_of(m, "plain_answer");

	(void)stub;
	CHECK_INT(dlazy_seal(), 0);
	CHECK_INT(dlazy_load(m), -DLAZY_EBUSY);
	const char *words = dlazy_error();
	CHECK_IN(words, "sealed");
	CHECK_IN(words, "has forbidden to load");
	CHECK_INT(dlazy_module_state(m), DLAZY_DECLARED);
	CHECK_INT(dlazy_forbid_loading(NULL), -DLAZY_EBUSY);
	CHECK_INT(dlazy_load(m), -DLAZY_EBUSY);
	CHECK(!dlazy_sym(m, "plain_news"));
	CHECK_INT(dlazy_last_status(), -DLAZY_EBUSY);
}

static int stand_in(void)
{
	return 7;
}

static void *replace(const struct dlazy_failure *failure, void *data)
{
	int_fn *fn = stand_in;
	void *address;

	(void)data;
	CHECK_IN(failure->message, "sealed");
	memcpy(&address, &fn, sizeof(address));
	return address;
}

TEST(a_hook_stands_in_for_each_call)
{
	needs_stubs();
	struct dlazy_module *m = opened(test_plugin("good-plain"), 0);
	void *stub = symbol_of(m, "plain_answer");

	CHECK_INT(dlazy_on_failure(m, replace, NULL), 0);
	CHECK_INT(dlazy_seal(), 0);
	CHECK_INT(call_int(stub), 7);
	CHECK_INT(call_int(stub), 7);
}

TEST(unload_reload_and_trim_are_refused)
{
	struct dlazy_registry *r = dlazy_registry_new();
	const char *path = own_copy("good-plain", "p.so");

	CHECK_INT(dlazy_registry_add_file(r, "p", path, DLAZY_DISCARD), 0);
	struct dlazy_module *m = dlazy_registry_find(r, "p");
	CHECK_INT(dlazy_load(m), 0);
	CHECK_INT(dlazy_registry_limit(r, 0, 1), 0);
	own_copy("good-plain-other", "new");
	CHECK_INT(rename(own_path("new"), path), 0);
	CHECK_INT(dlazy_seal(), 0);
	CHECK_INT(dlazy_unload(m), -DLAZY_EBUSY);
	CHECK_IN(dlazy_error(), "sealed");
	CHECK_INT(dlazy_reload(m), -DLAZY_EBUSY);
	CHECK_IN(dlazy_error(), "sealed");
	CHECK_INT(dlazy_registry_trim(r, 0), -DLAZY_EBUSY);
	CHECK_INT(dlazy_registry_trim(r, DLAZY_TRIM_PAGES), -DLAZY_EBUSY);
	CHECK_INT(dlazy_module_state(m), DLAZY_LOADED);
}

#ifdef POOL_BYTES
static void write_to_slot(void *slot)
{
	signal(SIGSEGV, SIG_DFL);
	*(void *volatile *)slot = NULL;
	_exit(0);
}

TEST(tables_cannot_be_written_to)
{
	needs_stubs();
	struct dlazy_module *m = opened(test_plugin("good-plain"), 0);
	void *slot = stub_slot_of(symbol_of(m, "plain_answer"));
	char said[512];

	CHECK_INT(dlazy_load(m), 0);
	CHECK_INT(dlazy_seal(), 0);
	int status = test_child(write_to_slot, slot, said, sizeof(said));
	CHECK(!WIFEXITED(status) || WEXITSTATUS(status) != 0);
}
#endif

static _Atomic(bool) is_over;

static void *call_always(void *stub)
{
	while (!is_over)
		CHECK_INT(call_int(stub), 42);
	return NULL;
}

/* Others are in the middle of their first calls. */
TEST(threads_call_while_it_is_sealed)
{
	needs_stubs();
	pthread_t threads[4];
	char file[16];
	void *stubs[4];

	for (int i = 0; i < 4; i++) {
		snprintf(file, sizeof(file), "p%d.so", i);
		struct dlazy_module *m =
			opened(own_copy("good-plain", file), 0);
		CHECK_INT(dlazy_load(m), 0);
		stubs[i] = symbol_of(m, "plain_answer");
	}
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, call_always, stubs[i]);
	CHECK_INT(dlazy_seal(), 0);
	usleep(1000);
	is_over = true;
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

/* ------------------------------------------------------------------ */
/* What has begun                                                     */

static _Atomic(int) inside; /* 1: a thread is in there; 2: it may go on */
static void *inner_stub;
static _Atomic(int) inner_answer;

static void wait_to_go_on(void)
{
	inside = 1;
	while (inside != 2)
		usleep(500);
}

static void wait_and_call(const char *path)
{
	(void)path;
	wait_to_go_on();
	inner_answer = call_int(inner_stub);
}

static void *load_it(void *m)
{
	return (void *)(intptr_t)dlazy_load(m);
}

static _Atomic(int) seals;

static void *seal_it(void *data)
{
	int status = dlazy_seal();

	(void)data;
	seals++;
	return (void *)(intptr_t)status;
}

static int joined(pthread_t thread)
{
	void *result;

	pthread_join(thread, &result);
	return (int)(intptr_t)result;
}

/* Seals by two threads, where `module` is not loaded and is refused at once, while
 * another thread is in the middle of something; lets that go on. */
static void seal_meanwhile(struct dlazy_module *module)
{
	pthread_t sealers[2];

	while (inside != 1)
		usleep(500);
	for (int i = 0; i < 2; i++)
		pthread_create(&sealers[i], NULL, seal_it, NULL);
	while (dlazy_forbid_loading(NULL) == 0)
		usleep(500); /* they have not begun */
	CHECK_INT(dlazy_load(module), -DLAZY_EBUSY);
	usleep(5000);
	CHECK_INT(seals, 0);
	inside = 2;
	for (int i = 0; i < 2; i++)
		CHECK_INT(joined(sealers[i]), 0);
}

TEST(a_load_that_has_begun_is_waited_for_and_gets_what_it_needs)
{
	needs_stubs();
	struct dlazy_module *m =
		opened(test_plugin("good-host-constructor"), 0);
	struct dlazy_module *inner = opened(test_plugin("good-plain"), 0);
	struct dlazy_module *late =
		opened(test_plugin("good-plain-other"), DLAZY_DISCARD);
	pthread_t loader;

	inner_stub = symbol_of(inner, "plain_answer");
	set_constructor(wait_and_call);
	pthread_create(&loader, NULL, load_it, m);
	seal_meanwhile(late);
	CHECK_INT(joined(loader), 0);
	CHECK_INT(inner_answer, 42);
	CHECK_INT(call_int(inner_stub), 42);
	CHECK_INT(dlazy_module_state(m), DLAZY_LOADED);
}

static void wait_in_a_destructor(void)
{
	wait_to_go_on();
}

static void *unload_it(void *m)
{
	return (void *)(intptr_t)dlazy_unload(m);
}

TEST(an_unload_that_has_begun_is_waited_for)
{
	char options[64];

	snprintf(options, sizeof(options), "-shared -fPIC -DWAIT=%p",
		 (void *)wait_in_a_destructor);
	world_compile("d.so",
		      "int f(void) { return 1; } __attribute__((destructor)) "
		      "static void end(void) { ((void (*)(void))WAIT)(); }",
		      options, "");
	struct dlazy_module *m = opened(own_path("d.so"), DLAZY_DISCARD);
	struct dlazy_module *late =
		opened(test_plugin("good-plain-other"), DLAZY_DISCARD);
	pthread_t unloader;

	CHECK_INT(dlazy_load(m), 0);
	pthread_create(&unloader, NULL, unload_it, m);
	seal_meanwhile(late);
	CHECK_INT(joined(unloader), 0);
	CHECK_INT(test_mapped("/d.so"), 0);
	CHECK_INT(dlazy_load(m), -DLAZY_EBUSY);
}

#ifdef POOL_BYTES
#pragma weak stub_slots /* there are none for a CPU without stubs */

TEST(a_seal_that_fails_changes_nothing_and_can_be_tried_again)
{
	needs_stubs();
	struct dlazy_module *m =
		opened(test_plugin("good-plain"), DLAZY_DISCARD);
	void *stub = symbol_of(m, "plain_answer");
	/* Of slots that were never given out. */
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	char *hole = (char *)stub_slots + POOL_BYTES - size;

	CHECK_INT(munmap(hole, size), 0);
	CHECK_INT(dlazy_seal(), -DLAZY_ENOMEM);
	CHECK_INT(dlazy_seal(), -DLAZY_ENOMEM);
	CHECK_INT(call_int(stub), 42);
	CHECK_INT(dlazy_unload(m), 0);
	CHECK_INT(call_int(stub), 42);
	CHECK(mmap(hole, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == hole);
	CHECK_INT(dlazy_seal(), 0);
	CHECK_INT(dlazy_unload(m), -DLAZY_EBUSY);
}
#endif

static void *load_and_unload(void *m)
{
	int status = 0;

	while (status == 0) {
		status = dlazy_load(m);
		if (status == 0)
			status = dlazy_unload(m);
	}
	return (void *)(intptr_t)status;
}

static unsigned long long unloads;

static void count_unloads(const struct dlazy_event *event, void *data)
{
	(void)data;
	if (event->kind == DLAZY_EVENT_UNLOADED)
		__atomic_fetch_add(&unloads, 1, __ATOMIC_SEQ_CST);
}

TEST(when_it_is_sealed_nothing_is_mapped_or_unmapped_any_more)
{
	struct dlazy_module *m[4];
	pthread_t threads[4];
	char file[16];

	CHECK_INT(dlazy_observe(count_unloads, NULL), 0);
	for (int i = 0; i < 4; i++) {
		snprintf(file, sizeof(file), "p%d.so", i);
		m[i] = opened(own_copy("good-plain", file), DLAZY_DISCARD);
		pthread_create(&threads[i], NULL, load_and_unload, m[i]);
	}
	while (__atomic_load_n(&unloads, __ATOMIC_SEQ_CST) < 20)
		usleep(500);
	CHECK_INT(dlazy_seal(), 0);
	unsigned long long then = __atomic_load_n(&unloads, __ATOMIC_SEQ_CST);
	int mapped = test_mapped("/p");
	for (int i = 0; i < 4; i++)
		CHECK_INT(joined(threads[i]), -DLAZY_EBUSY);
	CHECK_INT(test_mapped("/p"), mapped);
	CHECK(then == __atomic_load_n(&unloads, __ATOMIC_SEQ_CST));
}

#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define SANITIZED true
#endif
#endif
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

static bool is_sanitized(void)
{
	return SANITIZED;
}

static void in_a_sandbox(void *stub)
{
	if (chroot(test_directory()) < 0 && getuid() == 0)
		_exit(4);
	/* Only read, write, _exit and sigreturn from here on. */
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) < 0)
		_exit(4);
	int ok = call_int(stub) == 42;
	syscall(SYS_exit, ok ? 0 : 5);
}

TEST(host_goes_on_in_a_sandbox)
{
	needs_stubs();
	if (is_sanitized() || getenv("TEST_SLOW"))
		test_skip("sanitizers and valgrind make system calls of their "
			  "own");
	struct dlazy_module *m = opened(test_plugin("good-plain"), 0);
	void *stub = symbol_of(m, "plain_answer"); /* not called yet */
	char said[512];

	CHECK_INT(dlazy_load(m), 0);
	CHECK_INT(dlazy_seal(), 0);
	int status = test_child(in_a_sandbox, stub, said, sizeof(said));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 4)
		test_skip("no seccomp here");
	CHECK_INT(status, 0);
}
