/* SPDX-License-Identifier: MIT */
/*
 * Events: which, in which order, with what in them; and what an observer may do
 * while it is told.
 */
#include "tests/unit/opened.h"

#include <dlfcn.h>
#include <malloc.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ANY -1

static struct {
	struct dlazy_event event;
	char symbol[64];
} seen[64];
static int count;

static void note(const struct dlazy_event *event, void *data)
{
	(void)data;
	CHECK(event->size >= sizeof(*event));
	CHECK(count < 64);
	seen[count].event = *event;
	snprintf(seen[count].symbol, sizeof(seen[0].symbol), "%s",
		 event->symbol ? event->symbol : "");
	count++;
}

/* The kinds of what was seen, a letter each. */
static const char *kinds(void)
{
	static char letters[65];

	for (int i = 0; i < count; i++)
		letters[i] = "?tlLFU"[seen[i].event.kind];
	letters[count] = '\0';
	return letters;
}

static struct dlazy_module *watched(const char *path, int flags)
{
	CHECK_INT(dlazy_observe(note, NULL), 0);
	return opened(path, flags);
}

TEST(declaring_is_no_event)
{
	needs_stubs();
	struct dlazy_module *m = watched(test_plugin("good-plain"), 0);

	CHECK(dlazy_sym(m, "plain_answer") != NULL);
	CHECK(!dlazy_sym(m, "plain_question"));
	CHECK_STR(kinds(), "");
}

TEST(first_touch_is_told_in_order)
{
	needs_stubs();
	struct dlazy_module *m = watched(test_plugin("good-plain"), 0);
	Dl_info caller;

	CHECK_INT(call_int(symbol_of(m, "plain_answer")), 42);
	CHECK_STR(kinds(), "tlL");
	for (int i = 0; i < 3; i++) {
		CHECK(seen[i].event.module == m);
		CHECK_INT(seen[i].event.status, 0);
		CHECK_STR(seen[i].symbol, "plain_answer");
		CHECK(dladdr(seen[i].event.caller, &caller) != 0);
		if (i)
			CHECK(seen[i].event.time_ns >=
			      seen[i - 1].event.time_ns);
	}
}

TEST(each_symbol_is_touched_once)
{
	needs_stubs();
	struct dlazy_module *m = watched(test_plugin("good-types"), 0);
	void *stub = symbol_of(m, "types_v");

	call_int(stub);
	call_int(stub);
	call_int(symbol_of(m, "types_v"));
	CHECK_STR(kinds(), "tlL");
	count = 0;
	call_int(symbol_of(m, "types_i"));
	CHECK_STR(kinds(), "t");
}

static void *own_stub;

static void call_itself_twice(const char *path)
{
	(void)path;
	call_int(own_stub);
	call_int(own_stub);
}

/* Those calls are not bound yet: each asks anew. */
TEST(symbol_is_touched_once_by_a_constructor_too)
{
	needs_stubs();
	set_constructor(call_itself_twice);
	struct dlazy_module *m =
		watched(test_plugin("good-host-constructor"), 0);

	own_stub = symbol_of(m, "host_ready");
	CHECK_INT(dlazy_load(m), 0);
	CHECK_STR(kinds(), "ltL");
}

TEST(explicit_load_has_no_symbol)
{
	struct dlazy_module *m = watched(test_plugin("good-plain"), 0);

	CHECK_INT(dlazy_load(m), 0);
	CHECK_STR(kinds(), "lL");
	CHECK(seen[0].event.symbol == NULL);
	CHECK_INT(dlazy_load(m), 0);
	CHECK_STR(kinds(), "lL");
}

static void take_time(const char *path)
{
	(void)path;
	usleep(30000);
}

TEST(duration_is_that_of_the_load)
{
	set_constructor(take_time);
	CHECK_INT(dlazy_load(watched(test_plugin("good-host-constructor"), 0)),
		  0);
	CHECK_INT(seen[0].event.duration_ns, 0);
	CHECK(seen[1].event.duration_ns >= 30000000);
	CHECK(seen[1].event.duration_ns < 10000000000);
}

TEST(time_is_monotonic_time)
{
	struct timespec now;

	CHECK_INT(dlazy_load(watched(test_plugin("good-plain"), 0)), 0);
	clock_gettime(CLOCK_MONOTONIC, &now);
	uint64_t ns =
		(uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	CHECK(seen[0].event.time_ns <= ns);
	CHECK(ns - seen[0].event.time_ns < 10000000000);
}

TEST(failure_is_told_with_its_status)
{
	struct dlazy_module *m = watched(test_plugin("bad-missing-library"), 0);

	CHECK_INT(dlazy_load(m), -DLAZY_EDEPEND);
	CHECK_STR(kinds(), "lF");
	CHECK_INT(seen[1].event.status, -DLAZY_EDEPEND);
	CHECK(!dlazy_resolve(m, "missing_answer"));
	CHECK_STR(kinds(), "lF"); /* remembered, not tried */
}

TEST(unloading_is_told_and_touches_count_anew)
{
	needs_stubs();
	struct dlazy_module *m =
		watched(test_plugin("good-plain"), DLAZY_DISCARD);
	void *stub = symbol_of(m, "plain_answer");

	call_int(stub);
	CHECK_INT(dlazy_unload(m), 0);
	call_int(stub);
	CHECK_STR(kinds(), "tlLUtlL");
	CHECK_INT(seen[3].event.duration_ns, 0);
}

TEST(observers_add_up_and_leave_one_by_one)
{
	struct dlazy_module *m =
		watched(test_plugin("good-plain"), DLAZY_DISCARD);

	CHECK_INT(dlazy_observe(note, NULL), 0);
	CHECK_INT(dlazy_load(m), 0);
	CHECK_STR(kinds(), "llLL");
	CHECK_INT(dlazy_unobserve(note, NULL), 0);
	CHECK_INT(dlazy_unload(m), 0);
	CHECK_STR(kinds(), "llLLU");
	CHECK_INT(dlazy_unobserve(note, NULL), 0);
	CHECK_INT(dlazy_load(m), 0);
	CHECK_STR(kinds(), "llLLU");
}

TEST(unknown_observer_is_enoent)
{
	int data;

	CHECK_INT(dlazy_observe(note, NULL), 0);
	CHECK_INT(dlazy_unobserve(note, &data), -DLAZY_ENOENT);
	CHECK_INT(dlazy_observe(NULL, NULL), -DLAZY_EINVAL);
	CHECK_INT(dlazy_unobserve(NULL, NULL), -DLAZY_EINVAL);
}

TEST(observers_that_come_and_go_leave_no_memory)
{
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__ || \
	!defined __GLIBC__
	test_skip("this malloc() does not count");
#else
	struct mallinfo2 before = {0};

	for (int i = 0; i < 11000; i++) {
		if (i == 1000)
			before = mallinfo2();
		CHECK_INT(dlazy_observe(note, NULL), 0);
		CHECK_INT(dlazy_unobserve(note, NULL), 0);
	}
	CHECK(mallinfo2().uordblks < before.uordblks + 100000);
#endif
}

/* ------------------------------------------------------------------ */
/* Observers that do things                                           */

static void *stub, *other_stub;
static int answer;

static void touch_at_loading(const struct dlazy_event *event, void *data)
{
	if (event->kind != DLAZY_EVENT_LOADING || event->module != data)
		return;
	answer = call_int(stub);
}

TEST(observer_may_touch_the_module_that_is_about_to_load)
{
	needs_stubs();
	struct dlazy_module *m = watched(test_plugin("good-plain"), 0);
	time_t begun = time(NULL);

	stub = symbol_of(m, "plain_answer");
	CHECK_INT(dlazy_observe(touch_at_loading, m), 0);
	CHECK_INT(call_int(stub), 42);
	CHECK_INT(answer, 42);
	CHECK(time(NULL) - begun < 5);
	CHECK_INT(dlazy_module_state(m), DLAZY_LOADED);
}

static void touch_other(const struct dlazy_event *event, void *data)
{
	if (event->module == data)
		answer = call_int(other_stub);
}

TEST(observer_may_load_another_module)
{
	struct dlazy_module *m = watched(test_plugin("good-plain"), 0);
	struct dlazy_module *other = opened(test_plugin("good-plain-other"), 0);

	other_stub = symbol_of(other, "plain_answer");
	CHECK_INT(dlazy_observe(touch_other, m), 0);
	CHECK_INT(call_int(symbol_of(m, "plain_answer")), 42);
	CHECK_INT(answer, 43);
	CHECK_INT(dlazy_module_state(other), DLAZY_LOADED);
}

static void leave(const struct dlazy_event *event, void *data)
{
	note(event, data);
	CHECK_INT(dlazy_unobserve(leave, data), 0);
}

TEST(observer_may_leave_while_it_is_told)
{
	struct dlazy_module *m = opened(test_plugin("good-plain"), 0);

	CHECK_INT(dlazy_observe(leave, NULL), 0);
	CHECK_INT(dlazy_load(m), 0);
	CHECK_STR(kinds(), "l");
}

static void fork_at_loading(const struct dlazy_event *event, void *data)
{
	int status;

	(void)data;
	if (event->kind != DLAZY_EVENT_LOADING)
		return;
	pid_t pid = fork();
	if (pid == 0) {
		alarm(test_seconds(20));
		_exit(call_int(stub) != 42 ||
		      dlazy_module_state(event->module) != DLAZY_LOADED);
	}
	waitpid(pid, &status, 0);
	answer = status;
}

TEST(observer_may_fork)
{
	needs_stubs();
	struct dlazy_module *m = opened(test_plugin("good-plain"), 0);

	stub = symbol_of(m, "plain_answer");
	answer = ANY;
	CHECK_INT(dlazy_observe(fork_at_loading, NULL), 0);
	CHECK_INT(call_int(stub), 42);
	CHECK_INT(answer, 0);
	CHECK_INT(dlazy_module_state(m), DLAZY_LOADED);
}
