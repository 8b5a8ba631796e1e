/* SPDX-License-Identifier: MIT */
/*
 * The first touch under threads, constructors and fork: one load, nobody sees a
 * module that is not ready, nobody waits for ever (design, "Modules").
 *
 * What a plugin's constructor does is written here: good-host-constructor calls
 * back. Its functions return 0 until that constructor is through.
 */
#include "tests/unit/opened.h"

#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS 64
#define CONSTRUCTING_US 50000
#define MANY 8

/* A child of fork() has its parent's threads on its books. */
__attribute__((visibility("default"))) const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "report_thread_leaks=0";
}

typedef void *thread_fn(void *);

static pthread_barrier_t start;

/* Runs fn(data) in n threads that begin together at start; counts NULLs. */
static int run_threads(int n, thread_fn *fn, void *data)
{
	pthread_t threads[THREADS];
	int nulls = 0;

	pthread_barrier_init(&start, NULL, (unsigned)n);
	for (int i = 0; i < n; i++)
		CHECK_INT(pthread_create(&threads[i], NULL, fn, data), 0);
	for (int i = 0; i < n; i++) {
		void *result;
		pthread_join(threads[i], &result);
		nulls += !result;
	}
	return nulls;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A non-null pointer for true. */
static void *truth(bool value)
{
	static int something;

	return value ? &something : NULL;
}

static void *call_together(void *stub)
{
	pthread_barrier_wait(&start);
	return truth(call_int(stub) == 1);
}

static void *call_alone(void *stub)
{
	return truth(call_int(stub) == 1);
}

static void take_time(const char *path)
{
	(void)path;
	usleep(CONSTRUCTING_US);
}

/* ------------------------------------------------------------------ */
/* One load                                                           */

static _Atomic(int) kinds[DLAZY_EVENT_UNLOADED + 1];

static void count_events(const struct dlazy_event *event, void *data)
{
	(void)data;
	kinds[event->kind]++;
}

TEST(threads_construct_once_and_see_it_ready)
{
	needs_stubs();
	set_constructor(take_time);
	struct dlazy_module *m =
		opened(test_plugin("good-host-constructor"), 0);
	void *ready = symbol_of(m, "host_ready");

	CHECK_INT(dlazy_observe(count_events, NULL), 0);
	CHECK_INT(run_threads(THREADS, call_together, ready), 0);
	CHECK_INT(call_int(symbol_of(m, "host_runs")), 1);
	CHECK_INT(kinds[DLAZY_EVENT_LOADED], 1);
	CHECK_INT(kinds[DLAZY_EVENT_FAILED], 0);
}

static void *call_pointer(void *data)
{
	void **pointer = data;

	pthread_barrier_wait(&start);
	return truth(call_int(__atomic_load_n(pointer, __ATOMIC_ACQUIRE)) == 1);
}

TEST(bound_pointers_lead_to_a_ready_module)
{
	void *pointer;
	struct dlazy_import import = {"host_ready", &pointer, NULL};

	set_constructor(take_time);
	struct dlazy_module *m =
		opened(test_plugin("good-host-constructor"), 0);
	CHECK_INT(dlazy_bind(m, &import, 1), 0);
	CHECK_INT(run_threads(THREADS, call_pointer, &pointer), 0);
	CHECK(pointer == dlazy_resolve(m, "host_ready"));
}

/* ------------------------------------------------------------------ */
/* Constructors that call                                             */

static struct {
	struct dlazy_module *module, *other;
	void *stub, *other_stub, *runs;
	sem_t inside;
	int answer, state;
} scene;

static void call_itself(const char *path)
{
	(void)path;
	scene.answer = call_int(scene.stub);
	scene.state = (int)dlazy_module_state(scene.module);
	sem_post(&scene.inside);
	usleep(CONSTRUCTING_US);
}

/* Opens good-host-constructor with that constructor. */
static void set_scene(constructor_fn *constructor)
{
	sem_init(&scene.inside, 0, 0);
	set_constructor(constructor);
	scene.module = opened(
		own_copy("good-host-constructor", "good-host-constructor.so"),
		0);
	scene.stub = symbol_of(scene.module, "host_ready");
	scene.runs = symbol_of(scene.module, "host_runs");
}

TEST(constructor_may_call_its_own_module)
{
	needs_stubs();
	set_scene(call_itself);
	scene.answer = -1;
	CHECK_INT(call_int(scene.stub), 1);
	CHECK_INT(scene.answer, 0);
	CHECK_INT(scene.state, DLAZY_LOADING);
	CHECK_INT(call_int(scene.runs), 1);
}

static void *call_when_inside(void *stub)
{
	sem_wait(&scene.inside);
	return truth(call_int(stub) == 1);
}

TEST(nobody_else_gets_through_while_a_constructor_calls_its_module)
{
	needs_stubs();
	pthread_t other;
	void *saw_ready;

	set_scene(call_itself);
	pthread_create(&other, NULL, call_when_inside, scene.stub);
	CHECK_INT(call_int(scene.stub), 1);
	pthread_join(other, &saw_ready);
	CHECK(saw_ready);
}

/* The module is there as a dependency of what is being loaded: the thread is in
 * its constructor, though it is loading something else. */
TEST(nobody_else_gets_through_while_a_dependency_calls_itself)
{
	needs_stubs();
	const char *path = own_copy("good-needs-host", "outer.so");
	pthread_t other;
	void *saw_ready;

	set_scene(call_itself);
	struct dlazy_module *outer = opened(path, 0);
	pthread_create(&other, NULL, call_when_inside, scene.stub);
	CHECK_INT(call_int(symbol_of(outer, "needs_ready")), 1);
	CHECK_INT(scene.answer, 0);
	pthread_join(other, &saw_ready);
	CHECK(saw_ready);
	CHECK_INT(call_int(scene.runs), 1);
}

/* A's constructor calls B, and B's calls A. */
static void call_each_other(const char *path)
{
	call_int(strstr(path, "/a.so") ? scene.other_stub : scene.stub);
}

TEST(modules_may_need_each_other_in_two_threads)
{
	needs_stubs();
	set_constructor(call_each_other);
	scene.module = opened(own_copy("good-host-constructor", "a.so"),
			      DLAZY_DISCARD);
	scene.other = opened(own_copy("good-host-constructor", "b.so"),
			     DLAZY_DISCARD);
	scene.stub = symbol_of(scene.module, "host_ready");
	scene.other_stub = symbol_of(scene.other, "host_ready");

	for (int round = 0; round < 100; round++) {
		pthread_t other;
		void *saw_ready;

		pthread_create(&other, NULL, call_alone, scene.other_stub);
		CHECK_INT(call_int(scene.stub), 1);
		pthread_join(other, &saw_ready);
		CHECK(saw_ready);
		CHECK_INT(dlazy_unload(scene.module), 0);
		CHECK_INT(dlazy_unload(scene.other), 0);
	}
}

/* In the constructor of outer.so: somebody else begins to load the other
 * module, and waits for the linker, which this thread has; then we want it. */
static void call_the_other(const char *path)
{
	if (!strstr(path, "outer.so"))
		return;
	sem_post(&scene.inside);
	usleep(CONSTRUCTING_US);
	scene.answer = call_int(scene.stub);
}

static void set_inversion(pthread_t *other)
{
	set_scene(call_the_other);
	pthread_create(other, NULL, call_when_inside, scene.stub);
}

TEST(constructor_of_a_plain_dlopen_may_touch_what_another_thread_loads)
{
	const char *path = own_copy("good-host-constructor", "outer.so");
	pthread_t other;
	void *saw_ready;
	double begun = seconds();

	set_inversion(&other);
	CHECK(dlopen(path, RTLD_NOW) != NULL);
	pthread_join(other, &saw_ready);
	CHECK(saw_ready);
	CHECK_INT(scene.answer, 1);
	CHECK(seconds() - begun < 5);
}

TEST(constructor_of_a_module_may_touch_what_another_thread_loads)
{
	const char *path = own_copy("good-host-constructor", "outer.so");
	pthread_t other;
	void *saw_ready;
	double begun = seconds();

	set_inversion(&other);
	CHECK_INT(call_int(symbol_of(opened(path, 0), "host_ready")), 1);
	pthread_join(other, &saw_ready);
	CHECK(saw_ready);
	CHECK_INT(scene.answer, 1);
	CHECK(seconds() - begun < 5);
}

/* ------------------------------------------------------------------ */
/* Constructors that join                                             */

static void *answer_of(void *stub)
{
	scene.answer = call_int(stub);
	return NULL;
}

static void join_a_caller(const char *path)
{
	pthread_t caller;

	(void)path;
	pthread_create(&caller, NULL, answer_of, scene.runs);
	pthread_join(caller, NULL);
}

TEST(constructor_may_join_a_thread_that_touches_the_module)
{
	needs_stubs();
	set_scene(join_a_caller);
	double begun = seconds();
	CHECK_INT(call_int(scene.stub), 1);
	CHECK_INT(scene.answer, 1);
	CHECK(seconds() - begun < 5);
}

/* outer.so has the linker while many begin to load the module. */
static void let_many_begin(const char *path)
{
	if (!strstr(path, "outer.so")) {
		join_a_caller(path);
		return;
	}
	for (int i = 0; i < MANY; i++)
		sem_post(&scene.inside);
	usleep(2 * CONSTRUCTING_US);
}

TEST(constructor_may_join_a_thread_when_many_came_at_once)
{
	needs_stubs();
	const char *outer = own_copy("good-host-constructor", "outer.so");
	pthread_t threads[MANY];
	void *saw_ready;

	set_scene(let_many_begin);
	for (int i = 0; i < MANY; i++)
		pthread_create(&threads[i], NULL, call_when_inside, scene.stub);
	CHECK(dlopen(outer, RTLD_NOW) != NULL);
	for (int i = 0; i < MANY; i++) {
		pthread_join(threads[i], &saw_ready);
		CHECK(saw_ready);
	}
	CHECK_INT(scene.answer, 1);
}

static int other_answer(void)
{
	return 77;
}

static int failure_status;

static void *replace_with_77(const struct dlazy_failure *failure, void *data)
{
	(void)data;
	failure_status = failure->status;
	return (void *)other_answer;
}

static void join_a_chooser(const char *path)
{
	pthread_t caller;

	(void)path;
	pthread_create(&caller, NULL, answer_of,
		       symbol_of(scene.module, "host_chosen"));
	pthread_join(caller, NULL);
}

/* An indirect function has no recorded offset: it is named, not hung. */
TEST(joined_thread_that_cannot_be_served_is_edeadlk)
{
	needs_stubs();
	set_scene(join_a_chooser);
	CHECK_INT(dlazy_on_failure(scene.module, replace_with_77, NULL), 0);
	CHECK_INT(call_int(scene.stub), 1);
	CHECK_INT(scene.answer, 77);
	CHECK_INT(failure_status, -DLAZY_EDEADLK);
	CHECK_INT(call_int(symbol_of(scene.module, "host_chosen")), 1);
}

static void touch_stub(void *stub)
{
	call_int(stub);
}

TEST(joined_thread_that_cannot_be_served_is_named_in_the_message)
{
	needs_stubs();
	char said[4096];

	set_scene(join_a_chooser);
	int status = test_child(touch_stub, scene.stub, said, sizeof(said));
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	CHECK_IN(said, "host_chosen");
	CHECK_IN(said, "constructor is waiting");
}

/* ------------------------------------------------------------------ */
/* fork                                                               */

#define MODULES 40
static void *stubs[MODULES];
static _Atomic(int) turn;

static void take_a_moment(const char *path)
{
	(void)path;
	usleep(5000);
}

static void *load_them_all(void *unused)
{
	for (turn = 0; turn < MODULES; turn++)
		call_int(stubs[turn]);
	return unused;
}

static bool child_succeeds(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && status == 0;
}

/* What is being loaded, and what comes next, by a fork at any moment. */
static void touch_in_child(void)
{
	int now = turn;

	alarm(test_seconds(20));
	for (int i = now > 0 ? now - 1 : 0; i < MODULES && i < now + 2; i++)
		if (call_int(stubs[i]) != 1)
			_exit(1);
	_exit(0);
}

TEST(child_of_a_fork_during_loads_can_use_the_modules)
{
	pthread_t loader;
	int forks = 0;

	set_constructor(take_a_moment);
	for (int i = 0; i < MODULES; i++) {
		char name[16];
		snprintf(name, sizeof(name), "m%d.so", i);
		stubs[i] = symbol_of(
			opened(own_copy("good-host-constructor", name), 0),
			"host_ready");
	}
	pthread_create(&loader, NULL, load_them_all, NULL);
	for (; turn < MODULES; forks++) {
		pid_t pid = fork();
		if (pid == 0)
			touch_in_child();
		CHECK(child_succeeds(pid));
		usleep(1000);
	}
	pthread_join(loader, NULL);
	CHECK(forks > 0);
}

static pid_t forked;

static void fork_inside(const char *path)
{
	if (strstr(path, "another.so"))
		return;
	sem_post(&scene.inside);
	sem_post(&scene.inside);
	usleep(CONSTRUCTING_US); /* others come to wait */
	if (!strstr(path, "good-host-constructor.so"))
		return;
	forked = fork();
	if (forked == 0)
		alarm(test_seconds(20));
}

/* A load, for which another thread waits. (ThreadSanitizer has no threads in
 * children of threads.) */
static bool load_with_company(const char *file)
{
	struct dlazy_module *m =
		opened(own_copy("good-host-constructor", file), 0);
	void *stub = symbol_of(m, "host_ready"), *saw_ready = stub;

#ifndef __SANITIZE_THREAD__
	pthread_t other;
	while (sem_trywait(&scene.inside) == 0)
		;
	pthread_create(&other, NULL, call_when_inside, stub);
#endif
	bool ready = call_int(stub) == 1;
#ifndef __SANITIZE_THREAD__
	pthread_join(other, &saw_ready);
#endif
	return ready && saw_ready;
}

/* The child, too, ends the load that its constructor is in, and goes on. */
static void check_forked(void *ready)
{
	if (forked != 0) {
		CHECK(child_succeeds(forked));
		return;
	}
	for (int i = 0; i < 5; i++) {
		char name[16];
		snprintf(name, sizeof(name), "m%d.so", i);
		if (!load_with_company(name))
			_exit(1);
	}
	_exit(call_int(ready) != 1);
}

TEST(constructor_may_fork)
{
	needs_stubs();
	set_scene(fork_inside);
	CHECK_INT(call_int(scene.stub), 1);
	check_forked(scene.stub);
}

TEST(constructor_may_fork_while_others_wait_for_it)
{
	needs_stubs();
	pthread_t same, another;
	void *saw_ready;

	set_scene(fork_inside);
	void *stub = symbol_of(
		opened(own_copy("good-host-constructor", "another.so"), 0),
		"host_ready");
	pthread_create(&same, NULL, call_when_inside, scene.stub);
	pthread_create(&another, NULL, call_when_inside, stub);
	double begun = seconds();
	CHECK_INT(call_int(scene.stub), 1);
	CHECK(seconds() - begun < 0.9);
	if (forked == 0 && call_int(stub) != 1)
		_exit(1);
	check_forked(scene.stub);
	pthread_join(same, &saw_ready);
	CHECK(saw_ready);
	pthread_join(another, &saw_ready);
	CHECK(saw_ready);
}

static atomic_bool done;

static void *ask_for_symbols(void *m)
{
	while (!done)
		CHECK(!dlazy_sym(m, "no_such_symbol"));
	return NULL;
}

TEST(child_of_a_fork_finds_no_lock_taken)
{
	struct dlazy_module *m = opened(test_plugin("good-plain"), 0);
	pthread_t asker;

	pthread_create(&asker, NULL, ask_for_symbols, m);
	for (int i = 0; i < 100; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			alarm(test_seconds(20));
			_exit(call_int(symbol_of(m, "plain_answer")) != 42);
		}
		CHECK(child_succeeds(pid));
	}
	done = true;
	pthread_join(asker, NULL);
}

/* ------------------------------------------------------------------ */
/* Again and again                                                    */

TEST(discarded_module_is_loaded_again_each_time)
{
	needs_stubs();
	struct dlazy_module *m =
		opened(test_plugin("good-host-constructor"), DLAZY_DISCARD);
	void *stub = symbol_of(m, "host_ready");

	for (int i = 0; i < 300; i++) {
		CHECK_INT(call_int(stub), 1);
		CHECK_INT(call_int(stub), 1);
		CHECK_INT(dlazy_unload(m), 0);
		CHECK_INT(dlazy_module_state(m), DLAZY_DECLARED);
	}
}

static void *observe_and_leave(void *unused)
{
	while (!done) {
		CHECK_INT(dlazy_observe(count_events, &done), 0);
		CHECK_INT(dlazy_unobserve(count_events, &done), 0);
		usleep(20); /* valgrind lets who spins go on and on */
	}
	return unused;
}

TEST(observers_come_and_go_while_events_fly)
{
	needs_stubs();
	struct dlazy_module *m =
		opened(test_plugin("good-plain"), DLAZY_DISCARD);
	void *stub = symbol_of(m, "plain_answer");
	pthread_t observer;

	CHECK_INT(dlazy_observe(count_events, NULL), 0);
	pthread_create(&observer, NULL, observe_and_leave, NULL);
	for (int i = 0; i < 300; i++) {
		CHECK_INT(call_int(stub), 42);
		CHECK_INT(dlazy_unload(m), 0);
	}
	done = true;
	pthread_join(observer, NULL);
	CHECK(kinds[DLAZY_EVENT_LOADED] >= 300);
}

static void *walk_together(void *data)
{
	struct dlazy_registry *r = data;
	int n = 0;

	pthread_barrier_wait(&start);
	for (struct dlazy_module *m = dlazy_registry_next(r, NULL); m;
	     m = dlazy_registry_next(r, m)) {
		if (dlazy_registry_find(r, dlazy_module_name(m)) != m)
			return NULL;
		n++;
	}
	return truth(n == MODULES && !dlazy_registry_find(r, "none") &&
		     (int)dlazy_registry_count(r) == MODULES);
}

TEST(threads_share_a_registry)
{
	struct dlazy_registry *r = dlazy_registry_new();

	setenv("DLAZY_CACHE_DIR", own_path("cache"), 1);
	for (int i = 0; i < MODULES; i++) {
		char name[32];
		snprintf(name, sizeof(name), "plugin%d.so", i);
		own_copy("good-plain", name);
	}
	CHECK_INT(dlazy_registry_add_dir(r, test_directory(), 0), 0);
	CHECK_INT(run_threads(THREADS, walk_together, r), 0);
	dlazy_registry_free(r);
}
