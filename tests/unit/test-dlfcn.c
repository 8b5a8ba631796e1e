/* SPDX-License-Identifier: MIT */
/*
 * <dlazy/dlfcn.h>: a host written for dlopen, with one line changed. Compiled
 * as C++, too (test-dlfcn-cxx.cc).
 */
#include <dlazy/dlfcn.h>

#include "tests/unit/opened.h"

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

TEST(noload_asks_the_linker)
{
	const char *path = test_plugin("good-plain");

	CHECK(dlopen(path, RTLD_NOW | RTLD_NOLOAD) == NULL);
	void *handle = dlopen(path, RTLD_NOW);
	CHECK_INT(call_int(dlsym(handle, "plain_answer")), 42);
	void *real = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
	CHECK(real != NULL);
	CHECK_INT(call_int(dlsym(real, "plain_answer")), 42);
	CHECK_INT(dlclose(real), 0);
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
