/* SPDX-License-Identifier: MIT */
/*
 * <dlazy/dlfcn.h>: a host written for dlopen, with one line changed. Compiled
 * as C++, too (test-dlfcn-cxx.cc).
 */
#include <dlazy/dlfcn.h>

#include "tests/unit/opened.h"

#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <unistd.h>

TEST(host_of_dlopen_is_lazy)
{
	needs_stubs();
	void *handle = dlopen(test_plugin("good-plain"), RTLD_NOW);

	CHECK(handle != NULL);
	void *answer = dlsym(handle, "plain_answer");
	CHECK_INT(test_mapped("good-plain.so"), 0);
	CHECK_INT(call_int(answer), 42);
	CHECK(test_mapped("good-plain.so") > 0);
	CHECK_INT(dlclose(handle), 0);
}

TEST(usual_error_idiom_works)
{
	void *handle = dlopen(test_plugin("good-plain"), RTLD_LAZY);

	dlerror();
	CHECK(dlsym(handle, "plain_answer") != NULL);
	CHECK(dlerror() == NULL);
	CHECK(dlsym(handle, "plain_question") == NULL);
	CHECK_IN(dlerror(), "plain_question");
	CHECK(dlerror() == NULL);
}

TEST(absent_file_is_null_with_words)
{
	dlerror(); /* words that a sanitizer's start leaves */
	CHECK(dlopen("/nonexistent/p.so", RTLD_NOW) == NULL);
	CHECK_IN(dlerror(), "/nonexistent/p.so");
	CHECK(dlerror() == NULL);
}

TEST(program_itself_is_the_real_dlopens)
{
	void *program = dlopen(NULL, RTLD_NOW);

	CHECK(program != NULL);
	CHECK(dlsym(program, "getpid") == dlsym(RTLD_DEFAULT, "getpid"));
	CHECK_INT(dlclose(program), 0);
}

TEST(default_and_next_are_the_real_dlsyms)
{
	CHECK(dlsym(RTLD_DEFAULT, "getpid") != NULL);
	CHECK(dlsym(RTLD_NEXT, "getpid") != NULL);
	dlerror();
	CHECK(dlsym(RTLD_DEFAULT, "dlazy_no_such_symbol") == NULL);
	CHECK_IN(dlerror(), "dlazy_no_such_symbol");
}

TEST(noload_gives_what_is_open)
{
	const char *path = test_plugin("good-plain");

	CHECK(dlopen(path, RTLD_NOW | RTLD_NOLOAD) == NULL);
	void *handle = dlopen(path, RTLD_NOW);
	CHECK(dlopen(path, RTLD_NOW | RTLD_NOLOAD) == handle);
	CHECK_INT(test_mapped("good-plain.so"), 0);
	CHECK_INT(dlclose(handle), 0);
	CHECK_INT(call_int(dlsym(handle, "plain_answer")), 42);
	CHECK_INT(dlclose(handle), 0);
	CHECK(dlclose(handle) != 0);
}

TEST(noload_asks_the_linker_for_what_others_loaded)
{
	void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);

	if (!libc)
		test_skip("this libc has another name");
	CHECK(dlsym(libc, "getpid") == dlsym(RTLD_DEFAULT, "getpid"));
	CHECK_INT(dlclose(libc), 0);
}

TEST(global_objects_are_loaded_and_global)
{
	CHECK(dlopen(test_plugin("good-plain"), RTLD_NOW | RTLD_GLOBAL) !=
	      NULL);
	CHECK_INT(call_int(dlsym(RTLD_DEFAULT, "plain_answer")), 42);
}

TEST(symbols_of_needed_libraries_are_found_without_loading)
{
	needs_stubs();
	void *handle = dlopen(test_plugin("good-needs-plain"), RTLD_NOW);
	void *answer = dlsym(handle, "plain_answer");

	CHECK(answer != NULL);
	CHECK_INT(test_mapped("good-needs-plain.so"), 0);
	CHECK_INT(call_int(answer), 42);
	CHECK_INT(call_int(dlsym(handle, "needs_answer")), 142);
}

TEST(absent_symbol_of_the_closure_loads_nothing)
{
	void *handle = dlopen(test_plugin("good-needs-plain"), RTLD_NOW);

	CHECK(dlsym(handle, "no_such_symbol") == NULL);
	CHECK_IN(dlerror(), "no_such_symbol");
	CHECK_INT(test_mapped("good-needs-plain.so"), 0);
}

TEST(data_is_the_data)
{
	void *handle = dlopen(test_plugin("good-kinds"), RTLD_NOW);
	int data;

	memcpy(&data, dlsym(handle, "kinds_data"), sizeof(data));
	CHECK_INT(data, 7);
}

TEST(handle_is_counted)
{
	const char *path = test_plugin("good-plain");
	void *handle = dlopen(path, RTLD_NOW);

	CHECK(dlopen(path, RTLD_LAZY) == handle);
	CHECK_INT(dlclose(handle), 0);
	CHECK(dlsym(handle, "plain_answer") != NULL);
	CHECK_INT(dlclose(handle), 0);
}

TEST(what_succeeds_leaves_no_error)
{
	void *handle = dlopen(test_plugin("good-plain"), RTLD_NOW);

	CHECK(dlopen("/nonexistent/p.so", RTLD_NOW) == NULL);
	CHECK(dlsym(handle, "plain_answer") != NULL);
	CHECK(dlerror() == NULL);
	CHECK(dlsym(RTLD_DEFAULT, "dlazy_no_such_symbol") == NULL);
	CHECK(dlsym(handle, "plain_answer") != NULL);
	CHECK(dlerror() == NULL);
	CHECK(dlsym(handle, "no_such_symbol") == NULL);
	CHECK(dlsym(RTLD_DEFAULT, "getpid") != NULL);
	CHECK(dlerror() == NULL);
	CHECK(dlsym(handle, "no_such_symbol") == NULL);
	CHECK_INT(dlclose(handle), 0);
	CHECK(dlerror() == NULL);
}

static void *instead(const struct dlazy_failure *failure, void *data)
{
	(void)failure;
	return data;
}

TEST(failing_call_leaves_the_error)
{
	needs_stubs();
	const char *path = own_copy("good-plain", "p.so");
	void *handle = dlopen(path, RTLD_NOW);
	void *answer = dlsym(handle, "plain_answer");

	dlazy_on_failure(NULL, instead, dlsym(RTLD_DEFAULT, "getpid"));
	CHECK(dlsym(handle, "no_such_symbol") == NULL);
	CHECK_INT(truncate(path, 0), 0);
	CHECK_INT(call_int(answer), getpid());
	CHECK_IN(dlerror(), "no_such_symbol");
	CHECK(dlerror() == NULL);
}

/* As dlopen() would have mapped it. */
static void gone_then_called(bool is_replaced)
{
	const char *path = own_copy("good-plain", "p.so");
	const char *other = own_copy("good-plain-other", "q.so");
	void *handle = dlopen(path, RTLD_NOW),
	     *second = dlopen(other, RTLD_NOW);

	CHECK_INT(test_mapped("/proc/self/fd"), 0);
	CHECK_INT(unlink(other), 0);
	CHECK_INT(is_replaced ? rename(own_copy("good-kinds", "new"), path)
			      : unlink(path),
		  0);
	CHECK_INT(call_int(dlsym(second, "plain_news")), 44);
	CHECK_INT(call_int(dlsym(handle, "plain_answer")), 42);
	CHECK_INT(call_int(dlsym(second, "plain_answer")), 43);
	CHECK(dlsym(handle, "kinds_answer") == NULL);
	CHECK_INT(dlclose(handle), 0);
	CHECK_INT(call_int(dlsym(second, "plain_news")), 44);
	CHECK_INT(dlclose(second), 0);
	CHECK_INT(test_mapped("memfd:dlazy"), 0);
	CHECK_INT(test_mapped(".so (deleted)"), 0);
}

TEST(file_that_was_removed_is_the_one_that_was_opened)
{
	needs_stubs();
	gone_then_called(false);
}

TEST(file_that_was_replaced_is_the_one_that_was_opened)
{
	needs_stubs();
	gone_then_called(true);
}

TEST(what_is_held_of_a_file_ends_with_the_handle)
{
	needs_stubs();
	const char *path = own_copy("good-plain", "held.so");
	void *handle = dlopen(path, RTLD_NOW);

	CHECK_INT(test_mapped("held.so"), 1);
	CHECK_INT(dlclose(handle), 0);
	CHECK_INT(test_mapped("held.so"), 0);
	handle = dlopen(path, RTLD_NOW);
	CHECK_INT(call_int(dlsym(handle, "plain_answer")), 42);
	CHECK_INT(dlclose(handle), 0);
	CHECK_INT(test_mapped("held.so"), 0);
}

/* When its stub is called, the number may be another file's. */
TEST(file_of_a_descriptor_is_the_one_that_was_opened)
{
	char path[64];
	int fd = open(test_plugin("good-plain"), O_RDONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (access(path, F_OK) < 0)
		test_skip("there is no /proc");
	void *handle = dlopen(path, RTLD_NOW);
	CHECK(handle != NULL);
	int other = open(test_plugin("good-kinds"), O_RDONLY | O_CLOEXEC);
	CHECK(dup2(other, fd) == fd);
	CHECK_INT(call_int(dlsym(handle, "plain_answer")), 42);
	close(other);
	close(fd);
}

TEST(second_close_is_an_error_with_words)
{
	void *handle = dlopen(test_plugin("good-plain"), RTLD_NOW);

	CHECK_INT(dlclose(handle), 0);
	CHECK_INT(dlclose(handle), -1);
	CHECK_IN(dlerror(), "dlclose");
	CHECK(dlsym(handle, "plain_answer") == NULL);
	CHECK_IN(dlerror(), "dlsym");
	CHECK(dlvsym(handle, "plain_answer", "V1") == NULL);
	CHECK_IN(dlerror(), "dlvsym");
	CHECK_INT(dlinfo(handle, RTLD_DI_LINKMAP, &handle), -1);
	CHECK_IN(dlerror(), "dlinfo");
}

TEST(last_close_unloads)
{
	const char *path = test_plugin("good-kinds");
	void *handle = dlopen(path, RTLD_NOW);

	CHECK(dlopen(path, RTLD_NOW) == handle);
	CHECK(dlsym(handle, "kinds_data") != NULL); /* loads */
	CHECK_INT(dlclose(handle), 0);
	CHECK(test_mapped("good-kinds.so") > 0);
	CHECK_INT(dlclose(handle), 0);
	CHECK_INT(test_mapped("good-kinds.so"), 0);
	CHECK(dlopen(path, RTLD_NOW) == handle);
	CHECK(dlsym(handle, "kinds_data") != NULL);
	CHECK(test_mapped("good-kinds.so") > 0);
}

TEST(stub_is_callable_after_the_last_close)
{
	needs_stubs();
	void *handle = dlopen(test_plugin("good-host-constructor"), RTLD_NOW);
	void *runs = dlsym(handle, "host_runs");

	CHECK_INT(call_int(runs), 1);
	CHECK_INT(dlclose(handle), 0);
	CHECK_INT(test_mapped("good-host-constructor.so"), 0);
	CHECK_INT(call_int(runs), 1);
}

TEST(last_close_leaves_what_others_have)
{
	const char *path = test_plugin("good-plain");
	struct dlazy_module *m = opened(path, 0);
	void *handle = dlopen(path, RTLD_NOW);

	CHECK(handle == m);
	CHECK_INT(call_int(dlsym(handle, "plain_answer")), 42);
	CHECK_INT(dlclose(handle), 0);
	CHECK(test_mapped("good-plain.so") > 0);
	/* It closed what dlazy_open() gave: that promised to leave it. */
	CHECK_INT(dlclose(handle), 0);
	CHECK(test_mapped("good-plain.so") > 0);
}

TEST(nodelete_stays_after_the_last_close)
{
	void *handle =
		dlopen(test_plugin("good-plain"), RTLD_NOW | RTLD_NODELETE);

	CHECK_INT(call_int(dlsym(handle, "plain_answer")), 42);
	CHECK_INT(dlclose(handle), 0);
	CHECK(test_mapped("good-plain.so") > 0);
}

/* A host that reloads by overwriting: the next open reads the file again. */
TEST(file_overwritten_between_close_and_open_is_the_new_one)
{
	const char *path = own_copy("good-plain-other", "p.so");
	void *handle = dlopen(path, RTLD_NOW);

	CHECK_INT(call_int(dlsym(handle, "plain_news")), 44);
	CHECK_INT(dlclose(handle), 0);
	usleep(20000); /* file times have the kernel's tick */
	test_copy(test_plugin("good-plain"), path);
	handle = dlopen(path, RTLD_NOW);
	CHECK_INT(call_int(dlsym(handle, "plain_answer")), 42);
	CHECK(dlsym(handle, "plain_news") == NULL);
}

TEST(mode_without_lazy_or_now_is_an_error)
{
	CHECK(dlopen(test_plugin("good-plain"), 0) == NULL);
	CHECK_IN(dlerror(), "RTLD_NOW");
}

TEST(versions_are_told_apart)
{
	void *handle = dlopen(test_plugin("good-versions"), RTLD_NOW);

	CHECK_INT(call_int(dlvsym(handle, "versions_answer", "V1")), 1);
	CHECK_INT(call_int(dlvsym(handle, "versions_answer", "V2")), 2);
	CHECK(dlvsym(handle, "versions_answer", "V3") == NULL);
	CHECK_IN(dlerror(), "versions_answer");
}

TEST(dlinfo_loads_and_tells)
{
	void *handle = dlopen(test_plugin("good-plain"), RTLD_NOW);
	struct link_map *map = NULL;

	CHECK_INT(dlinfo(handle, RTLD_DI_LINKMAP, &map), 0);
	CHECK_IN(map->l_name, "good-plain.so");
	CHECK(test_mapped("good-plain.so") > 0);
	CHECK_INT(dlinfo(handle, -1, &map), -1);
	CHECK(dlerror() != NULL);
}

TEST(dladdr_of_a_stub_tells_of_the_function)
{
	void *handle = dlopen(test_plugin("good-plain"), RTLD_NOW);
	void *answer = dlsym(handle, "plain_answer");
	Dl_info info;

	CHECK(dladdr(answer, &info) != 0);
	CHECK_STR(info.dli_sname, "plain_answer");
	CHECK_IN(info.dli_fname, "good-plain.so");
	CHECK(info.dli_saddr == answer);
	CHECK(dladdr(dlsym(RTLD_DEFAULT, "getpid"), &info) != 0);
	CHECK(dladdr((void *)16, &info) == 0);
}

/* Opened again with RTLD_GLOBAL, loaded or not. */
static void promoted(bool loaded, int noload)
{
	const char *path = test_plugin("good-plain");
	void *handle = dlopen(path, RTLD_NOW);

	if (loaded)
		CHECK_INT(call_int(dlsym(handle, "plain_answer")), 42);
	CHECK(dlsym(RTLD_DEFAULT, "plain_answer") == NULL);
	CHECK(dlopen(path, RTLD_NOW | RTLD_GLOBAL | noload) == handle);
	CHECK_INT(call_int(dlsym(RTLD_DEFAULT, "plain_answer")), 42);
}

TEST(later_open_makes_global)
{
	promoted(false, 0);
}

TEST(later_open_makes_global_what_is_loaded)
{
	promoted(true, 0);
}

TEST(noload_makes_global_what_is_loaded)
{
	promoted(true, RTLD_NOLOAD);
}

TEST(origin_in_a_path_is_the_callers_directory)
{
	char path[PATH_MAX];

	CHECK(dlopen("${ORIGIN}/no-such.so", RTLD_NOW) == NULL);
	CHECK_IN(dlerror(), "tests/unit/");
	CHECK(dlopen("$ORIGIN/../fixtures/good-plain.so", RTLD_NOW) != NULL);
	/* What is there as it is written comes first. */
	snprintf(path, sizeof(path), "%s/$LIB.so", test_directory());
	test_copy(test_plugin("good-plain"), path);
	CHECK(dlopen(path, RTLD_NOW) != NULL);
}

/* What was said of a handle a moment ago holds for that handle alone, while it is
 * open. More than once, as a moment may end in between. */
TEST(absent_symbol_of_a_closed_handle_is_no_answer)
{
	for (int i = 0; i < 20; i++) {
		void *handle = dlopen(test_plugin("good-plain"), RTLD_NOW);

		CHECK(dlsym(handle, "no_such_symbol") == NULL);
		CHECK_IN(dlerror(), "no_such_symbol");
		CHECK(dlsym(handle, "no_such_symbol") == NULL);
		CHECK_IN(dlerror(), "no_such_symbol");
		CHECK(dlsym(handle, "no_such_other") == NULL);
		CHECK_IN(dlerror(), "no_such_other");
		CHECK_INT(dlclose(handle), 0);
		CHECK(dlsym(handle, "no_such_symbol") == NULL);
		CHECK_IN(dlerror(), "not an open module");
	}
}

TEST(absent_symbol_of_what_is_loaded_is_absent)
{
	void *handle = dlopen(test_plugin("good-needs-plain"), RTLD_NOW);

	CHECK_INT(dlazy_load((struct dlazy_module *)handle), 0);
	CHECK(dlsym(handle, "no_such_symbol") == NULL);
	CHECK_IN(dlerror(), "neither");
	CHECK(dlsym(handle, "plain_answer") != NULL);
	CHECK(dlerror() == NULL);
}
