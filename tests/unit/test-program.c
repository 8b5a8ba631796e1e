/* SPDX-License-Identifier: MIT */
/*
 * From a command to the program that the dynamic linker starts, and what runs
 * of it touched. (Whole runs are in tests/cli/test-run*.sh.)
 */
#include "tests/test.h"

#include "base/status.h"
#include "link/cache/program.h"
#include "link/cache/runs.h"

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

static char path_buffer[16][PATH_MAX];

/* A path in the test's directory; sixteen at a time. */
static const char *at(const char *name)
{
	static int next;
	char *path = path_buffer[next++ % 16];

	snprintf(path, PATH_MAX, "%s/%s", test_directory(), name);
	return path;
}

static void put(const char *name, const char *text, mode_t mode)
{
	FILE *f = fopen(at(name), "we");

	CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0);
	CHECK_INT(chmod(at(name), mode), 0);
}

/* A script in the test's directory, and who runs it in the end. */
static void check_script(const char *text, const char *executable)
{
	struct program program;

	put("script", text, 0755);
	CHECK_INT(program_find(at("script"), &program), 0);
	CHECK_STR(program.command, at("script"));
	CHECK_STR(program.executable, executable);
	program_clear(&program);
}

TEST(program_without_a_line_is_itself)
{
	check_script("\177ELF", at("script"));
	check_script("", at("script"));
	check_script("# no line", at("script"));
}

TEST(script_is_its_interpreter)
{
	check_script("#!/bin/sh\n", "/bin/sh");
	check_script("#! \t/bin/sh -e \t\n", "/bin/sh");
	check_script("#!/bin/sh", "/bin/sh");
}

TEST(script_of_a_line_without_an_interpreter_is_itself)
{
	check_script("#!\n", at("script"));
	check_script("#!  \n/bin/sh\n", at("script"));
}

TEST(line_that_is_cut_off_is_not_followed)
{
	char text[400] = "#!/";

	memset(text + 3, 'x', 300);
	check_script(text, at("script"));
	/* Its argument may be. */
	memcpy(text, "#!/bin/sh ", 10);
	check_script(text, "/bin/sh");
}

TEST(env_is_seen_through)
{
	put("found", "\177ELF", 0755);
	CHECK_INT(setenv("PATH", test_directory(), 1), 0);
	check_script("#!/usr/bin/env found\n", at("found"));
	check_script("#!/usr/bin/env -S found -x y\n", at("found"));
	check_script("#!/usr/bin/env -S  A=1 B= found\n", at("found"));
	check_script("#!/usr/bin/env -Sfound\n", at("found"));
}

TEST(env_that_is_not_understood_is_itself)
{
	put("found", "\177ELF", 0755);
	/* Not what env would make of it. */
	put("'found'", "\177ELF", 0755);
	CHECK_INT(setenv("PATH", test_directory(), 1), 0);
	check_script("#!/usr/bin/env\n", "/usr/bin/env");
	check_script("#!/usr/bin/env missing\n", "/usr/bin/env");
	check_script("#!/usr/bin/env found x\n", "/usr/bin/env");
	check_script("#!/usr/bin/env A=1\n", "/usr/bin/env");
	check_script("#!/usr/bin/env -i found\n", "/usr/bin/env");
	check_script("#!/usr/bin/env -S -i found\n", "/usr/bin/env");
	check_script("#!/usr/bin/env -S PATH=/ found\n", "/usr/bin/env");
	check_script("#!/usr/bin/env -S LD_PRELOAD=x found\n", "/usr/bin/env");
	check_script("#!/usr/bin/env -S 'found'\n", "/usr/bin/env");
	check_script("#!/usr/bin/env -S ${found}\n", "/usr/bin/env");
}

TEST(launcher_in_the_path_is_gone_past)
{
	struct program program;
	char path[PATH_MAX * 2];

	CHECK_INT(mkdir(at("a"), 0700), 0);
	CHECK_INT(mkdir(at("b"), 0700), 0);
	put("a/command", "#!/bin/dlazy --launcher\n" PROGRAM_LAUNCHER_MARK "\n",
	    0755);
	put("b/command", "\177ELF", 0755);
	snprintf(path, sizeof(path), "%s:%s", at("a"), at("b"));
	CHECK_INT(setenv("PATH", path, 1), 0);
	CHECK_INT(program_find("command", &program), 0);
	CHECK_STR(program.command, at("b/command"));
	program_clear(&program);
	CHECK_INT(unlink(at("b/command")), 0);
	CHECK_INT(program_find("command", &program), -DLAZY_ENOENT);
}

TEST(what_cannot_be_executed_is_told_from_what_is_not_there)
{
	struct program program;

	put("file", "text", 0600);
	CHECK_INT(setenv("PATH", test_directory(), 1), 0);
	CHECK_INT(program_find("file", &program), -DLAZY_EIO);
	CHECK_IN(status_message(), "file");
	CHECK_INT(program_find("no-file", &program), -DLAZY_ENOENT);
	CHECK_IN(status_message(), "no-file");
	CHECK_INT(program_find(test_directory(), &program), -DLAZY_EIO);
	CHECK_INT(program_find("", &program), -DLAZY_ENOENT);
}

TEST(own_directories_are_taken_out_of_a_library_path)
{
	const char *cache = "/c";

	CHECK(!program_own_library_path(cache, NULL));
	CHECK_STR(program_own_library_path(cache, ""), "");
	CHECK_STR(program_own_library_path(cache, "/lib"), "/lib");
	CHECK_STR(program_own_library_path(cache, "/lib:/c/run/k/g"),
		  "/lib:/c/run/k/g");
	CHECK(!program_own_library_path(cache, "/c/run/k/g"));
	CHECK_STR(program_own_library_path(cache, "/c/run/k/g/"), "");
	CHECK_STR(program_own_library_path(cache, "/c/run/k/g:/lib"), "/lib");
	CHECK_STR(program_own_library_path(cache, "/c/run/k/g::"), ":");
}

/* ------------------------------------------------------------------ */

static struct runs open_runs(uint32_t libraries)
{
	struct runs runs = {NULL, 0};

	CHECK(runs_open(at("touched"), libraries, &runs));
	return runs;
}

/* Counts a run that touches the library, as the program's process does. */
static void touch(struct runs *runs, uint32_t number)
{
	struct linked_touch *t = &runs->touched->each[number];

	t->last = runs->touched->runs;
	t->runs++;
	t->functions += 2;
}

TEST(touched_file_is_of_so_many_libraries)
{
	struct runs runs = {NULL, 0};

	CHECK_INT(runs_create(at("touched"), 3, 0), 0);
	runs = open_runs(3);
	runs_close(&runs);
	CHECK(!runs_open(at("touched"), 4, &runs));
	CHECK(!runs_open(at("no-file"), 3, &runs));
	CHECK_INT(truncate(at("touched"), sizeof(struct linked_touched)), 0);
	CHECK(!runs_open(at("touched"), 3, &runs));
	put("touched", "text", 0600);
	CHECK(!runs_open(at("touched"), 3, &runs));
}

TEST(touched_file_is_not_written_through_a_link)
{
	struct stat st;

	put("library", "of that name", 0600);
	CHECK_INT(symlink("library", at("touched.1")), 0);
	CHECK_INT(runs_create(at("touched.1"), 3, 1), -DLAZY_EIO);
	CHECK_INT(stat(at("library"), &st), 0);
	CHECK_INT(st.st_size, strlen("of that name"));
}

TEST(what_all_runs_touched_is_told_from_what_some_did)
{
	CHECK_INT(runs_create(at("touched"), 3, 0), 0);
	struct runs runs = open_runs(3);

	for (int i = 0; i < 3; i++) {
		CHECK_INT(runs_begin(&runs), i);
		touch(&runs, 0);
		if (i == 1)
			touch(&runs, 1);
	}
	CHECK_INT(runs_count(&runs), 3);
	CHECK(runs_touched_by_all(&runs, 0, 3));
	CHECK(!runs_touched_by_all(&runs, 1, 3));
	CHECK(!runs_touched_by_all(&runs, 2, 3));
	CHECK(!runs_touched_by_all(&runs, 0, 0));
	CHECK(runs_touched_by_last(&runs, 0));
	CHECK(!runs_touched_by_last(&runs, 1));
	CHECK(!runs_touched_by_last(&runs, 99));
	runs_close(&runs);
}

TEST(touched_file_of_one_run_is_added_to_that_of_all)
{
	uint32_t functions;

	CHECK_INT(runs_create(at("touched"), 2, 1), 0);
	struct runs one = open_runs(2);
	touch(&one, 1);
	CHECK_INT(unlink(at("touched")), 0);
	CHECK_INT(runs_create(at("touched"), 2, 0), 0);
	struct runs all = open_runs(2);
	runs_begin(&all);
	runs_add(&all, &one);
	CHECK_INT(runs_count(&all), 2);
	CHECK(!runs_touched(&all, 0, &functions));
	CHECK(runs_touched(&all, 1, &functions));
	CHECK_INT(functions, 2);
	CHECK(runs_touched_by_last(&all, 1));
	runs_close(&one);
	runs_close(&all);
}
