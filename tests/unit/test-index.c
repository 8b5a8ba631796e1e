/* SPDX-License-Identifier: MIT */
/*
 * The index: who imports data from which library, in small worlds made for
 * each rule; what is kept of it, and what of the world's changes is noticed.
 */
#include "tests/unit/world.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/status.h"
#include "elf/view.h"
#include "link/index/facts.h"
#include "link/index/index.h"
#include "tests/unit/elf-file.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* As a file system that does not say of which kind its names are. */
static bool kinds_are_unknown;

struct dirent *readdir(DIR *stream)
{
	typedef struct dirent *readdir_fn(DIR *);
	static readdir_fn *real;

	if (!real)
		real = (readdir_fn *)dlsym(RTLD_NEXT, "readdir");
	struct dirent *entry = real(stream);
	if (entry && kinds_are_unknown)
		entry->d_type = DT_UNKNOWN;
	return entry;
}

#define LIBRARY "-shared -fPIC -Wl,-soname,"

/* ------------------------------------------------------------------ */
/* The world                                                          */

/* The place, beside the file of what is kept: in a directory of its own, which
 * so does not change. */
static void begin_world(void)
{
	mkdir(world_path("m"), 0755);
}

static const char *cache_path(void)
{
	return world_path("cache/machine");
}

/* "m/NAME" as an argument of the link editor. */
static const char *needs(const char *name)
{
	static char words[4][PATH_MAX];
	static unsigned turn;
	char *word = words[turn++ % 4];

	snprintf(word, PATH_MAX, "'%s/%s'", world_path("m"), name);
	return word;
}

/* A library whose SONAME is its name. */
static void library(const char *name, const char *source, const char *with)
{
	char file[256], options[256];

	snprintf(file, sizeof(file), "m/%s", name);
	snprintf(options, sizeof(options), LIBRARY "%s", name);
	world_compile(file, source, options, with);
}

/* Two data symbols and two functions. */
static void library_a(void)
{
	library("liba.so",
		"int a1 = 1, a2 = 2; int f(void) { return a1; } "
		"int g(void) { return a2; }",
		"");
}

/* What changed less than a moment ago is looked at again. */
static void let_settle(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 60000000}, NULL);
}

static struct index *open_places(char *const *places)
{
	struct index_options options = {.cache_path = cache_path(),
					.places = places};
	struct index *index;

	if (index_open(&options, &index) < 0)
		test_fail(__FILE__, __LINE__, "%s", status_message());
	return index;
}

static struct index *open_world(void)
{
	char *places[] = {(char *)world_path("m"), NULL};

	return open_places(places);
}

static size_t count_read(void)
{
	struct index *index = open_world();
	size_t read = index_stats(index).read;

	index_close(index);
	return read;
}

/* Opens once so that all is known, and once more so that nothing is read. */
static void open_settled(void)
{
	let_settle();
	count_read();
	CHECK_INT(count_read(), 0);
}

/* Checks who imports what from "m/NAME"; symbol NULL: nobody imports any. */
static void check_imported_by(const struct index *index, const char *name,
			      const char *symbol, const char *importer)
{
	_cleanup_free_ char *found_symbol = NULL, *found_importer = NULL;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", world_path("m"), name);
	bool imported = index_has_importer(index, path, NULL, NULL,
					   &found_symbol, &found_importer);
	if (imported != (symbol != NULL))
		test_fail(__FILE__, __LINE__, "%s: %s by %s", name,
			  found_symbol ? found_symbol : "nothing imported",
			  found_importer ? found_importer : "nobody");
	if (!symbol)
		return;
	CHECK_STR(found_symbol, symbol);
	CHECK_STR(file_base_name(found_importer), importer);
}

static void check_imported(const char *name, const char *symbol,
			   const char *importer)
{
	struct index *index = open_world();

	check_imported_by(index, name, symbol, importer);
	index_close(index);
}

static void check_not_imported(const char *name)
{
	check_imported(name, NULL, NULL);
}

/* ------------------------------------------------------------------ */
/* The rules                                                          */

TEST(functions_alone_import_no_data)
{
	begin_world();
	library_a();
	library("p.so", "int f(); int (*p)() = f; int h() { return p(); }",
		needs("liba.so"));
	check_not_imported("liba.so");
}

TEST(data_is_imported_by_the_first_importer_its_first_symbol)
{
	begin_world();
	library_a();
	library("q.so", "extern int a1; int h() { return a1; }",
		needs("liba.so"));
	library("p.so", "extern int a2, a1; int h() { return a2 + a1; }",
		needs("liba.so"));
	check_imported("liba.so", "a1", "p.so");
	check_not_imported("p.so");
}

TEST(answer_is_the_same_when_it_was_kept)
{
	begin_world();
	library_a();
	library("p.so", "extern int a2; int h() { return a2; }",
		needs("liba.so"));
	open_settled();
	check_imported("liba.so", "a2", "p.so");
}

TEST(data_is_imported_through_a_library_between)
{
	begin_world();
	library_a();
	library("libb.so", "int f(); int b() { return f(); }",
		needs("liba.so"));
	library("p.so", "extern int a2; int h() { return a2; }",
		needs("libb.so"));
	check_imported("liba.so", "a2", "p.so");
	check_not_imported("libb.so");
}

TEST(thread_local_data_is_data)
{
	begin_world();
	library("liba.so", "__thread int t; int f() { return t; }", "");
	library("p.so", "extern __thread int t; int h() { return t; }",
		needs("liba.so"));
	check_imported("liba.so", "t", "p.so");
}

TEST(symbol_without_type_is_data)
{
	begin_world();
	library("liba.so",
		"__asm__(\".globl bare\\n.data\\nbare: .long 1\\n.text\"); "
		"int f() { return 0; }",
		"");
	library("p.so", "extern int bare; int h() { return bare; }",
		needs("liba.so"));
	check_imported("liba.so", "bare", "p.so");
}

/* It is in no other program's process; its own closure tells of it. */
TEST(program_imports_nothing_for_others)
{
	/* By a copy, or by its address. */
	static const char *const options[] = {"-fno-pic -no-pie", "-fPIC -pie",
					      "-fPIC -no-pie"};

	begin_world();
	library_a();
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		world_compile("m/program",
			      "extern int a2; int main() { return a2; }",
			      options[i], needs("liba.so"));
		check_not_imported("liba.so");
	}
}

/* Whoever opens it imports its data. */
TEST(library_that_can_be_run_imports_data)
{
	begin_world();
	library_a();
	library("p.so",
		"const char interpreter[] "
		"__attribute__((section(\".interp\"))) = \"/lib/ld.so\"; "
		"extern int a2; int h() { return a2; }",
		needs("liba.so"));
	check_imported("liba.so", "a2", "p.so");
}

TEST(own_weak_data_is_not_imported)
{
	begin_world();
	library("liba.so",
		"__attribute__((weak)) int w = 1; int f() { return w; }", "");
	library("p.so",
		"__attribute__((weak)) int w = 1; int f(); "
		"int h() { return w + f(); }",
		needs("liba.so"));
	check_not_imported("liba.so");
}

/* Two libraries have one name, each in a version of its own. */
TEST(versioned_import_is_from_its_version)
{
	char options[PATH_MAX + 128];

	begin_world();
	for (int i = 0; i < 2; i++) {
		const char *version = i ? "libb.so" : "liba.so";
		FILE *map = fopen(world_path("map"), "we");

		CHECK(map &&
		      fprintf(map, "V_%c { global: shared; };\n", version[3]) >
			      0 &&
		      fclose(map) == 0);
		snprintf(options, sizeof(options),
			 LIBRARY "%s -Wl,--version-script='%s'", version,
			 world_path("map"));
		world_compile(i ? "m/libb.so" : "m/liba.so", "int shared = 1;",
			      options, "");
	}
	snprintf(options, sizeof(options), "%s %s", needs("liba.so"),
		 needs("libb.so"));
	library("p.so", "extern int shared; int h() { return shared; }",
		options);
	check_imported("liba.so", "shared", "p.so");
	check_not_imported("libb.so");
}

TEST(import_without_version_is_from_any)
{
	begin_world();
	library("liba.so", "int shared = 1;", "");
	library("libb.so", "int shared = 2;", "");
	char both[2 * PATH_MAX];
	snprintf(both, sizeof(both), "%s %s", needs("liba.so"),
		 needs("libb.so"));
	library("p.so", "extern int shared; int h() { return shared; }", both);
	check_imported("liba.so", "shared", "p.so");
	check_imported("libb.so", "shared", "p.so");
}

TEST(plugin_imports_from_whoever_has_it)
{
	begin_world();
	library_a();
	library("libc1.so", "int a2 = 3;", "");
	library("p.so", "extern int a2; int h() { return a2; }", "");
	check_imported("liba.so", "a2", "p.so");
	check_imported("libc1.so", "a2", "p.so");
}

TEST(plugin_that_calls_imports_nothing)
{
	begin_world();
	library_a();
	library("p.so", "int f(); int h() { return f(); }", "");
	check_not_imported("liba.so");
}

TEST(what_is_needed_is_imported_from_nobody_else)
{
	begin_world();
	library_a();
	library("libb.so", "int a2 = 3;", "");
	library("p.so", "extern int a2; int h() { return a2; }",
		needs("liba.so"));
	check_imported("liba.so", "a2", "p.so");
	check_not_imported("libb.so");
}

TEST(needed_names_stand_for_all_of_that_soname)
{
	begin_world();
	library_a();
	library("p.so", "extern int a2; int h() { return a2; }",
		needs("liba.so"));
	mkdir(world_path("m/other"), 0755);
	test_copy(world_path("m/liba.so"), world_path("m/other/liba.so.7"));
	check_imported("other/liba.so.7", "a2", "p.so");
}

TEST(library_without_soname_is_needed_by_its_file)
{
	begin_world();
	world_compile("m/liba.so", "int a2 = 2;", "-shared -fPIC", "");
	char with[PATH_MAX + 64];
	snprintf(with, sizeof(with), "-L'%s' -l:liba.so", world_path("m"));
	library("p.so", "extern int a2; int h() { return a2; }", with);
	check_imported("liba.so", "a2", "p.so");
}

TEST(library_is_known_by_any_of_its_names)
{
	begin_world();
	library_a();
	library("p.so", "extern int a2; int h() { return a2; }",
		needs("liba.so"));
	CHECK(symlink("liba.so", world_path("m/a-link.so")) == 0);
	CHECK(link(world_path("m/liba.so"), world_path("m/again.so")) == 0);
	check_imported("a-link.so", "a2", "p.so");
	check_imported("again.so", "a2", "p.so");
}

TEST(importer_is_named_by_no_link)
{
	begin_world();
	library_a();
	library("p.so", "extern int a2; int h() { return a2; }",
		needs("liba.so"));
	CHECK(symlink("p.so", world_path("m/a-link.so")) == 0);
	check_imported("liba.so", "a2", "p.so");
}

TEST(unknown_library_has_no_importer)
{
	begin_world();
	library_a();
	library("p.so", "extern int a2; int h() { return a2; }",
		needs("liba.so"));
	struct index *index = open_world();
	test_copy(world_path("m/liba.so"), world_path("elsewhere.so"));
	check_imported_by(index, "../elsewhere.so", NULL, NULL);
	check_imported_by(index, "absent.so", NULL, NULL);
	index_close(index);
}

/* ------------------------------------------------------------------ */
/* What is noticed                                                    */

/* liba.so, whose data nobody imports, all of it kept; and "importer.so" beside the
 * place, which imports a2. */
static void begin_changes(void)
{
	begin_world();
	library_a();
	world_compile("importer.so", "extern int a2; int h() { return a2; }",
		      LIBRARY "importer.so", needs("liba.so"));
	world_compile("other.so", "int f(); int h() { return f(); }",
		      LIBRARY "importer.so", needs("liba.so"));
	open_settled();
	check_not_imported("liba.so");
}

/* Overwrites in place: neither the directory nor the inode changes. */
static void overwrite(const char *from, const char *to)
{
	struct stat before, after;

	CHECK(stat(to, &before) == 0);
	test_copy(from, to);
	CHECK(stat(to, &after) == 0);
	CHECK_INT(before.st_ino, after.st_ino);
}

TEST(nothing_changed_reads_no_file)
{
	begin_changes();
	struct index *index = open_world();
	struct index_stats stats = index_stats(index);
	CHECK_INT(stats.read, 0);
	CHECK_INT(stats.files, 1);
	CHECK_INT(stats.directories, 1);
	CHECK_INT(stats.libraries, 1);
	CHECK_INT(stats.imported, 0);
	CHECK(stats.kept);
	index_close(index);
}

TEST(new_file_is_noticed_and_alone_read)
{
	begin_changes();
	CHECK(rename(world_path("importer.so"), world_path("m/importer.so")) ==
	      0);
	CHECK_INT(count_read(), 1);
	check_imported("liba.so", "a2", "importer.so");
}

TEST(file_overwritten_in_place_is_noticed)
{
	begin_changes();
	test_copy(world_path("other.so"), world_path("m/p.so"));
	open_settled();
	overwrite(world_path("importer.so"), world_path("m/p.so"));
	CHECK_INT(count_read(), 1);
	check_imported("liba.so", "a2", "p.so");
}

TEST(text_that_becomes_elf_beside_elf_is_noticed)
{
	begin_changes();
	FILE *text = fopen(world_path("m/p"), "we");
	CHECK(text && fputs("#!/bin/sh\n", text) >= 0 && fclose(text) == 0);
	open_settled();
	overwrite(world_path("importer.so"), world_path("m/p"));
	check_imported("liba.so", "a2", "p");
}

TEST(removed_file_is_noticed)
{
	begin_changes();
	test_copy(world_path("importer.so"), world_path("m/p.so"));
	open_settled();
	check_imported("liba.so", "a2", "p.so");
	unlink(world_path("m/p.so"));
	CHECK_INT(count_read(), 0);
	check_not_imported("liba.so");
}

TEST(new_directory_is_noticed)
{
	begin_changes();
	mkdir(world_path("new"), 0755);
	mkdir(world_path("new/deep"), 0755);
	test_copy(world_path("importer.so"), world_path("new/deep/p.so"));
	CHECK(rename(world_path("new"), world_path("m/new")) == 0);
	check_imported("liba.so", "a2", "p.so");
}

TEST(directory_in_place_of_another_is_noticed)
{
	begin_changes();
	mkdir(world_path("m/d"), 0755);
	open_settled();
	mkdir(world_path("new"), 0755);
	test_copy(world_path("importer.so"), world_path("new/p.so"));
	let_settle();
	rmdir(world_path("m/d"));
	CHECK(rename(world_path("new"), world_path("m/d")) == 0);
	check_imported("liba.so", "a2", "p.so");
}

TEST(removed_directory_is_noticed)
{
	begin_changes();
	mkdir(world_path("m/d"), 0755);
	test_copy(world_path("importer.so"), world_path("m/d/p.so"));
	open_settled();
	check_imported("liba.so", "a2", "p.so");
	CHECK(rename(world_path("m/d"), world_path("gone")) == 0);
	check_not_imported("liba.so");
}

/* Its times could stay as they are in another change. A busy machine may take
 * longer for the look than the moment is. */
TEST(what_changed_a_moment_ago_is_read_again)
{
	bool again = false;

	begin_changes();
	test_copy(world_path("other.so"), world_path("m/p.so"));
	for (int tries = 0; tries < 50 && !again; tries++) {
		overwrite(world_path("other.so"), world_path("m/p.so"));
		count_read();
		again = count_read() > 0;
	}
	CHECK(again);
	open_settled();
}

TEST(change_right_after_the_look_is_noticed)
{
	begin_changes();
	test_copy(world_path("other.so"), world_path("m/p.so"));
	count_read();
	overwrite(world_path("importer.so"), world_path("m/p.so"));
	check_imported("liba.so", "a2", "p.so");
}

TEST(file_outside_is_followed_through_a_link)
{
	begin_changes();
	CHECK(symlink("../other.so", world_path("m/p.so")) == 0);
	open_settled();
	overwrite(world_path("importer.so"), world_path("other.so"));
	check_imported("liba.so", "a2", "p.so");
}

TEST(place_that_appears_is_noticed)
{
	begin_changes();
	char *places[] = {(char *)world_path("m"), (char *)world_path("late"),
			  NULL};
	index_close(open_places(places));
	mkdir(world_path("late"), 0755);
	test_copy(world_path("importer.so"), world_path("late/p.so"));
	struct index *index = open_places(places);
	check_imported_by(index, "liba.so", "a2", "p.so");
	index_close(index);
}

TEST(other_places_are_gone_through_anew)
{
	begin_changes();
	mkdir(world_path("m/d"), 0755);
	test_copy(world_path("importer.so"), world_path("m/d/p.so"));
	char flat[PATH_MAX];
	snprintf(flat, sizeof(flat), "%s/.", world_path("m"));
	char *places[] = {flat, NULL};
	let_settle();
	struct index *index = open_places(places);
	check_imported_by(index, "liba.so", NULL, NULL);
	index_close(index);
	check_imported("liba.so", "a2", "p.so");
}

/* ------------------------------------------------------------------ */
/* What is in the way                                                 */

TEST(links_in_circles_end)
{
	begin_changes();
	mkdir(world_path("m/d"), 0755);
	CHECK(symlink("..", world_path("m/d/up")) == 0);
	CHECK(symlink("b", world_path("m/a")) == 0);
	CHECK(symlink("a", world_path("m/b")) == 0);
	struct index *index = open_world();
	CHECK_INT(index_stats(index).directories, 2);
	CHECK_INT(index_stats(index).files, 1);
	index_close(index);
}

TEST(directories_are_not_followed_through_links)
{
	begin_changes();
	mkdir(world_path("outside"), 0755);
	CHECK(rename(world_path("importer.so"), world_path("outside/p.so")) ==
	      0);
	CHECK(symlink("../outside", world_path("m/d")) == 0);
	check_not_imported("liba.so");
}

TEST(deep_directories_end)
{
	char path[PATH_MAX];

	begin_changes();
	snprintf(path, sizeof(path), "%s", world_path("m"));
	for (int i = 0; i < 100; i++) {
		strcat(path, "/d");
		mkdir(path, 0755);
	}
	struct index *index = open_world();
	CHECK(index_stats(index).directories < 50);
	index_close(index);
}

TEST(special_files_do_not_block)
{
	begin_changes();
	CHECK(mkfifo(world_path("m/fifo"), 0644) == 0);
	CHECK_INT(count_read(), 0);
}

TEST(cut_files_are_not_ours)
{
	begin_changes();
	struct stat st;
	CHECK(stat(world_path("importer.so"), &st) == 0);
	for (int i = 1; i < 16; i++) {
		char name[32];

		snprintf(name, sizeof(name), "m/cut%d.so", i);
		test_copy(world_path("importer.so"), world_path(name));
		CHECK(truncate(world_path(name), st.st_size / 64 * i) == 0);
	}
	CHECK_INT(count_read(), 15);
	check_not_imported("liba.so");
}

/* As many files as need more than one report of progress. */
#define MANY 200

static void many_files(void)
{
	for (int i = 0; i < MANY; i++) {
		char name[32];

		snprintf(name, sizeof(name), "m/many%d.so", i);
		CHECK(link(world_path("other.so"), world_path(name)) == 0 &&
		      unlink(world_path(name)) == 0);
		test_copy(world_path("other.so"), world_path(name));
	}
	test_copy(world_path("importer.so"), world_path("m/z.so"));
}

struct progress {
	size_t done, total, calls;
};

static void remove_last(size_t done, size_t total, void *data)
{
	struct progress *progress = data;

	CHECK(done > progress->done && done <= total);
	*progress = (struct progress){done, total, progress->calls + 1};
	unlink(world_path("m/z.so"));
}

static struct progress open_while(index_progress_fn *meanwhile)
{
	struct progress progress = {0, 0, 0};
	char *places[] = {(char *)world_path("m"), NULL};
	struct index_options options = {.cache_path = cache_path(),
					.places = places,
					.progress = meanwhile,
					.data = &progress};
	struct index *index;

	CHECK_INT(index_open(&options, &index), 0);
	check_imported_by(index, "liba.so", NULL, NULL);
	index_close(index);
	return progress;
}

TEST(file_may_vanish_before_it_is_read)
{
	begin_changes();
	many_files();
	struct progress progress = open_while(remove_last);
	CHECK(progress.calls > 1);
	CHECK_INT(progress.done, MANY + 1);
	CHECK_INT(progress.total, MANY + 1);
}

static void give_last(size_t done, size_t total, void *data)
{
	struct progress *progress = data;

	if (progress->calls++ == 0)
		overwrite(world_path("other.so"), world_path("m/z.so"));
	(void)done;
	(void)total;
}

TEST(file_may_change_before_it_is_read)
{
	begin_changes();
	many_files();
	open_while(give_last);
	overwrite(world_path("importer.so"), world_path("m/z.so"));
	check_imported("liba.so", "a2", "z.so");
}

/* A first report comes late enough that what is read is kept; the second is not
 * survived. */
static void end_there(size_t done, size_t total, void *data)
{
	struct progress *progress = data;

	if (progress->calls++ == 1)
		_exit(0);
	nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
	(void)done;
	(void)total;
}

/* Opens the index in a process that is ended on the way. */
static void open_cut_short(void)
{
	int how;
	pid_t pid = fork();

	if (pid == 0) {
		open_while(end_there);
		_exit(1);
	}
	CHECK_INT(waitpid(pid, &how, 0), pid);
	CHECK_INT(how, 0);
}

TEST(scan_that_was_ended_is_gone_on_with)
{
	begin_changes();
	many_files();
	mkdir(world_path("m/below"), 0755);
	test_copy(world_path("importer.so"), world_path("m/below/y.so"));
	CHECK_INT(unlink(world_path("m/z.so")), 0);
	let_settle();
	open_cut_short();
	size_t read = count_read();
	CHECK(read > 1 && read <= MANY + 1 - 64);
	CHECK_INT(count_read(), 0);
	check_imported("liba.so", "a2", "y.so");
}

TEST(file_that_changed_since_a_scan_was_ended_is_noticed)
{
	begin_changes();
	many_files();
	overwrite(world_path("other.so"), world_path("m/z.so"));
	let_settle();
	open_cut_short();
	overwrite(world_path("importer.so"), world_path("m/many0.so"));
	check_imported("liba.so", "a2", "many0.so");
}

TEST(kinds_that_a_file_system_does_not_say_are_asked)
{
	begin_world();
	library_a();
	mkdir(world_path("m/a"), 0755);
	mkdir(world_path("m/c"), 0755);
	library("b.so", "extern int a1; int h() { return a1; }",
		needs("liba.so"));
	library("a/x.so", "int x;", "");
	library("c/x.so", "int x;", "");
	library("d.so", "int d;", "");
	CHECK_INT(symlink("d.so", world_path("m/e.so")), 0);
	kinds_are_unknown = true;
	let_settle();
	struct index *index = open_world();
	CHECK_INT(index_stats(index).files, 5);
	CHECK_INT(index_stats(index).directories, 3);
	check_imported_by(index, "liba.so", "a1", "b.so");
	index_close(index);
	CHECK_INT(count_read(), 0);
	/* Each directory still has its own files. */
	test_copy(world_path("m/d.so"), world_path("m/new.so"));
	CHECK_INT(count_read(), 1);
}

/* ------------------------------------------------------------------ */
/* What is kept                                                       */

/* The kept file's bytes. */
static size_t read_kept(char *bytes, size_t room)
{
	FILE *file = fopen(cache_path(), "re");

	CHECK(file);
	size_t n = fread(bytes, 1, room, file);
	CHECK(n < room && fclose(file) == 0);
	return n;
}

static void write_kept(const char *bytes, size_t size)
{
	FILE *file = fopen(cache_path(), "we");

	CHECK(file && fwrite(bytes, 1, size, file) == size &&
	      fclose(file) == 0);
}

static void begin_kept(void)
{
	begin_changes();
	test_copy(world_path("importer.so"), world_path("m/importer.so"));
	open_settled();
}

TEST(damaged_file_is_made_anew)
{
	char good[65536], bad[65536];

	begin_kept();
	size_t size = read_kept(good, sizeof(good));
	for (size_t i = 0; i < size; i += 1 + size / 200) {
		memcpy(bad, good, size);
		bad[i] ^= 0x55;
		write_kept(bad, size);
		CHECK_INT(count_read(), 2);
		check_imported("liba.so", "a2", "importer.so");
	}
	CHECK_INT(count_read(), 0);
}

TEST(cut_file_is_made_anew)
{
	char good[65536];

	begin_kept();
	size_t size = read_kept(good, sizeof(good));
	for (size_t i = 0; i < size; i += 1 + size / 50) {
		write_kept(good, i);
		CHECK_INT(count_read(), 2);
		check_imported("liba.so", "a2", "importer.so");
	}
	write_kept(good, size);
	CHECK_INT(count_read(), 0);
}

TEST(file_that_others_can_write_is_not_trusted)
{
	begin_kept();
	CHECK(chmod(cache_path(), 0666) == 0);
	CHECK_INT(count_read(), 2);
	CHECK_INT(count_read(), 0);
}

TEST(file_of_another_user_is_not_trusted)
{
	begin_kept();
	if (chown(cache_path(), 65534, 65534) < 0)
		test_skip("not root");
	CHECK_INT(count_read(), 2);
	CHECK_INT(count_read(), 0);
}

TEST(place_that_cannot_be_written_keeps_nothing)
{
	begin_world();
	library_a();
	char *places[] = {(char *)world_path("m"), NULL};
	const char *nowhere[] = {world_path("m/liba.so/cache"), NULL};
	for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
		struct index_options options = {.cache_path = nowhere[i],
						.places = places};
		struct index *index;

		CHECK_INT(index_open(&options, &index), 0);
		CHECK(!index_stats(index).kept);
		CHECK(!status_is_pending());
		CHECK_INT(index_stats(index).files, 1);
		index_close(index);
	}
}

TEST(processes_may_refresh_at_once)
{
	begin_changes();
	many_files();
	pid_t children[4];
	for (int i = 0; i < 4; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			check_imported("liba.so", "a2", "z.so");
			_exit(0);
		}
	}
	for (int i = 0; i < 4; i++) {
		int status;

		CHECK(waitpid(children[i], &status, 0) == children[i]);
		CHECK_INT(status, 0);
	}
	open_settled();
	check_imported("liba.so", "a2", "z.so");
}

/* ------------------------------------------------------------------ */
/* This machine                                                       */

static bool are_listed(char *const *places, const char *place)
{
	for (; *places; places++)
		if (!strcmp(*places, place))
			return true;
	return false;
}

static void free_places(char **places)
{
	for (size_t i = 0; places[i]; i++)
		free(places[i]);
	free(places);
}

TEST(places_are_absolute_and_few)
{
	setenv("PATH", "/usr/bin:relative::/:/dlazy-absent/:/usr/bin/", 1);
	char **places = index_places();
	size_t n = 0;
	for (; places[n]; n++)
		CHECK(places[n][0] == '/' && places[n][1] != '\0');
	CHECK(n < 100);
	CHECK(are_listed(places, "/usr/lib"));
	CHECK(are_listed(places, "/dlazy-absent/."));
	CHECK(!are_listed(places, "/usr/bin/."));
	CHECK(!are_listed(places, "//."));
	free_places(places);
}

TEST(order_of_path_is_nothing)
{
	setenv("PATH", "/dlazy-a:/dlazy-b", 1);
	char **one = index_places();
	setenv("PATH", "/dlazy-b:/dlazy-a:/dlazy-b", 1);
	char **other = index_places();
	for (size_t i = 0; one[i] || other[i]; i++)
		CHECK_STR(one[i], other[i]);
	free_places(one);
	free_places(other);
}

/* libc's data everybody imports, that of its companion for look-ups nobody. */
TEST_SECONDS(this_machine_imports_libc_s_data, 300)
{
	struct index_options options = {.cache_path = cache_path()};
	_cleanup_free_ char *symbol = NULL, *importer = NULL;
	struct index *index;

	test_reads_the_machine();
	CHECK_INT(index_open(&options, &index), 0);
	struct index_stats stats = index_stats(index);
	printf("# %zu ELF files, %zu directories, %zu libraries, data of %zu "
	       "imported\n",
	       stats.files, stats.directories, stats.libraries, stats.imported);
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[PATH_MAX + 256];
	bool imported = false;
	while (!imported && fgets(line, sizeof(line), maps)) {
		char *path = strchr(line, '/');

		line[strcspn(line, "\n")] = '\0';
		imported = path && strstr(path, "/libc.") &&
			   index_has_importer(index, path, NULL, NULL, &symbol,
					      &importer);
	}
	fclose(maps);
	CHECK(imported && symbol && importer);
	printf("# %s imports %s from libc\n", importer, symbol);
	index_close(index);
}

/* A file of a program's closure, and whether its data is known to be imported. */
struct mapped {
	char path[PATH_MAX];
	struct elf_view *view;
	bool imported;
};

struct closure_of {
	const struct index *index;
	struct mapped *files;
	size_t count, room, bindings;
};

static struct mapped *find_mapped(struct closure_of *closure, const char *path)
{
	_cleanup_free_ char *symbol = NULL, *importer = NULL;
	_cleanup_close_ int fd = -1;

	for (size_t i = 0; i < closure->count; i++)
		if (!strcmp(closure->files[i].path, path))
			return &closure->files[i];
	CHECK(array_reserve(&closure->files, closure->count, &closure->room,
			    sizeof(*closure->files)));
	struct mapped *m = &closure->files[closure->count];
	snprintf(m->path, sizeof(m->path), "%s", path);
	if (file_open(AT_FDCWD, path, &fd, NULL) < 0 ||
	    elf_view_open(fd, path, &m->view) < 0)
		return NULL;
	m->imported = index_has_importer(closure->index, path, NULL, NULL,
					 &symbol, &importer);
	closure->count++;
	return m;
}

static bool is_defined(const struct elf_view *view, const char *name)
{
	struct elf_symbol symbol;

	return elf_view_find(view, name, NULL, &symbol);
}

static bool is_program(const struct mapped *m)
{
	return *elf_view_interpreter(m->view) && !*elf_view_soname(m->view);
}

/* What ld.so bound of libraries' data that is not the file's own must be known. */
static void check_binding(struct closure_of *closure, const char *from,
			  const char *to, const char *name)
{
	struct mapped *importer = find_mapped(closure, from);
	struct elf_symbol symbol;
	struct mapped *m = importer ? find_mapped(closure, to) : NULL;

	/* It has been moved when another was added. */
	importer = m ? find_mapped(closure, from) : NULL;
	if (!m || m == importer ||
	    !elf_view_find(m->view, name, NULL, &symbol) ||
	    symbol.type == ELF_TYPE_FUNC || symbol.type == ELF_TYPE_IFUNC ||
	    is_defined(importer->view, name) || is_program(importer) ||
	    is_program(m))
		return;
	closure->bindings++;
	if (!m->imported)
		test_fail(__FILE__, __LINE__, "%s is bound to %s's %s", from,
			  to, name);
}

static void check_program(const struct index *index, const char *program)
{
	struct closure_of closure = {.index = index};
	char line[4 * PATH_MAX], from[PATH_MAX], to[PATH_MAX], name[PATH_MAX];

	snprintf(line, sizeof(line),
		 "LD_TRACE_LOADED_OBJECTS=1 LD_WARN=1 LD_BIND_NOW=1 "
		 "LD_DEBUG=bindings '%s' 2>&1 >/dev/null",
		 program);
	FILE *said = popen(line, "re");
	while (fgets(line, sizeof(line), said))
		if (sscanf(line,
			   " %*d: binding file %4095s [0] to %4095s [0]: "
			   "%*s symbol `%4095[^']'",
			   from, to, name) == 3)
			check_binding(&closure, from, to, name);
	pclose(said);
	printf("# %s: %zu files, %zu bindings of data\n", program,
	       closure.count, closure.bindings);
	for (size_t i = 0; i < closure.count; i++)
		elf_view_close(closure.files[i].view);
	free(closure.files);
}

/* ------------------------------------------------------------------ */
/* Files that ask for too much                                        */

#define LONG_NAME 16000
#define NAMES 300

/* A library with a name that is long, and many that are short. */
static void compile_names(void)
{
	static char source[LONG_NAME + NAMES * 16];
	char *at = source + sprintf(source, "int ");

	memset(at, 'x', LONG_NAME);
	at += LONG_NAME;
	for (int i = 0; i < NAMES; i++)
		at += sprintf(at, ",a%d", i);
	strcpy(at, ";");
	world_compile("names.so", source, "-shared -fPIC -fno-common", "");
}

static struct facts *facts_of(const char *path)
{
	struct file_identity identity;
	struct facts *facts;
	bool denied;

	CHECK_INT(facts_read(path, &identity, &facts, &denied), 0);
	CHECK(!denied);
	return facts;
}

/* They can overlap: a small file would be read for hours. */
TEST(names_that_are_all_one_long_name_are_not_read)
{
	compile_names();
	const char *path = world_path("names.so");
	struct facts *facts = facts_of(path);

	CHECK(facts && facts->counts[TABLE_DATA] > NAMES);
	size_t n = facts->counts[TABLE_DATA];
	free(facts);
	struct elf_file file = elf_file_read(path);
	ElfN(Sym) *table = elf_file_at(
		&file, elf_file_dynamic(&file, DT_SYMTAB)->d_un.d_ptr);
	const char *strings = elf_file_at(
		&file, elf_file_dynamic(&file, DT_STRTAB)->d_un.d_ptr);
	ElfN(Word) longest = 0;
	for (size_t i = 1; i <= n; i++)
		if (strlen(strings + table[i].st_name) >= LONG_NAME)
			longest = table[i].st_name;
	CHECK(longest);
	for (size_t i = 1; i <= n; i++)
		table[i].st_name = longest;
	elf_file_write(&file, world_path("long.so"));
	free(file.data);
	CHECK(!facts_of(world_path("long.so")));
}

/* The second opinion. */
TEST_SECONDS(data_that_ld_so_binds_is_known_to_be_imported, 300)
{
	static const char *const programs[] = {
		"/usr/bin/ffmpeg",  "/usr/bin/gdb",  "/usr/bin/gdalinfo",
		"/usr/bin/python3", "/usr/bin/perl", "/usr/bin/git",
		"/bin/bash",	    "/bin/ls",
	};
	struct index_options options = {.cache_path = cache_path()};
	struct index *index;

	test_reads_the_machine();
	CHECK_INT(index_open(&options, &index), 0);
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		if (access(programs[i], X_OK) == 0)
			check_program(index, programs[i]);
	index_close(index);
}
