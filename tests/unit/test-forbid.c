/* SPDX-License-Identifier: MIT */
/*
 * Phases in which nothing may be loaded: who is refused, what is said, what the
 * environment forbids.
 */
#include "tests/unit/opened.h"

#include "load/call.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static char said[8192];

static void touch(void *stub)
{
	call_int(stub);
}

/* Of a child: it was aborted, and said so. */
static bool aborts(void (*fn)(void *), void *data)
{
	int status = test_child(fn, data, said, sizeof(said));

	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static struct dlazy_module *plain(void)
{
	return opened(test_plugin("good-plain"), 0);
}

static void forbid(const char *phase)
{
	CHECK_INT(dlazy_forbid_loading(phase), 0);
}

static int replacement(void)
{
	return 1000;
}

static struct {
	int calls, status;
	char message[1024];
} hook;

static void *replace(const struct dlazy_failure *failure, void *data)
{
	(void)data;
	hook.calls++;
	hook.status = failure->status;
	snprintf(hook.message, sizeof(hook.message), "%s", failure->message);
	return (void *)replacement;
}

static struct {
	int failed, status;
	char symbol[64];
} event;

static void observe(const struct dlazy_event *e, void *data)
{
	(void)data;
	if (e->kind != DLAZY_EVENT_FAILED)
		return;
	event.failed++;
	event.status = e->status;
	snprintf(event.symbol, sizeof(event.symbol), "%s",
		 e->symbol ? e->symbol : "");
}

/* ------------------------------------------------------------------ */
/* Phases of the host                                                 */

TEST(touch_in_a_forbidden_phase_aborts_and_names_both_places)
{
	needs_stubs();
	struct dlazy_module *m = plain();
	void *stub = symbol_of(m, "plain_answer");

	forbid("the audio loop");
	CHECK(aborts(touch, stub));
	CHECK_IN(said, "plain_answer() of module \"good-plain\"");
	CHECK_IN(said, "good-plain.so: plain_answer was asked for by");
	CHECK_IN(said, "in the phase \"the audio loop\"");
	CHECK_IN(said, "has forbidden to load");
	CHECK_IN(said, "called:   by ");
	CHECK_INT(test_mapped("good-plain.so"), 0);
}

TEST(both_places_are_code_of_the_caller)
{
	const char *first, *second;

	forbid("x");
	CHECK_INT(dlazy_load(plain()), -DLAZY_EBUSY);
	const char *words = dlazy_error();
	CHECK_IN(words, "loading was asked for by");
	CHECK((first = strstr(words, "test-forbid")) != NULL);
	CHECK((second = strstr(first + 1, "test-forbid")) != NULL);
}

TEST(load_and_resolve_return_ebusy)
{
	struct dlazy_module *m = plain();

	forbid("x");
	CHECK_INT(dlazy_load(m), -DLAZY_EBUSY);
	CHECK(!dlazy_resolve(m, "plain_answer"));
	CHECK_INT(dlazy_last_status(), -DLAZY_EBUSY);
	CHECK_INT(test_mapped("good-plain.so"), 0);
}

TEST(data_is_not_loaded_either)
{
	struct dlazy_module *m = opened(test_plugin("good-kinds"), 0);

	forbid("x");
	CHECK(!dlazy_sym(m, "kinds_data"));
	CHECK_INT(dlazy_last_status(), -DLAZY_EBUSY);
}

TEST(eager_module_is_refused_when_opened)
{
	forbid("x");
	CHECK(!dlazy_open(test_plugin("good-plain"), DLAZY_EAGER));
	CHECK_INT(dlazy_last_status(), -DLAZY_EBUSY);
}

TEST(declaring_and_asking_for_stubs_are_allowed)
{
	needs_stubs();
	forbid("x");
	symbol_of(plain(), "plain_answer");
}

TEST(prefetch_is_refused)
{
	struct dlazy_module *m = plain();

	forbid("x");
	CHECK_INT(dlazy_prefetch(m), -DLAZY_EBUSY);
	CHECK_INT(dlazy_module_state(m), DLAZY_DECLARED);
}

TEST(typed_call_is_refused_the_ffi_module)
{
	struct dlazy_module *m = plain();
	int result;

	call_use_module(test_plugin("good-types"));
	CHECK_INT(dlazy_load(m), 0);
	forbid("x");
	CHECK_INT(dlazy_call(m, "plain_answer", "i()", &result, NULL),
		  -DLAZY_EBUSY);
}

TEST(what_is_loaded_stays_usable)
{
	struct dlazy_module *m = opened(test_plugin("good-kinds"), 0);

	CHECK_INT(dlazy_load(m), 0);
	forbid("x");
	CHECK_INT(dlazy_load(m), 0);
	CHECK_INT(dlazy_prefetch(m), 0);
	CHECK_INT(call_int(symbol_of(m, "kinds_function")), 9);
}

TEST(module_can_be_loaded_when_the_phase_has_ended)
{
	struct dlazy_module *m = plain();

	forbid("x");
	CHECK_INT(dlazy_load(m), -DLAZY_EBUSY);
	CHECK_INT(dlazy_module_state(m), DLAZY_DECLARED);
	forbid(NULL);
	CHECK_INT(call_int(symbol_of(m, "plain_answer")), 42);
}

TEST(second_phase_begins_in_place_of_the_first)
{
	struct dlazy_module *m = plain();

	forbid("first");
	forbid("second");
	CHECK_INT(dlazy_load(m), -DLAZY_EBUSY);
	CHECK_IN(dlazy_error(), "\"second\"");
	forbid(NULL);
	CHECK_INT(dlazy_load(m), 0);
}

TEST(phase_without_a_name_is_einval)
{
	CHECK_INT(dlazy_forbid_loading(""), -DLAZY_EINVAL);
	CHECK_INT(dlazy_load(plain()), 0);
}

TEST(long_name_is_copied_and_cut)
{
	char name[300];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	forbid(name);
	memset(name, 'm', sizeof(name) - 1);
	CHECK_INT(dlazy_load(plain()), -DLAZY_EBUSY);
	const char *words = dlazy_error();
	CHECK_IN(words, "\"nnn");
	CHECK(!strstr(words, "mmm"));
	CHECK_INT(strspn(strstr(words, "\"nnn") + 1, "n"), 127);
}

TEST(hook_may_replace_for_one_call)
{
	needs_stubs();
	struct dlazy_module *m = plain();
	void *stub = symbol_of(m, "plain_answer");

	CHECK_INT(dlazy_on_failure(m, replace, NULL), 0);
	forbid("x");
	CHECK_INT(call_int(stub), 1000);
	CHECK_INT(call_int(stub), 1000);
	CHECK_INT(hook.calls, 2);
	CHECK_INT(hook.status, -DLAZY_EBUSY);
	CHECK_IN(hook.message, "in the phase \"x\"");
	forbid(NULL);
	CHECK_INT(call_int(stub), 42);
	CHECK_INT(hook.calls, 2);
}

TEST(observers_are_told)
{
	needs_stubs();
	struct dlazy_module *m = plain();

	CHECK_INT(dlazy_observe(observe, NULL), 0);
	CHECK_INT(dlazy_on_failure(m, replace, NULL), 0);
	forbid("x");
	call_int(symbol_of(m, "plain_answer"));
	CHECK_INT(event.failed, 1);
	CHECK_INT(event.status, -DLAZY_EBUSY);
	CHECK_STR(event.symbol, "plain_answer");
}

static void *load(void *m)
{
	return (void *)(intptr_t)dlazy_load(m);
}

TEST(other_threads_are_refused_too)
{
	struct dlazy_module *m = plain();
	pthread_t thread;
	void *status;

	forbid("x");
	CHECK_INT(pthread_create(&thread, NULL, load, m), 0);
	CHECK_INT(pthread_join(thread, &status), 0);
	CHECK_INT((intptr_t)status, -DLAZY_EBUSY);
}

/* A thread that a constructor waits for, and that is refused: words must not
 * be waited for where the linker's lock is held. */
static struct dlazy_module *other;

static void wait_for_refused(const char *path)
{
	pthread_t thread;
	void *status;

	(void)path;
	forbid("x");
	CHECK_INT(pthread_create(&thread, NULL, load, other), 0);
	CHECK_INT(pthread_join(thread, &status), 0);
	CHECK_INT((intptr_t)status, -DLAZY_EBUSY);
}

TEST_SECONDS(refusing_waits_for_nobody, 20)
{
	struct dlazy_module *m =
		opened(test_plugin("good-host-constructor"), 0);

	other = plain();
	set_constructor(wait_for_refused);
	CHECK_INT(dlazy_load(m), 0);
}

TEST(load_that_has_begun_goes_on)
{
	struct dlazy_module *m =
		opened(test_plugin("good-host-constructor"), 0);

	other = plain();
	set_constructor(wait_for_refused);
	CHECK_INT(call_int(symbol_of(m, "host_ready")), 1);
	CHECK_INT(dlazy_module_state(m), DLAZY_LOADED);
}

/* ------------------------------------------------------------------ */
/* The environment                                                    */

static void load_in_child(void *name)
{
	struct dlazy_module *m = dlazy_open(test_plugin(name), 0);

	_exit(m ? -dlazy_load(m) : 99);
}

/* How it went in a child: its exit status, or 100 if it was aborted. */
static int loaded(const char *name)
{
	int status = test_child(load_in_child, (void *)(uintptr_t)name, said,
				sizeof(said));

	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGABRT ? 100 : -1;
	return WEXITSTATUS(status);
}

TEST(environment_allows_what_it_lists)
{
	setenv("DLAZY_ALLOW", "none,good-k*,good-types", 1);
	CHECK_INT(loaded("good-kinds"), 0);
	CHECK_INT(loaded("good-types"), 0);
	CHECK_INT(loaded("good-plain"), 100);
	CHECK_IN(said, "module \"good-plain\" cannot be loaded");
	CHECK_IN(said, "DLAZY_ALLOW=none,good-k*,good-types");
	CHECK_IN(said, "asked for by");
	CHECK_IN(said, "test-forbid");
}

TEST(empty_list_allows_nothing)
{
	setenv("DLAZY_ALLOW", "", 1);
	CHECK_INT(loaded("good-plain"), 100);
}

TEST(environment_forbids_what_it_lists)
{
	setenv("DLAZY_FORBID", "good-k*,good-types", 1);
	CHECK_INT(loaded("good-kinds"), 100);
	CHECK_INT(loaded("good-types"), 100);
	CHECK_INT(loaded("good-plain"), 0);
}

TEST(what_both_list_is_allowed)
{
	setenv("DLAZY_FORBID", "good-*", 1);
	setenv("DLAZY_ALLOW", "good-plain", 1);
	CHECK_INT(loaded("good-plain"), 0);
	CHECK_INT(loaded("good-kinds"), 100);
}

/* A test that a hook could make pass would be none. */
TEST(hooks_do_not_hear_of_what_the_environment_forbids)
{
	needs_stubs();
	setenv("DLAZY_ALLOW", "", 1);
	struct dlazy_module *m = plain();

	CHECK_INT(dlazy_on_failure(m, replace, NULL), 0);
	CHECK(aborts(touch, symbol_of(m, "plain_answer")));
}

TEST(environment_holds_until_the_host_says_otherwise)
{
	setenv("DLAZY_ALLOW", "", 1);
	struct dlazy_module *m = plain();

	forbid("x");
	CHECK_INT(dlazy_load(m), -DLAZY_EBUSY);
	forbid(NULL);
	CHECK_INT(dlazy_load(m), 0);
}

TEST(host_that_speaks_before_it_declares_is_heard)
{
	setenv("DLAZY_ALLOW", "", 1);
	forbid(NULL);
	CHECK_INT(dlazy_load(plain()), 0);
}
