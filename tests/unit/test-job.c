/* SPDX-License-Identifier: MIT */
/* Jobs: loads on a thread of the library, whose results come as they are there. */
#include "tests/unit/opened.h"

#include <dlazy/job.h>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#define MANY 6

/* What the constructor of good-host-constructor does: waits to be let go. */
static atomic_int inside, let_go;

static void hold(const char *path)
{
	(void)path;
	inside = 1;
	while (!let_go)
		usleep(1000);
}

static void wait_until(atomic_int *flag)
{
	while (!*flag)
		usleep(1000);
}

/* One that takes as long as `let_go` is not set, then others. */
static void open_many(struct dlazy_module *m[MANY])
{
	char name[32];

	set_constructor(hold);
	m[0] = opened(test_plugin("good-host-constructor"), 0);
	for (int i = 1; i < MANY; i++) {
		snprintf(name, sizeof(name), "plain%d.so", i);
		m[i] = opened(own_copy("good-plain", name), 0);
	}
}

static struct dlazy_job *begun(struct dlazy_module *const *m, size_t n,
			       int flags)
{
	struct dlazy_job *j = dlazy_load_async(m, n, flags);

	if (!j)
		test_fail(__FILE__, __LINE__, "%s", dlazy_error());
	return j;
}

static bool is_readable(struct dlazy_job *j, int milliseconds)
{
	struct pollfd poll_fd = {.fd = dlazy_job_fd(j), .events = POLLIN};

	return poll(&poll_fd, 1, milliseconds) == 1;
}

static ptrdiff_t next_of(struct dlazy_job *j, int *status)
{
	CHECK(is_readable(j, -1));
	return dlazy_job_next(j, status);
}

TEST(results_come_in_the_order_of_the_modules)
{
	struct dlazy_module *m[MANY];
	int status;

	open_many(m);
	let_go = 1;
	struct dlazy_job *j = begun(m, MANY, 0);
	for (int i = 0; i < MANY; i++) {
		CHECK_INT(next_of(j, &status), i);
		CHECK_INT(status, 0);
		CHECK_INT(dlazy_module_state(m[i]), DLAZY_LOADED);
	}
	CHECK(is_readable(j, 0));
	CHECK_INT(dlazy_job_next(j, NULL), -DLAZY_ENOENT);
	CHECK(!dlazy_error());
	dlazy_job_free(j);
}

TEST(nothing_is_readable_before_a_result_is_there)
{
	struct dlazy_module *m[MANY];

	open_many(m);
	struct dlazy_job *j = begun(m, MANY, 0);
	wait_until(&inside);
	CHECK(!is_readable(j, 0));
	CHECK_INT(dlazy_job_next(j, NULL), -DLAZY_EPENDING);
	CHECK(!dlazy_error());
	let_go = 1;
	CHECK_INT(next_of(j, NULL), 0);
	dlazy_job_free(j);
}

TEST(what_is_raised_comes_next)
{
	struct dlazy_module *m[MANY];

	open_many(m);
	struct dlazy_job *j = begun(m, MANY, 0);
	wait_until(&inside);
	CHECK_INT(dlazy_job_raise(j, 3), 0);
	CHECK_INT(dlazy_job_raise(j, MANY - 1), 0);
	CHECK_INT(dlazy_job_raise(j, 0), 0); /* it has begun */
	CHECK_INT(dlazy_job_raise(j, MANY), -DLAZY_EINVAL);
	let_go = 1;
	CHECK_INT(next_of(j, NULL), 0);
	CHECK_INT(next_of(j, NULL), MANY - 1);
	CHECK_INT(next_of(j, NULL), 3);
	CHECK_INT(next_of(j, NULL), 1);
	dlazy_job_free(j);
}

static void *let_it_go(void *unused)
{
	usleep(20000);
	let_go = 1;
	return unused;
}

TEST(what_has_not_begun_when_a_job_is_freed_is_canceled)
{
	struct dlazy_module *m[MANY];
	pthread_t thread;

	open_many(m);
	struct dlazy_job *j = begun(m, MANY, 0);
	wait_until(&inside);
	CHECK_INT(pthread_create(&thread, NULL, let_it_go, NULL), 0);
	dlazy_job_free(j); /* waits for the first */
	CHECK_INT(let_go, 1);
	CHECK_INT(dlazy_module_state(m[0]), DLAZY_LOADED);
	for (int i = 1; i < MANY; i++)
		CHECK_INT(dlazy_module_state(m[i]), DLAZY_DECLARED);
	pthread_join(thread, NULL);
}

TEST(a_failure_comes_with_its_words_on_the_thread_that_takes_it)
{
	struct dlazy_module *m[2] = {
		opened(test_plugin("bad-missing-library"), 0),
		opened(test_plugin("good-plain"), 0)};
	struct dlazy_job *j = begun(m, 2, 0);
	int status;

	CHECK_INT(next_of(j, &status), 0);
	CHECK_INT(status, -DLAZY_EDEPEND);
	CHECK_IN(dlazy_error(), "libdlazy-absent.so");
	CHECK_INT(next_of(j, &status), 1);
	CHECK_INT(status, 0);
	dlazy_job_free(j);
}

TEST(a_module_that_is_closed_before_its_turn_is_canceled)
{
	struct dlazy_registry *r = dlazy_registry_new();
	struct dlazy_module *m[MANY];
	int status;

	open_many(m);
	CHECK_INT(dlazy_registry_add_file(r, "last",
					  own_copy("good-plain", "last.so"), 0),
		  0);
	m[1] = dlazy_registry_find(r, "last");
	struct dlazy_job *j = begun(m, 2, 0);
	wait_until(&inside);
	dlazy_registry_free(r);
	let_go = 1;
	CHECK_INT(next_of(j, &status), 0);
	CHECK_INT(status, 0);
	CHECK_INT(next_of(j, &status), 1);
	CHECK_INT(status, -DLAZY_ECANCELED);
	CHECK_INT(dlazy_job_next(j, NULL), -DLAZY_ENOENT);
	dlazy_job_free(j);
}

TEST(warming_runs_nothing_and_changes_no_state)
{
	struct dlazy_module *m[MANY];
	int status, sum = 0;

	open_many(m);
	struct dlazy_job *j = begun(m, MANY, DLAZY_WARM);
	for (int i = 0; i < MANY; i++) {
		sum += (int)next_of(j, &status);
		CHECK_INT(status, 0);
	}
	CHECK_INT(sum, MANY * (MANY - 1) / 2);
	CHECK_INT(dlazy_job_next(j, NULL), -DLAZY_ENOENT);
	CHECK_INT(inside, 0);
	CHECK_INT(dlazy_module_state(m[0]), DLAZY_DECLARED);
	CHECK_INT(test_mapped("plain1.so"), 0);
	unlink(own_path("plain1.so"));
	dlazy_job_free(j);
	j = begun(m + 1, 1, DLAZY_WARM);
	CHECK_INT(next_of(j, &status), 0);
	CHECK_INT(status, -DLAZY_ENOENT);
	dlazy_job_free(j);
}

TEST(a_job_of_nothing_is_at_its_end)
{
	struct dlazy_job *j = begun(NULL, 0, 0);

	CHECK(is_readable(j, 0));
	CHECK_INT(dlazy_job_next(j, NULL), -DLAZY_ENOENT);
	dlazy_job_free(j);
	dlazy_job_free(NULL);
}

TEST(wrong_arguments_are_errors)
{
	struct dlazy_module *m[1] = {NULL};

	CHECK(!dlazy_load_async(m, 1, 0));
	CHECK_INT(dlazy_last_status(), -DLAZY_EINVAL);
	CHECK(!dlazy_load_async(NULL, 0, DLAZY_EAGER));
	CHECK_INT(dlazy_last_status(), -DLAZY_EINVAL);
	CHECK_INT(dlazy_job_fd(NULL), -DLAZY_EINVAL);
	CHECK_INT(dlazy_job_next(NULL, NULL), -DLAZY_EINVAL);
	CHECK_INT(dlazy_job_raise(NULL, 0), -DLAZY_EINVAL);
}

/* ------------------------------------------------------------------ */
/* fork, threads                                                      */

static void look_in_child(void *data)
{
	struct dlazy_job *j = data;
	int status;

	for (int i = 0; i < MANY; i++) {
		CHECK_INT(next_of(j, &status), i);
		CHECK_INT(status, -DLAZY_ECANCELED);
	}
	CHECK_INT(dlazy_job_next(j, NULL), -DLAZY_ENOENT);
	dlazy_job_free(j);
}

TEST(a_child_has_a_canceled_job_and_takes_nothing_from_its_parent)
{
	struct dlazy_module *m[MANY];
	char said[512];

	open_many(m);
	struct dlazy_job *j = begun(m, MANY, 0);
	wait_until(&inside);
	CHECK_INT(test_child(look_in_child, j, said, sizeof(said)), 0);
	CHECK(!is_readable(j, 0));
	let_go = 1;
	for (int i = 0; i < MANY; i++)
		CHECK_INT(next_of(j, NULL), i);
	dlazy_job_free(j);
}

static struct dlazy_job *freed_inside;

static void free_inside(const char *path)
{
	(void)path;
	wait_until(&inside);
	dlazy_job_free(freed_inside);
}

TEST(a_constructor_may_free_the_job_that_runs_it)
{
	struct dlazy_module *m[2] = {
		opened(test_plugin("good-host-constructor"), 0),
		opened(test_plugin("good-plain"), 0)};

	set_constructor(free_inside);
	freed_inside = begun(m, 2, 0);
	int fd = dlazy_job_fd(freed_inside);
	inside = 1;
	while (dlazy_module_state(m[0]) != DLAZY_LOADED)
		usleep(1000);
	/* Its thread frees it, at its end. */
	while (fcntl(fd, F_GETFD) >= 0)
		usleep(1000);
	CHECK_INT(dlazy_module_state(m[1]), DLAZY_DECLARED);
}

static atomic_int taken[MANY];

static void *take_results(void *data)
{
	struct dlazy_job *j = data;
	ptrdiff_t i;

	while ((i = dlazy_job_next(j, NULL)) != -DLAZY_ENOENT) {
		if (i >= 0)
			taken[i]++;
		else
			dlazy_job_raise(j, MANY / 2);
	}
	return NULL;
}

TEST(threads_that_take_results_get_each_once)
{
	struct dlazy_module *m[MANY];
	pthread_t threads[4];

	open_many(m);
	let_go = 1;
	struct dlazy_job *j = begun(m, MANY, 0);
	for (int i = 0; i < 4; i++)
		CHECK_INT(pthread_create(&threads[i], NULL, take_results, j),
			  0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < MANY; i++)
		CHECK_INT(taken[i], 1);
	dlazy_job_free(j);
}
