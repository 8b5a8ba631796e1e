/* SPDX-License-Identifier: MIT */
/*
 * dlazy_seal(): what is loaded goes on in a sandbox, all else is refused, and the
 * tables of stubs cannot be written to.
 */
#include "tests/unit/opened.h"

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
