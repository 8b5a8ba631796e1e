/* SPDX-License-Identifier: MIT */
/*
 * Linked stubs at run time: the first call loads the library that they stand
 * for, as any module is loaded. What the slow path keeps is tested in
 * test-stub*; what comes of stub files, in test-linked-files.sh.
 */
#include "tests/unit/linked-stubs.h"
#include "tests/unit/world.h"

#include "load/module.h"
#include "stub/linked.h"

#include <dlazy/stub.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct dlazy_module *module_of(const struct linked *l)
{
	struct dlazy_module *m = dlazy_linked_module(l);

	CHECK(m != NULL);
	return m;
}

static void *slot_of(const struct linked *l, int i)
{
	return atomic_load(&((linked_slot *)linked_at(l, l->slots))[i]);
}

static void stand_for(struct linked *l, const char *plugin)
{
	linked_files(l, test_plugin(plugin), NULL);
}

/* ------------------------------------------------------------------ */
/* The first call                                                     */

TEST(first_call_loads_the_library)
{
	stand_for(&linked_real, "linked-real");
	CHECK_INT(test_mapped("linked-real.so"), 0);
	CHECK_INT(stub_sum(5, 1, 2, 3, 4, 5), 15);
	CHECK(stub_double_sum(2, 1.5, 2.5) == 4);
	CHECK(test_mapped("linked-real.so") > 0);
	CHECK_INT(dlazy_module_state(module_of(&linked_real)), DLAZY_LOADED);
}

TEST(slot_leads_to_the_function_then)
{
	stand_for(&linked_real, "linked-real");
	stub_sum(0);
	CHECK(slot_of(&linked_real, 0) ==
	      dlsym(RTLD_DEFAULT, "linked_real_sum"));
	CHECK(slot_of(&linked_real, 1) == NULL);
}

TEST(library_is_in_the_global_scope)
{
	stand_for(&linked_real, "linked-real");
	CHECK(dlsym(RTLD_DEFAULT, "linked_real_data") == NULL);
	CHECK(stub_where() == dlsym(RTLD_DEFAULT, "linked_real_data"));
}

TEST(stub_file_is_told_where_the_library_is)
{
	const struct linked_state *state =
		linked_at(&linked_real, linked_real.state);
	Dl_info info;

	stand_for(&linked_real, "linked-real");
	CHECK_INT(state->base, 0);
	CHECK(dladdr(stub_where(), &info) != 0);
	CHECK(state->base == (uintptr_t)info.dli_fbase);
}

static void call_sum(void *unused)
{
	(void)unused;
	stub_sum(0);
}

TEST(first_call_obeys_a_phase_that_forbids_loading)
{
	char said[4096];

	stand_for(&linked_host, "good-host-constructor");
	stand_for(&linked_real, "linked-real");
	CHECK_INT(dlazy_forbid_loading("x"), 0);
	int status = test_child(call_sum, NULL, said, sizeof(said));
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	CHECK_IN(said, "in the phase \"x\"");
	CHECK_INT(dlazy_linked_load(&linked_host), -DLAZY_EBUSY);
	CHECK(!strstr(dlazy_error(), "install"));
	CHECK_INT(dlazy_forbid_loading(NULL), 0);
	CHECK_INT(stub_sum(1, 7), 7);
}

static bool is_sanitized(void)
{
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
	return true;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
	return true;
#endif
#endif
	return false;
}

TEST(stubs_of_a_plugin_that_is_reloaded_go_to_its_new_object)
{
	if (is_sanitized())
		test_skip("sanitizers refuse RTLD_DEEPBIND");
	const char *path = own_copy("good-plain", "p.so");
	struct dlazy_module *m = opened(path, 0);

	linked_files(&linked_plain, path, NULL);
	CHECK_INT(stub_plain(), 42);
	CHECK(module_of(&linked_plain) == m);
	for (int i = 0; i < 3; i++) {
		own_copy(i % 2 ? "good-plain" : "good-plain-other", "new");
		CHECK_INT(rename(own_path("new"), path), 0);
		CHECK_INT(dlazy_reload(m), 0);
		CHECK(!slot_of(&linked_plain, 0));
		CHECK_INT(stub_plain(), i % 2 ? 42 : 43);
		CHECK(slot_of(&linked_plain, 0) != NULL);
		CHECK_INT(stub_plain(), i % 2 ? 42 : 43);
	}
}

/* A stub's first call made the module, and no host. */
TEST(library_of_stubs_is_reloaded)
{
	if (is_sanitized())
		test_skip("sanitizers refuse RTLD_DEEPBIND");
	const char *path = own_copy("good-plain", "p.so");

	linked_files(&linked_alone, path, NULL);
	struct dlazy_module *m = module_of(&linked_alone);
	/* Its file is looked for when it is loaded. */
	CHECK_INT(dlazy_reload(m), 0);
	CHECK_INT(dlazy_module_state(m), DLAZY_DECLARED);
	CHECK_INT(stub_alone(), 42);
	CHECK_INT(dlazy_reload(m), -DLAZY_EFORMAT);
	for (int i = 0; i < 3; i++) {
		own_copy(i % 2 ? "good-plain" : "good-plain-other", "new");
		CHECK_INT(rename(own_path("new"), path), 0);
		CHECK_INT(dlazy_reload(m), 0);
		CHECK(!slot_of(&linked_alone, 0));
		CHECK_INT(stub_alone(), i % 2 ? 42 : 43);
		CHECK(slot_of(&linked_alone, 0) != NULL);
		CHECK(opened(path, 0) == m);
	}
	CHECK(test_mapped("p.so (deleted)") > 0);
}

/* What is loaded is known, and not what was found some time before. */
TEST(library_that_is_replaced_before_its_first_call_is_the_new_file)
{
	const char *path = own_copy("good-plain", "p.so");

	linked_files(&linked_alone, path, NULL);
	struct dlazy_module *m = module_of(&linked_alone);
	own_copy("good-plain-other", "new");
	CHECK_INT(rename(own_path("new"), path), 0);
	CHECK_INT(stub_alone(), 43);
	CHECK_INT(dlazy_reload(m), -DLAZY_EFORMAT);
	CHECK(opened(path, 0) == m);
}

TEST(library_of_stubs_that_has_failed_is_loaded_by_a_reload)
{
	linked_files(&linked_alone, own_path("p.so"), NULL);
	struct dlazy_module *m = module_of(&linked_alone);

	CHECK_INT(dlazy_load(m), -DLAZY_ENOENT);
	own_copy("good-plain", "p.so");
	CHECK_INT(dlazy_reload(m), 0);
	CHECK_INT(dlazy_module_state(m), DLAZY_LOADED);
}

/* As in an LD_LIBRARY_PATH with "." in it: nobody knows what "." was. */
TEST(library_that_was_found_by_a_relative_path_is_not_reloaded)
{
	world_library("p.so", "int plain_answer(void) { return 42; }", "");
	CHECK_INT(chdir(test_directory()), 0);
	CHECK(dlopen("./p.so", RTLD_NOW) != NULL);
	linked_files(&linked_alone, "p.so", NULL);
	CHECK_INT(stub_alone(), 42);
	CHECK_INT(dlazy_reload(module_of(&linked_alone)), -DLAZY_EBUSY);
	CHECK_IN(dlazy_error(), "relative path");
}

TEST(library_that_a_run_stands_for_is_not_reloaded)
{
	const char *path = own_copy("good-plain", "p.so");

	linked_files(&linked_plain, path, NULL);
	CHECK_INT(stub_plain(), 42);
	own_copy("good-plain-other", "new");
	CHECK_INT(rename(own_path("new"), path), 0);
	CHECK_INT(dlazy_reload(module_of(&linked_plain)), -DLAZY_EBUSY);
	CHECK_IN(dlazy_error(), "one build");
	CHECK_INT(stub_plain(), 42);
}

/* Whichever stub file was first. */
TEST(library_that_a_run_stands_for_too_is_not_reloaded)
{
	const char *path = own_copy("good-plain", "p.so");

	linked_files(&linked_alone, path, NULL);
	linked_files(&linked_plain, path, NULL);
	CHECK_INT(stub_alone(), 42);
	CHECK_INT(stub_plain(), 42);
	CHECK(module_of(&linked_alone) == module_of(&linked_plain));
	own_copy("good-plain-other", "new");
	CHECK_INT(rename(own_path("new"), path), 0);
	CHECK_INT(dlazy_reload(module_of(&linked_alone)), -DLAZY_EBUSY);
	CHECK_IN(dlazy_error(), "one build");
	CHECK_INT(stub_alone(), 42);
}

/* From here on only read, write, _exit and sigreturn. */
static void sum_in_a_sandbox(void *unused)
{
	(void)unused;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) < 0)
		_exit(4);
	int ok = stub_sum(2, 40, 2) == 42 && stub_sum(1, 7) == 7;
	syscall(SYS_exit, ok ? 0 : 5);
}

TEST(first_call_after_a_seal_makes_no_system_call)
{
	char said[4096];

	if (is_sanitized() || getenv("TEST_SLOW"))
		test_skip("sanitizers and valgrind make system calls of their "
			  "own");
#ifndef __GLIBC__
	test_skip("the linker is asked");
#endif
	stand_for(&linked_real, "linked-real");
	CHECK_INT(dlazy_linked_load(&linked_real), 0);
	CHECK_INT(dlazy_seal(), 0);
	int status = test_child(sum_in_a_sandbox, NULL, said, sizeof(said));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 4)
		test_skip("no seccomp here");
	CHECK_INT(status, 0);
}

TEST(elf_file_is_not_read)
{
	stand_for(&linked_real, "linked-real");
	stub_sum(0);
	CHECK(module_of(&linked_real)->view == NULL);
}

TEST(errno_is_kept)
{
	stand_for(&linked_real, "linked-real");
	errno = EBADF;
	stub_sum(0);
	CHECK_INT(errno, EBADF);
}

TEST(version_is_asked_for)
{
	stand_for(&linked_versions, "good-versions");
	CHECK_INT(stub_v1(), 1);
	CHECK_INT(stub_v2(), 2);
	CHECK_INT(stub_default(), 2);
}

TEST(indirect_function_is_resolved)
{
	stand_for(&linked_host, "good-host-constructor");
	CHECK_INT(stub_chosen(), 1);
	CHECK(slot_of(&linked_host, 2) == dlsym(RTLD_DEFAULT, "host_ready"));
}

static _Atomic(int) kinds[DLAZY_EVENT_UNLOADED + 1];
static char touched[64];

static void count_events(const struct dlazy_event *event, void *data)
{
	(void)data;
	kinds[event->kind]++;
	if (event->kind == DLAZY_EVENT_TOUCH)
		snprintf(touched, sizeof(touched), "%s", event->symbol);
}

TEST(events_are_told_as_of_any_module)
{
	stand_for(&linked_versions, "good-versions");
	CHECK_INT(dlazy_observe(count_events, NULL), 0);
	stub_v1();
	stub_v1();
	CHECK_INT(kinds[DLAZY_EVENT_TOUCH], 1);
	CHECK_INT(kinds[DLAZY_EVENT_LOADING], 1);
	CHECK_INT(kinds[DLAZY_EVENT_LOADED], 1);
	CHECK_STR(touched, "versions_answer");
}

/* ------------------------------------------------------------------ */
/* Constructors, threads, fork                                        */

static int seen;

static void call_own_library(const char *path)
{
	(void)path;
	seen = stub_runs();
	CHECK(slot_of(&linked_host, 1) == NULL);
	CHECK_INT(dlazy_module_state(module_of(&linked_host)), DLAZY_LOADING);
}

TEST(constructor_may_call_its_own_stub)
{
	set_constructor(call_own_library);
	stand_for(&linked_host, "good-host-constructor");
	CHECK_INT(stub_ready(), 1);
	CHECK_INT(seen, 1);
	CHECK(slot_of(&linked_host, 0) != NULL);
}

static void call_other_library(const char *path)
{
	(void)path;
	seen = stub_sum(2, 20, 22);
}

TEST(constructor_may_call_another_librarys_stub)
{
	set_constructor(call_other_library);
	stand_for(&linked_real, "linked-real");
	stand_for(&linked_host, "good-host-constructor");
	CHECK_INT(stub_ready(), 1);
	CHECK_INT(seen, 42);
}

static void take_time(const char *path)
{
	(void)path;
	usleep(50000);
}

static pthread_barrier_t start;

static void *call_together(void *data)
{
	pthread_barrier_wait(&start);
	return stub_ready() == 1 ? data : NULL;
}

TEST(threads_construct_once_and_see_it_ready)
{
	enum { THREADS = 32 };
	pthread_t threads[THREADS];

	set_constructor(take_time);
	stand_for(&linked_host, "good-host-constructor");
	dlazy_observe(count_events, NULL);
	pthread_barrier_init(&start, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, call_together, &start);
	for (int i = 0; i < THREADS; i++) {
		void *result;
		pthread_join(threads[i], &result);
		CHECK(result != NULL);
	}
	CHECK_INT(stub_runs(), 1);
	CHECK_INT(kinds[DLAZY_EVENT_LOADED], 1);
	CHECK_INT(kinds[DLAZY_EVENT_TOUCH], 2); /* host_ready, host_runs */
}

/* With the C library alone it would do on this one. */
TEST(first_call_fits_on_the_smallest_stack)
{
	pthread_attr_t smallest;
	pthread_t thread;
	void *result;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	test_skip("a sanitizer needs more");
#endif
	stand_for(&linked_host, "good-host-constructor");
	pthread_attr_init(&smallest);
	CHECK_INT(pthread_attr_setstacksize(
			  &smallest, (size_t)sysconf(_SC_THREAD_STACK_MIN)),
		  0);
	pthread_barrier_init(&start, NULL, 1);
	CHECK_INT(pthread_create(&thread, &smallest, call_together, &start), 0);
	pthread_join(thread, &result);
	CHECK(result != NULL);
}

static void *call_alone(void *data)
{
	return stub_ready() ? data : NULL;
}

static void *joined_result;

static void join_a_caller(const char *path)
{
	pthread_t thread;

	(void)path;
	pthread_create(&thread, NULL, call_alone, &start);
	pthread_join(thread, &joined_result);
}

/* The thread must not wait for the linker's lock; it is let in as the
 * constructor's own calls would be, and finds it not ready. */
TEST(constructor_may_join_a_thread_that_calls_its_library)
{
	if (getenv("TEST_RUN"))
		test_skip("emulated: what a thread waits for is not shown");
	set_constructor(join_a_caller);
	stand_for(&linked_host, "good-host-constructor");
	CHECK_INT(stub_ready(), 1);
	CHECK(joined_result == NULL);
}

static void fork_here(const char *path)
{
	int status;
	pid_t pid = fork();

	(void)path;
	if (pid == 0)
		_exit(stub_runs() + 10);
	waitpid(pid, &status, 0);
	seen = WEXITSTATUS(status);
}

TEST(child_forked_by_a_constructor_calls_its_library)
{
	test_leaves_dlopen();
	set_constructor(fork_here);
	stand_for(&linked_host, "good-host-constructor");
	CHECK_INT(stub_ready(), 1);
	CHECK_INT(seen, 11);
}

TEST(child_forked_during_a_load_calls_the_library)
{
	pthread_t thread;
	int status;

	set_constructor(take_time);
	stand_for(&linked_host, "good-host-constructor");
	pthread_create(&thread, NULL, call_alone, &start);
	usleep(10000);
	pid_t pid = fork();
	if (pid == 0)
		_exit(stub_ready() + 10);
	waitpid(pid, &status, 0);
	CHECK_INT(WEXITSTATUS(status), 11);
	pthread_join(thread, NULL);
}

static _Atomic(bool) is_over;

static void *look_for_it(void *data)
{
	while (!is_over)
		dlazy_linked_available(data);
	return NULL;
}

/* glibc leaves a lock to the child that a walk over its objects holds. */
TEST(child_forked_while_another_thread_looks_for_a_library)
{
	int rounds = getenv("TEST_SLOW") ? 30 : 500, status = 0;
	pthread_t thread;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	test_skip("a child inherits locks of the sanitizer's malloc");
#endif
	linked_files(&linked_real, "liblinked-nowhere.so.7", NULL);
	pthread_create(&thread, NULL, look_for_it, &linked_real);
	for (int i = 0; i < rounds && status == 0; i++) {
		pid_t pid = fork();
		if (pid == 0)
			_exit(dlazy_linked_available(&linked_real));
		waitpid(pid, &status, 0);
	}
	is_over = true;
	CHECK_INT(status, 0);
	pthread_join(thread, NULL);
}

/* ------------------------------------------------------------------ */
/* Where the library is                                               */

TEST(files_are_tried_in_order)
{
	linked_files(&linked_real, "/nonexistent/linked-real.so",
		     test_plugin("linked-real"));
	CHECK_INT(stub_sum(2, 1, 2), 3);
	CHECK_STR(dlazy_module_path(module_of(&linked_real)),
		  test_plugin("linked-real"));
}

TEST(file_that_cannot_be_loaded_is_passed_over)
{
	linked_files(&linked_real, test_plugin("bad-missing-library"),
		     test_plugin("linked-real"));
	CHECK_INT(stub_sum(2, 1, 2), 3);
}

TEST(bare_name_is_searched)
{
	started_with(test_directory());
	const char *path = own_copy("linked-real", "liblinked-real.so.1");
	linked_files(&linked_real, "liblinked-real.so.1", NULL);
	CHECK_INT(stub_sum(2, 1, 2), 3);
	CHECK_STR(dlazy_module_path(module_of(&linked_real)), path);
}

/* Of a bare name's, which the linker would take, too. */
TEST(library_that_is_there_already_is_taken)
{
	void *handle = dlopen(test_plugin("linked-real"), RTLD_NOW);

	linked_files(&linked_real, "libc.so.6", NULL);
	CHECK(strstr(dlazy_module_path(module_of(&linked_real)), "libc.so.6"));
	dlclose(handle);
}

static void *open_plainly(void *name)
{
	return dlopen(name, RTLD_NOW);
}

/* Another thread has opened it, and nothing but the linker's lock is between. */
static pthread_t open_elsewhere(const char *name)
{
	pthread_t thread;

	CHECK_INT(pthread_create(&thread, NULL, open_plainly, (void *)name), 0);
	while (!test_mapped(name))
		usleep(1000);
	return thread;
}

static void check_opened(pthread_t thread)
{
	void *handle;

	pthread_join(thread, &handle);
	CHECK(handle != NULL);
}

TEST(library_that_another_thread_opens_is_taken)
{
	pthread_t thread = open_elsewhere(test_plugin("linked-real"));

	stand_for(&linked_real, "linked-real");
	CHECK_INT(stub_sum(2, 1, 2), 3);
	check_opened(thread);
}

TEST(name_that_another_thread_opens_is_taken)
{
	pthread_t thread = open_elsewhere("libresolv.so.2");

	linked_files(&linked_real, "libresolv.so.2", NULL);
	CHECK_IN(dlazy_module_path(module_of(&linked_real)), "libresolv.so.2");
	check_opened(thread);
}

TEST(availability_is_told_without_loading)
{
	linked_files(&linked_real, "liblinked-nowhere.so.7", NULL);
	CHECK_INT(dlazy_linked_available(&linked_real), 0);
	stand_for(&linked_real, "linked-real");
	CHECK_INT(dlazy_linked_available(&linked_real), 1);
	CHECK_INT(test_mapped("linked-real.so"), 0);
}

TEST(library_is_loaded_early_on_demand)
{
	stand_for(&linked_real, "linked-real");
	CHECK_INT(dlazy_linked_load(&linked_real), 0);
	CHECK_INT(dlazy_module_state(module_of(&linked_real)), DLAZY_LOADED);
	CHECK_INT(dlazy_linked_load(&linked_real), 0);
}

TEST(host_that_opens_the_library_gets_the_same_module)
{
	stand_for(&linked_real, "linked-real");
	CHECK_INT(stub_sum(2, 1, 2), 3);
	CHECK(dlazy_open(test_plugin("linked-real"), 0) ==
	      module_of(&linked_real));
}

TEST(library_that_the_host_opened_is_the_same_module)
{
	struct dlazy_module *m = opened(test_plugin("linked-real"), 0);

	CHECK_INT(dlazy_load(m), 0);
	CHECK(dlsym(RTLD_DEFAULT, "linked_real_data") == NULL);
	stand_for(&linked_real, "linked-real");
	CHECK_INT(stub_sum(2, 1, 2), 3);
	CHECK(module_of(&linked_real) == m);
	CHECK_INT(dlazy_close(m), 0);
	CHECK_INT(dlazy_module_state(m), DLAZY_LOADED);
	/* Linked, it would have been in the global scope. */
	CHECK(dlsym(RTLD_DEFAULT, "linked_real_data") != NULL);
}

TEST(symbols_are_found_in_a_linked_module)
{
	stand_for(&linked_real, "linked-real");
	struct dlazy_module *m =
		opened(test_plugin("linked-real"), DLAZY_DISCARD);

	CHECK(symbol_of(m, "linked_real_sum") != NULL);
	CHECK(dlazy_sym(m, "linked_real_gone") == NULL);
}

TEST(linked_module_is_never_discarded)
{
	stand_for(&linked_real, "linked-real");
	stub_sum(0);
	struct dlazy_module *m =
		opened(test_plugin("linked-real"), DLAZY_DISCARD);

	CHECK_INT(dlazy_unload(m), -DLAZY_EBUSY);
	CHECK_INT(stub_sum(2, 1, 2), 3);
}

/* ------------------------------------------------------------------ */
/* Failures                                                           */

static struct {
	int calls, status;
	struct dlazy_module *module;
	char symbol[64], message[1024];
} told;

static int replacement(void)
{
	return 1000;
}

static void *replace(const struct dlazy_failure *failure, void *data)
{
	(void)data;
	told.calls++;
	told.status = failure->status;
	told.module = failure->module;
	snprintf(told.symbol, sizeof(told.symbol), "%s", failure->symbol);
	snprintf(told.message, sizeof(told.message), "%s", failure->message);
	return (void *)replacement;
}

static void call_missing(void *data)
{
	(void)data;
	linked_files(&linked_host, "/nonexistent/libpng16.so.16",
		     "libpng-nowhere.so.7");
	stub_ready();
}

TEST(missing_library_is_said_with_what_to_install)
{
	char said[4096];
	int status = test_child(call_missing, NULL, said, sizeof(said));

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	CHECK_IN(said, "host_ready() of module \"libpng16\"");
	CHECK_IN(said, "PNG export is not available: install libpng16-16");
	CHECK_IN(said, "/nonexistent/libpng16.so.16, libpng-nowhere.so.7");
	CHECK_IN(said, "ld.so.cache");
	CHECK_IN(said, "called:   by ");
	CHECK_IN(said, "to do:    install libpng16-16, or name its directory "
		       "in LD_LIBRARY_PATH");
}

static void call_missing_of_a_run(void *unused)
{
	(void)unused;
	linked_files(&linked_real, "/nonexistent/libsum.so.1", NULL);
	stub_sum(0);
}

TEST(missing_library_of_a_run_is_said_with_the_option_that_spares_it)
{
	char said[4096];
	int status =
		test_child(call_missing_of_a_run, NULL, said, sizeof(said));

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	CHECK_IN(said, "to do:    run it with `dlazy run --eager='libsum*'`");
}

TEST(missing_library_has_a_module_with_a_hook)
{
	linked_files(&linked_plain, own_path("libplain.so"), NULL);
	struct dlazy_module *m = module_of(&linked_plain);

	CHECK_STR(dlazy_module_name(m), "libplain");
	CHECK_INT(dlazy_module_state(m), DLAZY_DECLARED);
	CHECK_INT(dlazy_on_failure(m, replace, NULL), 0);
	CHECK_INT(stub_plain(), 1000);
	CHECK_INT(told.status, -DLAZY_ENOENT);
	CHECK(told.module == m);
	CHECK_STR(told.symbol, "plain_answer");
	CHECK_IN(told.message, "install plain");
	CHECK_INT(dlazy_module_state(m), DLAZY_FAILED);
}

TEST(stub_file_of_a_later_version_is_refused)
{
	linked_files(&linked_plain, test_plugin("good-plain"), NULL);
	linked_plain.abi = LINKED_ABI_LATEST + 1;
	CHECK_INT(dlazy_linked_load(&linked_plain), -DLAZY_ENOSYS);
	CHECK_IN(dlazy_error(), "later libdlazy");
	CHECK_INT(dlazy_on_failure(NULL, replace, NULL), 0);
	CHECK_INT(stub_plain(), 1000);
	CHECK_INT(told.status, -DLAZY_ENOSYS);
	linked_plain.abi = LINKED_ABI;
	CHECK_INT(dlazy_linked_load(&linked_plain), 0);
}

TEST(hook_for_a_library_is_never_the_process_hook)
{
	linked_files(&linked_plain, own_path("libplain.so"), NULL);
	linked_files(&linked_real, own_path("libreal.so"), NULL);
	CHECK_INT(dlazy_linked_on_failure(replace, NULL, &linked_plain), 0);
	CHECK_INT(stub_plain(), 1000);
	CHECK_INT(dlazy_linked_on_failure(NULL, NULL, &linked_plain), 0);
	CHECK_INT(dlazy_linked_on_failure(replace, NULL, &linked_real), 0);
	CHECK_INT(dlazy_linked_load(&linked_plain), -DLAZY_ENOENT);
	CHECK_INT(told.calls, 1);
}

TEST(process_hook_is_asked_too)
{
	linked_files(&linked_plain, own_path("libplain.so"), NULL);
	CHECK_INT(dlazy_on_failure(NULL, replace, NULL), 0);
	CHECK_INT(stub_plain(), 1000);
}

TEST(replacement_holds_until_the_library_is_loaded)
{
	linked_files(&linked_plain, own_path("libplain.so"), NULL);
	dlazy_on_failure(NULL, replace, NULL);
	for (int i = 0; i < 3; i++)
		CHECK_INT(stub_plain(), 1000);
	CHECK_INT(told.calls, 1);
	own_copy("good-plain", "libplain.so");
	CHECK_INT(dlazy_linked_load(&linked_plain), 0);
	CHECK_INT(stub_plain(), 42);
	CHECK_INT(told.calls, 1);
}

/* Whether a file can be opened, from here on. */
static void allow_descriptors(bool allowed)
{
	struct rlimit limit;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	CHECK_INT(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = allowed ? 64 : (rlim_t)fd;
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &limit), 0);
	if (fd >= 0)
		close(fd);
}

TEST(replacement_for_want_of_descriptors_is_for_one_call)
{
	own_copy("good-plain", "libplain.so");
	linked_files(&linked_plain, own_path("libplain.so"), NULL);
	dlazy_on_failure(NULL, replace, NULL);
	allow_descriptors(false);
	CHECK_INT(stub_plain(), 1000);
	CHECK_INT(stub_plain(), 1000);
	CHECK_INT(told.calls, 2);
	allow_descriptors(true);
	CHECK_INT(stub_plain(), 42);
	CHECK_INT(told.calls, 2);
}

static void *decline(const struct dlazy_failure *failure, void *data)
{
	(void)failure;
	*(int *)data += 1;
	return (void *)replacement;
}

TEST(library_that_gets_installed_is_found)
{
	int failures = 0;

	linked_files(&linked_real, "/nonexistent/a.so", own_path("b.so"));
	dlazy_on_failure(NULL, decline, &failures);
	CHECK_INT(stub_sum(0), 1000);
	stub_double_sum(0); /* what that returns is not what replacement does */
	stub_double_sum(0);
	CHECK_INT(failures, 2);
	own_copy("linked-real", "b.so");
	CHECK(stub_where() != (void *)replacement);
	CHECK_INT(failures, 2);
	CHECK_INT(stub_sum(2, 1, 2), 3);
	CHECK_STR(dlazy_module_path(module_of(&linked_real)), own_path("b.so"));
}

TEST(library_that_was_broken_and_is_replaced_is_loaded)
{
	linked_files(&linked_plain, own_copy("bad-missing-symbol", "p.so"),
		     NULL);
	dlazy_on_failure(NULL, replace, NULL);
	module_of(&linked_plain)->flags = RTLD_NOW | RTLD_GLOBAL;
	CHECK(dlazy_linked_load(&linked_plain) < 0);
	CHECK_IN(dlazy_error(), "undefined symbol");
	CHECK(unlink(own_path("p.so")) == 0);
	own_copy("good-plain", "p.so");
	CHECK_INT(stub_plain(), 42);
}

TEST(symbol_that_is_gone_is_said)
{
	stand_for(&linked_real, "linked-real");
	dlazy_on_failure(NULL, replace, NULL);
	CHECK_INT(stub_gone(), 1000);
	CHECK_INT(told.status, -DLAZY_ENOSYM);
	CHECK_IN(told.message, "sums is not available: ");
	CHECK_IN(told.message, "linked-real.so does not have linked_real_gone");
	CHECK_INT(stub_sum(2, 1, 2), 3);
}

TEST(version_that_is_gone_is_said)
{
	stand_for(&linked_versions, "good-versions");
	dlazy_on_failure(NULL, replace, NULL);
	CHECK_INT(stub_v3(), 1000);
	CHECK_IN(told.message, "versions_answer@V3");
	CHECK_STR(told.symbol, "versions_answer");
}

TEST(load_that_fails_is_told)
{
	linked_files(&linked_host, "/nonexistent/libpng16.so.16", NULL);
	CHECK_INT(dlazy_linked_load(&linked_host), -DLAZY_ENOENT);
	CHECK_IN(dlazy_error(), "install libpng16-16");
}

/* ------------------------------------------------------------------ */
/* Data                                                               */

TEST(data_are_the_librarys_own)
{
	stand_for(&linked_real, "linked-real");
	int *data = dlazy_linked_data(&linked_real, SYMBOL_DATA);

	CHECK_INT(*data, 42);
	CHECK(data == stub_where());
	CHECK_INT(dlazy_module_state(module_of(&linked_real)), DLAZY_LOADED);
}

TEST(data_that_are_gone_are_said)
{
	stand_for(&linked_real, "linked-real");
	dlazy_on_failure(NULL, replace, NULL);
	CHECK(dlazy_linked_data(&linked_real, SYMBOL_GONE_DATA) ==
	      (void *)replacement);
	CHECK_IN(told.message, "does not have linked_real_gone_data");
}

static void ask_for_data(const char *path)
{
	(void)path;
	for (int i = 0; i < 2; i++)
		CHECK(dlazy_linked_data(&linked_host, 1) != NULL);
	CHECK_INT(dlazy_module_state(module_of(&linked_host)), DLAZY_LOADING);
}

TEST(constructor_may_ask_for_its_own_data)
{
	set_constructor(ask_for_data);
	stand_for(&linked_host, "good-host-constructor");
	CHECK_INT(stub_ready(), 1);
}

static void ask_in_a_plain_load(const char *path)
{
	(void)path;
	for (int i = 0; i < 2; i++)
		CHECK(dlazy_linked_data(&linked_host, 1) != NULL);
	CHECK(dlazy_module_state(module_of(&linked_host)) != DLAZY_LOADED);
	seen++;
}

/* A library that the program opens by its path is in its constructor, or being
 * relocated, and is not to be had for others yet. */
TEST(data_of_a_library_in_a_plain_load_publish_nothing)
{
	set_constructor(ask_in_a_plain_load);
	stand_for(&linked_host, "good-host-constructor");
	CHECK(dlopen(test_plugin("good-host-constructor"), RTLD_NOW) != NULL);
	CHECK_INT(seen, 1);
	CHECK_INT(stub_ready(), 1);
	CHECK_INT(dlazy_module_state(module_of(&linked_host)), DLAZY_LOADED);
}

/* The linker would relocate it a second time if it were just doing that. */
TEST(data_of_a_library_in_a_plain_load_do_not_open_it)
{
	set_constructor(ask_in_a_plain_load);
	stand_for(&linked_host, "good-host-constructor");
	CHECK_INT(dlazy_observe(count_events, NULL), 0);
	CHECK(dlopen(test_plugin("good-host-constructor"), RTLD_NOW) != NULL);
	CHECK_INT(seen, 1);
	CHECK_INT(kinds[DLAZY_EVENT_LOADING], 0);
}

static void ask_when_replaced(const char *path)
{
	CHECK(unlink(path) == 0);
	test_copy(test_plugin("good-plain"), path);
	ask_in_a_plain_load(path);
}

/* Its file does not tell any more where in it the data are: the linker does. */
TEST(data_of_a_library_replaced_in_a_plain_load_publish_nothing)
{
	const char *path = own_copy("good-host-constructor", "host.so");

	set_constructor(ask_when_replaced);
	linked_files(&linked_host, path, NULL);
	CHECK(dlopen(path, RTLD_NOW) != NULL);
	CHECK_INT(seen, 1);
	CHECK_INT(stub_ready(), 1);
	CHECK_INT(dlazy_module_state(module_of(&linked_host)), DLAZY_LOADED);
}
