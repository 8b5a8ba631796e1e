/* SPDX-License-Identifier: MIT */
/*
 * Who looks for the library of a linked stub: the dynamic linker alone, where it
 * finds what this library would find, and also where this library finds nothing.
 *
 * What libc offers for looking at files is this program's own here, as it may be
 * a preloaded object's: the linker does not go through it.
 */
#include "tests/unit/linked-stubs.h"

#include "load/dl.h"
#include "stub/linked.h"

#include <dlazy/dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#undef dlopen
#undef dlclose

#if !defined(__GLIBC__) || defined(__SANITIZE_ADDRESS__) || \
	defined(__SANITIZE_THREAD__)
TEST(who_looks_for_a_library)
{
	test_skip("functions of libc cannot be replaced here");
}
#else

static const char *hidden; /* a part of such paths */
static int looked;

static bool is_hidden(const char *path)
{
	if (!hidden || !strstr(path, hidden))
		return false;
	errno = ENOENT;
	return true;
}

int open(const char *path, int flags, ...)
{
	va_list arguments;

	looked++;
	va_start(arguments, flags);
	int mode = flags & O_CREAT ? va_arg(arguments, int) : 0;
	va_end(arguments);
	return is_hidden(path)
		       ? -1
		       : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
	va_list arguments;

	looked++;
	va_start(arguments, flags);
	int mode = flags & O_CREAT ? va_arg(arguments, int) : 0;
	va_end(arguments);
	return is_hidden(path)
		       ? -1
		       : (int)syscall(SYS_openat, dir, path, flags, mode);
}

int fstatat(int dir, const char *path, struct stat *ret, int flags)
{
	return is_hidden(path)
		       ? -1
		       : (int)syscall(SYS_newfstatat, dir, path, ret, flags);
}

/* In the default directories, and seldom there from the start. */
#define SYSTEM_LIBRARY "libresolv.so.2"

static void needs_plain_search(void)
{
	struct search_origin own = dl_origin_of(&linked_versions);

	if (*own.rpath || *own.runpath)
		test_skip("this program has a RUNPATH");
	void *there = dlopen(SYSTEM_LIBRARY, RTLD_NOW);

	if (!there)
		test_skip("there is no " SYSTEM_LIBRARY);
	dlclose(there);
}

TEST(linker_alone_looks_for_a_bare_name)
{
	needs_plain_search();
	linked_files(&linked_versions, SYSTEM_LIBRARY, NULL);
	CHECK_INT(dlazy_linked_load(&linked_versions), 0);
	CHECK_INT(looked, 0);

	struct dlazy_module *m = dlazy_linked_module(&linked_versions);
	CHECK_INT(dlazy_module_state(m), DLAZY_LOADED);
	CHECK_IN(dlazy_module_path(m), "/" SYSTEM_LIBRARY);
}

TEST(stub_files_of_one_name_have_one_module)
{
	needs_plain_search();
	linked_files(&linked_versions, SYSTEM_LIBRARY, NULL);
	linked_files(&linked_host, SYSTEM_LIBRARY, NULL);
	CHECK_INT(dlazy_linked_load(&linked_versions), 0);
	CHECK_INT(dlazy_linked_load(&linked_host), 0);

	struct dlazy_module *m = dlazy_linked_module(&linked_versions);
	CHECK(dlazy_linked_module(&linked_host) == m);
	CHECK(opened(dlazy_module_path(m), 0) == m);
}

TEST(library_of_an_open_plugin_is_its_module)
{
	void *there = dlopen(SYSTEM_LIBRARY, RTLD_NOW);
	char *path = dl_loaded_path(SYSTEM_LIBRARY);

	if (!there || !path)
		test_skip("there is no " SYSTEM_LIBRARY);
	struct dlazy_module *m = opened(path, 0);
	linked_files(&linked_versions, SYSTEM_LIBRARY, NULL);
	CHECK_INT(dlazy_linked_load(&linked_versions), 0);
	CHECK(dlazy_linked_module(&linked_versions) == m);
}

TEST(linker_is_asked_where_nothing_is_found)
{
	hidden = "linked-real";
	linked_files(&linked_real, test_plugin("linked-real"), NULL);
	CHECK_INT(stub_sum(2, 40, 2), 42);
	CHECK_INT(dlazy_module_state(dlazy_linked_module(&linked_real)),
		  DLAZY_LOADED);
	CHECK_INT(stub_sum(1, 1), 1);
}

static void *call_alone(void *unused)
{
	(void)unused;
	return (void *)(intptr_t)(stub_runs() + 10);
}

static void *joined_result;

static void join_a_caller(const char *path)
{
	pthread_t thread;

	(void)path;
	CHECK_INT(pthread_create(&thread, NULL, call_alone, NULL), 0);
	pthread_join(thread, &joined_result);
}

/* Runs one of these tests in another process, where the linker looks in the
 * directory of the plugins from the start. */
static void run_by_name(const char *test)
{
	const char *plugin = test_plugin("good-host-constructor");
	char *directory =
		strndup(plugin, (size_t)(strrchr(plugin, '/') - plugin));
	int status;
	pid_t child = fork();

	if (child == 0) {
		setenv("LINKED_BY_NAME", "1", 1);
		setenv("LD_LIBRARY_PATH", directory, 1);
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execl("/proc/self/exe", "test-linked-search", test, NULL);
		_exit(99);
	}
	free(directory);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_INT(status, 0);
}

/* It cannot ask the linker, which is at work. */
TEST(thread_that_a_constructor_joins_finds_its_library_by_name)
{
	if (getenv("TEST_RUN") || getenv("TEST_SLOW"))
		test_skip("emulated: what a thread waits for is not shown");
	if (!getenv("LINKED_BY_NAME")) {
		run_by_name("thread_that_a_constructor_joins_finds_its_library_"
			    "by_name");
		return;
	}
	set_constructor(join_a_caller);
	linked_files(&linked_host, test_plugin("good-host-constructor"), NULL);
	CHECK_INT(stub_ready(), 1);
	CHECK_INT((intptr_t)joined_result, 11);
}

TEST(dlfcn_has_the_linker_decide)
{
	hidden = "good-plain";
	void *handle = dlazy_dlopen(test_plugin("good-plain"), RTLD_NOW);

	CHECK(handle != NULL);
	CHECK(dlazy_dlerror() == NULL);
	CHECK_INT(call_int(dlazy_dlsym(handle, "plain_answer")), 42);
	CHECK_INT(dlazy_dlclose(handle), 0);

	hidden = NULL;
	CHECK(dlazy_dlopen("/nonexistent/p.so", RTLD_NOW) == NULL);
	CHECK_IN(dlazy_dlerror(), "/nonexistent/p.so");
	CHECK(dlazy_dlerror() == NULL);
}

TEST(file_of_another_build_is_not_left_to_the_linker)
{
	hidden = "linked-real";
	linked_real.build = linked_real.feature; /* some words */
	linked_real.copied = 1;
	linked_files(&linked_real, test_plugin("linked-real"), NULL);
	CHECK_INT(dlazy_linked_load(&linked_real), -DLAZY_ENOENT);
	CHECK_INT(test_mapped("linked-real.so"), 0);
}

#endif
