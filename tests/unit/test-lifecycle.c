/* SPDX-License-Identifier: MIT */
/*
 * What a host has done around a module's load: dlazy_on_load().
 */
#include "tests/unit/opened.h"
#include "tests/unit/world.h"

#include <dlazy/lifecycle.h>

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static struct {
	atomic_int calls, inside;
	int returned, state, answer;
	const char *symbol;
} after;

/* After the load: what there is to see. */
static int note_load(struct dlazy_module *m, void *data)
{
	(void)data;
	CHECK_INT(atomic_fetch_add(&after.inside, 1), 0);
	after.calls++;
	after.state = (int)dlazy_module_state(m);
	if (after.symbol)
		after.answer = call_int(dlazy_sym(m, after.symbol));
	usleep(50000);
	after.inside--;
	return after.returned;
}

static struct dlazy_module *plain(int flags)
{
	return opened(test_plugin("good-plain"), flags);
}

TEST(on_load_is_called_once_before_the_first_call)
{
	needs_stubs();
	struct dlazy_module *m = plain(0);
	void *stub = symbol_of(m, "plain_answer");

	after.symbol = "plain_answer";
	CHECK_INT(dlazy_on_load(m, note_load, NULL), 0);
	CHECK_INT(after.calls, 0);
	CHECK_INT(call_int(stub), 42);
	CHECK_INT(call_int(stub), 42);
	CHECK_INT(after.calls, 1);
	CHECK_INT(after.answer, 42); /* its own calls go in */
	CHECK_INT(after.state, DLAZY_LOADING);
	CHECK_INT(dlazy_module_state(m), DLAZY_LOADED);
}

TEST(a_load_that_on_load_refuses_has_failed)
{
	struct dlazy_module *m = plain(0);

	after.returned = -DLAZY_EPOLICY;
	CHECK_INT(dlazy_on_load(m, note_load, NULL), 0);
	CHECK_INT(dlazy_load(m), -DLAZY_EPOLICY);
	CHECK_IN(dlazy_error(),
		 "good-plain.so: a function that is called after "
		 "its load (dlazy_on_load()) has failed: ");
	CHECK_INT(dlazy_module_state(m), DLAZY_FAILED);
	CHECK(!dlazy_resolve(m, "plain_answer")); /* remembered */
	CHECK_INT(after.calls, 1);

	after.returned = 0;
	CHECK_INT(dlazy_load(m), 0);
	CHECK_INT(after.calls, 2);
}

TEST(on_load_of_what_is_loaded_is_called_at_once)
{
	struct dlazy_module *m = plain(DLAZY_EAGER);

	CHECK_INT(dlazy_on_load(m, note_load, NULL), 0);
	CHECK_INT(after.calls, 1);
	after.returned = -DLAZY_EIO;
	CHECK_INT(dlazy_on_load(m, note_load, NULL), -DLAZY_EIO);
	CHECK_INT(dlazy_module_state(m), DLAZY_LOADED);
}

TEST(on_load_is_called_after_each_load)
{
	struct dlazy_module *m = plain(DLAZY_DISCARD);

	CHECK_INT(dlazy_on_load(m, note_load, NULL), 0);
	CHECK_INT(dlazy_load(m), 0);
	CHECK_INT(dlazy_unload(m), 0);
	CHECK_INT(dlazy_load(m), 0);
	CHECK_INT(after.calls, 2);
}

TEST(on_load_ends_with_null_and_with_the_last_close)
{
	struct dlazy_module *m = plain(0);

	CHECK_INT(dlazy_on_load(m, note_load, NULL), 0);
	CHECK_INT(dlazy_on_load(m, NULL, NULL), 0);
	CHECK_INT(dlazy_load(m), 0);
	CHECK_INT(after.calls, 0);

	m = opened(own_copy("good-plain", "other.so"), 0);
	CHECK_INT(dlazy_on_load(m, note_load, NULL), 0);
	CHECK_INT(dlazy_close(m), 0);
	m = opened(own_path("other.so"), 0);
	CHECK_INT(dlazy_load(m), 0);
	CHECK_INT(after.calls, 0);
}

TEST(on_load_of_no_module_is_an_error)
{
	CHECK_INT(dlazy_on_load(NULL, note_load, NULL), -DLAZY_EINVAL);
	CHECK_IN(dlazy_error(), "dlazy_on_load");
}

/* ------------------------------------------------------------------ */
/* Threads                                                            */

#define THREADS 8

static pthread_barrier_t start;

static void *load_it(void *m)
{
	pthread_barrier_wait(&start);
	return (void *)(intptr_t)dlazy_load(m);
}

/* Has all threads load it at once; adds what they were told. */
static int load_together(struct dlazy_module *m)
{
	pthread_t threads[THREADS];
	int sum = 0;

	pthread_barrier_init(&start, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		CHECK_INT(pthread_create(&threads[i], NULL, load_it, m), 0);
	for (int i = 0; i < THREADS; i++) {
		void *result;
		pthread_join(threads[i], &result);
		sum += (int)(intptr_t)result;
	}
	return sum;
}

TEST(threads_that_load_together_wait_for_one_on_load)
{
	struct dlazy_module *m = plain(0);

	CHECK_INT(dlazy_on_load(m, note_load, NULL), 0);
	CHECK_INT(load_together(m), 0);
	CHECK_INT(after.calls, 1);
}

static void *call_it(void *stub)
{
	return (void *)(intptr_t)call_int(stub);
}

static int join_one_that_calls(struct dlazy_module *m, void *data)
{
	pthread_t thread;
	void *answer;

	(void)m;
	CHECK_INT(pthread_create(&thread, NULL, call_it, data), 0);
	pthread_join(thread, &answer);
	after.answer = (int)(intptr_t)answer;
	return 0;
}

TEST(on_load_may_join_a_thread_that_calls_the_module)
{
	needs_stubs();
	struct dlazy_module *m = plain(0);
	void *stub = symbol_of(m, "plain_answer");

	CHECK_INT(dlazy_on_load(m, join_one_that_calls, stub), 0);
	CHECK_INT(dlazy_load(m), 0);
	CHECK_INT(after.answer, 42);
}

static struct dlazy_module *loaded_inside;

static void load_inside(const char *path)
{
	(void)path;
	CHECK_INT(after.inside, 1);
	CHECK_INT(dlazy_load(loaded_inside), 0);
	CHECK_INT(after.inside, 0);
}

TEST(a_constructor_waits_for_another_threads_on_load)
{
	struct dlazy_module *other =
		opened(test_plugin("good-host-constructor"), 0);
	pthread_t thread;

	loaded_inside = plain(0);
	set_constructor(load_inside);
	pthread_barrier_init(&start, NULL, 1);
	CHECK_INT(dlazy_on_load(loaded_inside, note_load, NULL), 0);
	CHECK_INT(pthread_create(&thread, NULL, load_it, loaded_inside), 0);
	while (!after.inside)
		usleep(1000);
	CHECK_INT(dlazy_load(other), 0);
	pthread_join(thread, NULL);
	CHECK_INT(after.calls, 1);
}

/* ------------------------------------------------------------------ */
/* Fallbacks                                                          */

static int other_answer(void)
{
	return 1042;
}

static int other_ready(void)
{
	return 7;
}

static struct dlazy_module *builtin_other(void)
{
	static const struct dlazy_symbol symbols[] = {
		{"plain_answer", (void *)other_answer},
		{"host_ready", (void *)other_ready},
		{"missing_answer", (void *)other_answer}};
	struct dlazy_registry *r = dlazy_registry_new();

	CHECK_INT(dlazy_registry_add_builtin(r, "other", symbols, 3), 0);
	return dlazy_registry_find(r, "other");
}

static int hook_calls;

static void *count_call(const struct dlazy_failure *failure, void *data)
{
	(void)failure;
	hook_calls++;
	return data;
}

/* A copy of a plugin that is declared and then away, and its stub. */
static void *stub_of_removed(struct dlazy_module **ret)
{
	*ret = opened(own_copy("good-plain", "removed.so"), 0);
	void *stub = symbol_of(*ret, "plain_answer");

	unlink(own_path("removed.so"));
	return stub;
}

TEST(a_fallback_is_called_before_any_hook_is_asked)
{
	needs_stubs();
	struct dlazy_module *m;
	void *stub = stub_of_removed(&m);

	CHECK_INT(dlazy_on_failure(m, count_call, (void *)other_ready), 0);
	CHECK_INT(dlazy_fallback(m, builtin_other(), 0), 0);
	CHECK_INT(call_int(stub), 1042);
	CHECK_INT(call_int(stub), 1042);
	CHECK_INT(hook_calls, 0);
	CHECK_INT(dlazy_fallback(m, NULL, 0), 0);
	CHECK_INT(call_int(stub), 7);
	CHECK_INT(hook_calls, 1);
}

TEST(a_fallback_without_the_function_leaves_it_to_hooks_and_their_words)
{
	needs_stubs();
	struct dlazy_module *m;
	void *stub = stub_of_removed(&m);

	CHECK_INT(dlazy_on_failure(m, count_call, (void *)other_answer), 0);
	CHECK_INT(dlazy_fallback(m, opened(test_plugin("good-kinds"), 0), 0),
		  0);
	CHECK_INT(call_int(stub), 1042);
	CHECK_INT(hook_calls, 1);
	CHECK_IN(dlazy_error(), "removed.so");
}

TEST(a_stub_with_a_fallback_heals)
{
	needs_stubs();
	struct dlazy_module *m;
	void *stub = stub_of_removed(&m);

	CHECK_INT(dlazy_fallback(m, builtin_other(), 0), 0);
	CHECK_INT(call_int(stub), 1042);
	own_copy("good-plain", "removed.so");
	CHECK_INT(call_int(stub), 42);
	CHECK_INT(call_int(stub), 42);
}

TEST(a_stub_whose_hook_has_given_a_replacement_heals)
{
	needs_stubs();
	struct dlazy_module *m;
	void *stub = stub_of_removed(&m);

	CHECK_INT(dlazy_on_failure(m, count_call, (void *)other_answer), 0);
	CHECK_INT(call_int(stub), 1042);
	CHECK_INT(call_int(stub), 1042);
	CHECK_INT(hook_calls, 1);
	own_copy("good-plain", "removed.so");
	CHECK_INT(call_int(stub), 42);
	CHECK_INT(hook_calls, 1);
}

static atomic_int is_constructing, may_end;

static void hold(const char *path)
{
	(void)path;
	is_constructing = 1;
	while (!may_end)
		usleep(1000);
}

TEST(nobody_waits_for_a_module_whose_fallback_stands_in)
{
	needs_stubs();
	struct dlazy_module *m =
		opened(test_plugin("good-host-constructor"), 0);
	void *stub = symbol_of(m, "host_ready");

	set_constructor(hold);
	CHECK_INT(dlazy_fallback(m, builtin_other(), DLAZY_WHILE_LOADING), 0);
	CHECK_INT(call_int(stub), 7);
	while (!is_constructing)
		CHECK_INT(call_int(stub), 7);
	for (int i = 0; i < 100; i++)
		CHECK_INT(call_int(stub), 7);
	CHECK_INT(dlazy_module_state(m), DLAZY_LOADING);
	may_end = 1;
	while (dlazy_module_state(m) != DLAZY_LOADED)
		usleep(1000);
	while (call_int(stub) == 7)
		usleep(1000);
	CHECK_INT(call_int(stub), 1);
}

static atomic_bool holds_the_linker, may_go_on;

/* In the place of the C library's: what is asked for once a module is LOADED. */
void *dlopen(const char *path, int flags)
{
	void *(*real)(const char *, int) =
		(void *(*)(const char *, int))dlsym(RTLD_NEXT, "dlopen");

	if (holds_the_linker && flags & RTLD_GLOBAL)
		while (!may_go_on)
			usleep(1000);
	return real(path, flags);
}

static int open_with_more(struct dlazy_module *m, void *data)
{
	(void)data;
	holds_the_linker = true;
	CHECK(opened(dlazy_module_path(m), RTLD_GLOBAL) == m);
	return 0;
}

/* Whoever sees it LOADED calls it. */
TEST(what_stands_in_has_ended_when_the_module_is_seen_loaded)
{
	needs_stubs();
	struct dlazy_module *m = opened(own_copy("good-plain", "p.so"), 0);
	void *stub = symbol_of(m, "plain_answer");

	CHECK_INT(dlazy_on_load(m, open_with_more, NULL), 0);
	CHECK_INT(dlazy_fallback(m, builtin_other(), DLAZY_WHILE_LOADING), 0);
	CHECK_INT(call_int(stub), 1042);
	while (dlazy_module_state(m) != DLAZY_LOADED)
		usleep(1000);
	CHECK_INT(call_int(stub), 42);
	may_go_on = true;
}

TEST(a_plugin_file_stands_in_without_asking_the_linker)
{
	needs_stubs();
	struct dlazy_module *m =
		opened(test_plugin("good-host-constructor"), 0);
	struct dlazy_module *other =
		opened(own_copy("good-host-constructor", "other.so"), 0);
	void *stub = symbol_of(m, "host_runs");

	CHECK_INT(dlazy_load(other), 0);
	set_constructor(hold);
	CHECK_INT(dlazy_fallback(m, other, DLAZY_WHILE_LOADING), 0);
	CHECK_INT(dlazy_prefetch(m), 0);
	while (!is_constructing)
		usleep(1000);
	CHECK_INT(call_int(stub), 1); /* runs of the other */
	CHECK_INT(dlazy_module_state(m), DLAZY_LOADING);
	may_end = 1;
}

TEST(a_fallback_that_was_reloaded_stands_in_as_it_is_now)
{
	needs_stubs();
	struct dlazy_module *m =
		opened(test_plugin("good-host-constructor"), 0);
	struct dlazy_module *other = opened(
		own_copy("good-host-constructor", "other.so"), DLAZY_DISCARD);
	void *stub = symbol_of(m, "host_ready");

	CHECK_INT(dlazy_fallback(m, other, DLAZY_WHILE_LOADING), 0);
	world_compile("new",
		      "static char room[65536] = {1}; int host_ready(void)"
		      "{ return room[0] + 4; }",
		      "-shared -fPIC", "");
	CHECK_INT(rename(own_path("new"), own_path("other.so")), 0);
	CHECK_INT(dlazy_reload(other), 0);
	CHECK_INT(dlazy_unload(other), -DLAZY_EBUSY);
	CHECK_IN(dlazy_error(), "real address");
	set_constructor(hold);
	CHECK_INT(dlazy_prefetch(m), 0);
	while (!is_constructing)
		usleep(1000);
	CHECK_INT(call_int(stub), 5);
	CHECK_INT(dlazy_module_state(m), DLAZY_LOADING);
	may_end = 1;
}

TEST(a_fallback_must_be_another_module)
{
	struct dlazy_module *m = plain(0);

	CHECK_INT(dlazy_fallback(m, m, 0), -DLAZY_EINVAL);
	CHECK_INT(dlazy_fallback(NULL, m, 0), -DLAZY_EINVAL);
	CHECK_INT(dlazy_fallback(m, builtin_other(), 2), -DLAZY_EINVAL);
	CHECK_INT(dlazy_fallback(m,
				 opened(test_plugin("bad-missing-library"), 0),
				 DLAZY_WHILE_LOADING),
		  -DLAZY_EDEPEND);
}

static void *call_many(void *stub)
{
	pthread_barrier_wait(&start);
	for (int i = 0; i < 1000; i++) {
		int answer = call_int(stub);
		if (answer != 42 && answer != 1042)
			return stub;
	}
	return NULL;
}

TEST(threads_that_call_while_a_fallback_stands_in_get_one_or_the_other)
{
	needs_stubs();
	struct dlazy_module *m = plain(0);
	void *stub = symbol_of(m, "plain_answer");
	pthread_t threads[THREADS];

	CHECK_INT(dlazy_fallback(m, builtin_other(), DLAZY_WHILE_LOADING), 0);
	pthread_barrier_init(&start, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		CHECK_INT(pthread_create(&threads[i], NULL, call_many, stub),
			  0);
	for (int i = 0; i < THREADS; i++) {
		void *wrong;
		pthread_join(threads[i], &wrong);
		CHECK(!wrong);
	}
	CHECK_INT(dlazy_load(m), 0);
	CHECK_INT(call_int(stub), 42);
}
