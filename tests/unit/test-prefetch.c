/* SPDX-License-Identifier: MIT */
/* Prefetching: a worker loads what is asked for, and nothing else changes. */
#include "tests/test.h"

#include <dlazy/dlazy.h>

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

typedef int int_fn(void);

static int_fn *function(struct dlazy_module *m, const char *name)
{
	int_fn *f = (int_fn *)dlazy_sym(m, name);

	CHECK(f);
	return f;
}

/* As long as the test may last. */
static void wait_for(struct dlazy_module *m, enum dlazy_state state)
{
	while (dlazy_module_state(m) != state)
		usleep(10000);
}

static struct dlazy_module *open_fixture(void)
{
	struct dlazy_module *m = dlazy_open(test_plugin("good-prefetch"), 0);

	CHECK(m);
	return m;
}

TEST(prefetch_returns_before_the_constructor_has_run_and_loads_elsewhere)
{
	struct dlazy_module *m = open_fixture();

	CHECK_INT(dlazy_prefetch(m), 0);
	CHECK(dlazy_module_state(m) != DLAZY_LOADED);
	wait_for(m, DLAZY_LOADED);
	CHECK(!function(m, "is_constructed_here")());
}

TEST(touch_during_prefetch_waits_for_the_constructor)
{
	struct dlazy_module *m = open_fixture();

	CHECK_INT(dlazy_prefetch(m), 0);
	CHECK(function(m, "is_ready")());
	CHECK_INT(dlazy_module_state(m), DLAZY_LOADED);
}

TEST(prefetch_of_a_loaded_module_does_nothing)
{
	struct dlazy_module *m = open_fixture();

	CHECK_INT(dlazy_load(m), 0);
	CHECK_INT(dlazy_prefetch(m), 0);
	CHECK_INT(dlazy_module_state(m), DLAZY_LOADED);
}

TEST(failed_prefetch_is_remembered_and_said_at_first_touch)
{
	char path[4096], said[1024];
	struct dlazy_module *m;

	snprintf(path, sizeof(path), "%s/gone.so", test_directory());
	test_copy(test_plugin("good-prefetch"), path);
	m = dlazy_open(path, 0);
	CHECK(m);
	CHECK_INT(unlink(path), 0);
	CHECK_INT(dlazy_prefetch(m), 0);
	wait_for(m, DLAZY_FAILED);
	CHECK_INT(dlazy_load(m), -DLAZY_ENOENT);
	snprintf(said, sizeof(said), "%s", dlazy_error());
	CHECK_IN(said, "gone.so");
}

TEST(constructor_on_the_worker_may_catch_what_it_raises)
{
	struct dlazy_module *m = open_fixture();
	int (*can_catch)(void);

	CHECK_INT(dlazy_prefetch(m), 0);
	wait_for(m, DLAZY_LOADED);
	*(void **)&can_catch = dlazy_sym(m, "can_catch_sigill");
	CHECK_INT(can_catch(), 1);
}

TEST(worker_takes_no_signals)
{
	struct dlazy_module *m = open_fixture();
	sigset_t usr1;
	int got;

	CHECK_INT(dlazy_prefetch(m), 0);
	/* Blocked here (only now: a thread begins with its maker's mask), a
	 * signal to the process is anybody's who would take it; by its default
	 * it would end us. */
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &usr1, NULL);
	usleep(10000);
	kill(getpid(), SIGUSR1);
	wait_for(m, DLAZY_LOADED);
	CHECK_INT(sigwait(&usr1, &got), 0);
	CHECK_INT(got, SIGUSR1);
}

/* A module of its own, each time. */
static struct dlazy_module *open_copy(const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s.so", test_directory(), name);
	test_copy(test_plugin("good-prefetch"), path);
	struct dlazy_module *m = dlazy_open(path, 0);
	CHECK(m);
	return m;
}

/* The parent's worker has enough to do to be there still when we fork. */
TEST(child_of_a_fork_prefetches_by_itself)
{
	static const char *const names[] = {"first", "second", "third",
					    "fourth"};
	struct dlazy_module *m = open_fixture(), *other = open_copy("other");
	int status;

#ifdef __SANITIZE_THREAD__
	test_skip("ThreadSanitizer takes no new thread in the child of a "
		  "threaded process");
#endif
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		CHECK_INT(dlazy_prefetch(open_copy(names[i])), 0);
	CHECK_INT(dlazy_prefetch(m), 0);
	pid_t pid = fork();
	if (pid == 0) {
		CHECK_INT(dlazy_prefetch(other), 0);
		wait_for(other, DLAZY_LOADED);
		CHECK(function(m, "is_ready")());
		_exit(0);
	}
	waitpid(pid, &status, 0);
	CHECK_INT(status, 0);
	wait_for(m, DLAZY_LOADED);
}

TEST(prefetch_of_no_module_is_an_error)
{
	CHECK_INT(dlazy_prefetch(NULL), -DLAZY_EINVAL);
}
