/* SPDX-License-Identifier: MIT */
/*
 * What a host has done around a module's load: dlazy_on_load().
 */
#include "tests/unit/opened.h"

#include <dlazy/lifecycle.h>

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
