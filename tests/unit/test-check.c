/* SPDX-License-Identifier: MIT */
/*
 * dlazy_check() and DLAZY_CHECK: what a load would fail on, found by reading;
 * what is well is remembered for as long as the files are.
 */
#include <dlazy/dlfcn.h>

#include "tests/unit/opened.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* As long as a file's times may not tell it from its later self, what was read of
 * it is not kept. */
#define SETTLES_US 60000

/* A plugin without the library beside it that it needs. */
static const char *lonely(void)
{
	return own_copy("good-needs-plain", "needs.so");
}

static void bring_library(void)
{
	own_copy("good-plain", "good-plain.so");
}

TEST(what_loads_passes)
{
	struct dlazy_module *m = opened(test_plugin("good-needs-plain"), 0);

	CHECK_INT(dlazy_check(m), 0);
	CHECK(dlazy_error() == NULL);
	CHECK_INT(test_mapped("good-plain.so"), 0);
	CHECK_INT(dlazy_load(m), 0);
	CHECK_INT(dlazy_check(m), 0);
}

TEST(missing_library_is_found_and_heals)
{
	struct dlazy_module *m = opened(lonely(), 0);

	CHECK_INT(dlazy_check(m), -DLAZY_EDEPEND);
	CHECK_IN(dlazy_error(), "good-plain.so");
	CHECK_INT(dlazy_module_state(m), DLAZY_DECLARED);
	bring_library();
	CHECK_INT(dlazy_check(m), 0);
	CHECK_INT(unlink(own_path("good-plain.so")), 0);
	CHECK_INT(dlazy_check(m), -DLAZY_EDEPEND);
	bring_library();
	CHECK_INT(dlazy_load(m), 0);
}

TEST(library_that_is_cut_is_found)
{
	struct dlazy_module *m = opened(lonely(), 0);

	bring_library();
	CHECK_INT(dlazy_check(m), 0);
	CHECK_INT(truncate(own_path("good-plain.so"), 5000), 0);
	CHECK_INT(dlazy_check(m), -DLAZY_ELOAD);
	CHECK_IN(dlazy_error(), "truncated");
}

TEST(what_is_kept_of_a_library_is_that_files_alone)
{
	struct dlazy_module *m = opened(lonely(), 0);

	bring_library();
	usleep(SETTLES_US);
	CHECK_INT(dlazy_check(m), 0);
	CHECK_INT(dlazy_check(m), 0);
	CHECK_INT(truncate(own_path("good-plain.so"), 5000), 0);
	CHECK_INT(dlazy_check(m), -DLAZY_ELOAD);
	own_copy("good-plain", "new.so");
	usleep(SETTLES_US);
	CHECK_INT(rename(own_path("new.so"), own_path("good-plain.so")), 0);
	CHECK_INT(dlazy_check(m), 0);
	CHECK_INT(dlazy_check(m), 0);
	CHECK_INT(unlink(own_path("good-plain.so")), 0);
	CHECK_INT(dlazy_check(m), -DLAZY_EDEPEND);
	CHECK_INT(rename(lonely(), own_path("good-plain.so")), 0);
	CHECK_INT(dlazy_check(m), -DLAZY_ENOENT);
}

/* Bytes that this process has read; 0: the kernel does not count them. */
static unsigned long long bytes_read(void)
{
	unsigned long long n = 0;
	FILE *file = fopen("/proc/self/io", "r");

	if (!file || fscanf(file, "rchar: %llu", &n) != 1)
		n = 0;
	if (file)
		fclose(file);
	return n;
}

static unsigned long long bytes_of_check(struct dlazy_module *m)
{
	unsigned long long before = bytes_read();

	CHECK_INT(dlazy_check(m), 0);
	return bytes_read() - before;
}

/* A time to come is not told from that of a change to come. */
static void set_time(const char *path, time_t to)
{
	const struct timespec times[2] = {{to, 1}, {to, 1}};

	CHECK_INT(utimensat(AT_FDCWD, path, times, 0), 0);
}

TEST(library_is_read_once_for_many_plugins)
{
	struct dlazy_module *first = opened(lonely(), 0);
	struct dlazy_module *second =
		opened(own_copy("good-needs-plain", "second.so"), 0);

	if (!bytes_read())
		test_skip("no /proc/self/io");
	bring_library();
	set_time(own_path("good-plain.so"), time(NULL) + 1000);
	bytes_of_check(first);
	unsigned long long read = bytes_of_check(first);
	set_time(own_path("good-plain.so"), time(NULL) - 1000);
	usleep(SETTLES_US);
	bytes_of_check(first);
	CHECK(bytes_of_check(second) < read);
}

TEST(plugin_that_is_gone_is_enoent)
{
	struct dlazy_module *m = opened(lonely(), 0);

	CHECK_INT(unlink(dlazy_module_path(m)), 0);
	CHECK_INT(dlazy_check(m), -DLAZY_ENOENT);
	CHECK_INT(dlazy_check(NULL), -DLAZY_EINVAL);
}

TEST(open_with_check_fails_where_a_load_would)
{
	const char *path = lonely();

	CHECK(dlazy_open(path, DLAZY_CHECK) == NULL);
	CHECK_INT(dlazy_last_status(), -DLAZY_EDEPEND);
	CHECK(dlopen(path, RTLD_NOW) == NULL);
	CHECK_IN(dlerror(), "good-plain.so");
	bring_library();
	CHECK(dlazy_open(path, DLAZY_CHECK) != NULL);
	CHECK_INT(test_mapped("good-plain.so"), 0);
}

TEST(find_fails_for_what_was_added_with_check)
{
	struct dlazy_registry *r = dlazy_registry_new();
	const char *path = lonely();

	CHECK_INT(dlazy_registry_add_file(r, "strict", path, DLAZY_CHECK), 0);
	CHECK(dlazy_registry_find(r, "strict") == NULL);
	CHECK_INT(dlazy_last_status(), -DLAZY_EDEPEND);
	CHECK_INT(dlazy_registry_count(r), 1);
	bring_library();
	CHECK(dlazy_registry_find(r, "strict") != NULL);
	dlazy_registry_free(r);
}

TEST(symbol_of_another_plugin_counts_in_its_registry)
{
	struct dlazy_registry *r = dlazy_registry_new();
	const char *path = test_plugin("bad-missing-symbol");
	struct dlazy_module *m = opened(path, RTLD_NOW);

	CHECK_INT(dlazy_check(m), -DLAZY_ELOAD);
	CHECK_IN(dlazy_error(), "nobody defines");
	CHECK_INT(dlazy_registry_add_file(r, "p", path, RTLD_NOW), 0);
	CHECK_INT(dlazy_check(m), -DLAZY_ELOAD);
	dlazy_registry_free(r);
}

TEST(function_that_is_bound_late_is_not_asked_for)
{
	struct dlazy_module *m =
		opened(test_plugin("bad-missing-symbol"), RTLD_LAZY);
	bool loads = dlazy_load(m) == 0;

	CHECK_INT(dlazy_check(m) == 0, loads);
}
