/* SPDX-License-Identifier: MIT */
/*
 * Registries: what is found, in which order, from which catalog; that nothing
 * is loaded, and that a "no" is never older than the directory.
 */
#include "tests/unit/opened.h"

#include "base/cleanup.h"
#include "catalog/scan.h"
#include "load/metadata.h"

#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLUGIN "good-plain"

/* What declaring a directory may take; ThreadSanitizer has memory of its own
 * for what we touch. */
#ifdef __SANITIZE_THREAD__
#define MEMORY_KIB 1024
#else
#define MEMORY_KIB 64
#endif

/* A directory of plugins inside the test's own. */
static const char *make_dir(const char *name)
{
	const char *path = own_path(name);

	CHECK_INT(mkdir(path, 0755), 0);
	setenv("DLAZY_CACHE_DIR", own_path("cache"), 1);
	return path;
}

static void put(const char *dir, const char *plugin, const char *file)
{
	char path[4200];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	test_copy(test_plugin(plugin), path);
}

static struct dlazy_registry *registry_of(const char *dir, int flags)
{
	struct dlazy_registry *r = dlazy_registry_new();

	if (dlazy_registry_add_dir(r, dir, flags) < 0)
		test_fail(__FILE__, __LINE__, "%s", dlazy_error());
	return r;
}

static struct dlazy_module *found(struct dlazy_registry *r, const char *name)
{
	struct dlazy_module *m = dlazy_registry_find(r, name);

	if (!m)
		test_fail(__FILE__, __LINE__, "%s", dlazy_error());
	return m;
}

static int answer(struct dlazy_registry *r, const char *name)
{
	return call_int(symbol_of(found(r, name), "plain_answer"));
}

/* The names of a walk, each with a blank behind it. */
static const char *walk(struct dlazy_registry *r)
{
	static char names[4096];
	size_t used = 0;

	names[0] = '\0';
	for (struct dlazy_module *m = dlazy_registry_next(r, NULL); m;
	     m = dlazy_registry_next(r, m))
		used += (size_t)snprintf(names + used, sizeof(names) - used,
					 "%s ", dlazy_module_name(m));
	return names;
}

/* So that the directory's next change gets another time. */
static void let_time_pass(void)
{
	usleep(30000);
}

/* The one catalog in the cache. */
static const char *cached(void)
{
	static char path[8192];
	DIR *dir = opendir(own_path("cache"));
	struct dirent *entry;

	path[0] = '\0';
	while (dir && (entry = readdir(dir)))
		if (strstr(entry->d_name, ".catalog"))
			snprintf(path, sizeof(path), "%s/%s", own_path("cache"),
				 entry->d_name);
	if (dir)
		closedir(dir);
	return path;
}

/* ------------------------------------------------------------------ */
/* Names and order                                                    */

TEST(walk_is_by_name)
{
	const char *dir = make_dir("d");

	put(dir, PLUGIN, "b.so");
	put(dir, PLUGIN, "a.so");
	put(dir, PLUGIN, "B.so.1");
	put(dir, PLUGIN, "not-a-plugin.txt");
	struct dlazy_registry *r = registry_of(dir, 0);
	CHECK_STR(walk(r), "B a b ");
	CHECK_INT(dlazy_registry_count(r), 3);
	dlazy_registry_free(r);
}

TEST(nothing_is_loaded_by_looking)
{
	needs_stubs();
	const char *dir = make_dir("d");

	put(dir, PLUGIN, "a.so");
	put(dir, PLUGIN, "b.so");
	struct dlazy_registry *r = registry_of(dir, 0);
	walk(r);
	CHECK(dlazy_sym(found(r, "a"), "plain_answer") != NULL);
	CHECK_INT(test_mapped("a.so"), 0);
	CHECK_INT(dlazy_module_state(found(r, "a")), DLAZY_DECLARED);
	CHECK_INT(answer(r, "a"), 42);
	CHECK(test_mapped("a.so") > 0);
	CHECK_INT(test_mapped("b.so"), 0);
	dlazy_registry_free(r);
}

TEST(first_directory_wins)
{
	const char *one = make_dir("one");
	const char *two = own_path("two");

	mkdir(two, 0755);
	put(one, PLUGIN, "a.so");
	put(two, "good-plain-other", "a.so");
	put(two, "good-plain-other", "b.so");
	struct dlazy_registry *r = registry_of(one, 0);
	CHECK_INT(dlazy_registry_add_dir(r, two, 0), 0);
	CHECK_STR(walk(r), "a b ");
	CHECK_INT(dlazy_registry_count(r), 2);
	CHECK_INT(answer(r, "a"), 42);
	CHECK_INT(answer(r, "b"), 43);
	dlazy_registry_free(r);
}

static int one(void)
{
	return 1;
}

static const struct dlazy_symbol builtin[] = {{"plain_answer", (void *)one}};

TEST(built_in_comes_in_its_turn)
{
	const char *dir = make_dir("d");

	put(dir, PLUGIN, "z.so");
	struct dlazy_registry *r = dlazy_registry_new();
	CHECK_INT(dlazy_registry_add_builtin(r, "inside", builtin, 1), 0);
	CHECK_INT(dlazy_registry_add_dir(r, dir, 0), 0);
	CHECK_STR(walk(r), "inside z ");
	CHECK_INT(answer(r, "inside"), 1);
	struct dlazy_module *m = found(r, "inside");
	CHECK_INT(dlazy_module_state(m), DLAZY_LOADED);
	CHECK_STR(dlazy_module_path(m), "");
	CHECK(!dlazy_sym(m, "nothing"));
	CHECK_INT(dlazy_load(m), 0);
	CHECK_INT(dlazy_unload(m), -DLAZY_EBUSY);
	dlazy_registry_free(r);
}

TEST(built_in_shadows_what_comes_later)
{
	const char *dir = make_dir("d");

	put(dir, PLUGIN, "a.so");
	struct dlazy_registry *r = dlazy_registry_new();
	CHECK_INT(dlazy_registry_add_builtin(r, "a", builtin, 1), 0);
	CHECK_INT(dlazy_registry_add_dir(r, dir, 0), 0);
	CHECK_INT(answer(r, "a"), 1);
	CHECK_INT(dlazy_registry_count(r), 1);
	CHECK_STR(walk(r), "a ");
	dlazy_registry_free(r);
}

TEST(file_has_the_name_it_is_given)
{
	const char *path = own_copy(PLUGIN, "p.so");
	struct dlazy_registry *r = dlazy_registry_new();

	CHECK_INT(dlazy_registry_add_file(r, "maths", path, 0), 0);
	CHECK(!dlazy_registry_find(r, "p"));
	CHECK_INT(dlazy_last_status(), -DLAZY_ENOENT);
	CHECK_INT(answer(r, "maths"), 42);
	CHECK_INT(dlazy_registry_add_file(r, NULL, path, 0), 0);
	CHECK(found(r, "p") == found(r, "maths"));
	dlazy_registry_free(r);
}

TEST(file_that_is_not_there_is_enoent)
{
	struct dlazy_registry *r = dlazy_registry_new();

	CHECK_INT(dlazy_registry_add_file(r, NULL, own_path("none.so"), 0),
		  -DLAZY_ENOENT);
	CHECK_INT(dlazy_registry_count(r), 0);
	dlazy_registry_free(r);
}

TEST(a_name_that_is_not_there_is_guessed)
{
	struct dlazy_registry *r = dlazy_registry_new();

	CHECK(dlazy_registry_add_file(r, "good", test_plugin("good-exports"),
				      0) == 0);
	CHECK(!dlazy_registry_find(r, "god"));
	CHECK_INT(dlazy_last_status(), -DLAZY_ENOENT);
	CHECK_IN(dlazy_error(), "did you mean \"good\"?");
	CHECK(!dlazy_registry_find(r, "bzqx"));
	CHECK(!strstr(dlazy_error(), "did you mean"));
	dlazy_registry_free(r);
}

TEST(directory_that_is_not_there_is_enoent)
{
	struct dlazy_registry *r = dlazy_registry_new();

	CHECK_INT(dlazy_registry_add_dir(r, own_path("none"), 0),
		  -DLAZY_ENOENT);
	CHECK_IN(dlazy_error(), "none");
	dlazy_registry_free(r);
}

TEST(wrong_arguments_are_einval)
{
	struct dlazy_registry *r = dlazy_registry_new();

	CHECK_INT(dlazy_registry_add_dir(r, NULL, 0), -DLAZY_EINVAL);
	CHECK_INT(dlazy_registry_add_dir(NULL, "/tmp", 0), -DLAZY_EINVAL);
	CHECK_INT(dlazy_registry_add_dir(r, "/tmp", 0x40000000), -DLAZY_EINVAL);
	CHECK_INT(dlazy_registry_add_file(r, "", "/tmp/x", 0), -DLAZY_EINVAL);
	CHECK_INT(dlazy_registry_add_builtin(r, NULL, builtin, 1),
		  -DLAZY_EINVAL);
	CHECK_INT(dlazy_registry_add_builtin(r, "x", NULL, 1), -DLAZY_EINVAL);
	CHECK(!dlazy_registry_find(r, NULL));
	CHECK_INT(dlazy_registry_count(NULL), 0);
	struct dlazy_module *m = opened(test_plugin(PLUGIN), 0);
	CHECK(!dlazy_registry_next(r, m)); /* not one of its modules */
	CHECK_INT(dlazy_last_status(), -DLAZY_EINVAL);
	dlazy_registry_free(r);
	dlazy_registry_free(NULL);
}

/* ------------------------------------------------------------------ */
/* Links                                                              */

TEST(links_are_one_module_and_the_walk_ends)
{
	const char *dir = make_dir("d");
	char link[4200];

	put(dir, PLUGIN, "b.so");
	snprintf(link, sizeof(link), "%s/a.so", dir);
	CHECK_INT(symlink("b.so", link), 0);
	snprintf(link, sizeof(link), "%s/c.so", dir);
	CHECK_INT(symlink("b.so", link), 0);
	struct dlazy_registry *r = registry_of(dir, 0);
	CHECK_INT(dlazy_registry_count(r), 3);
	CHECK_STR(walk(r), "a ");
	CHECK(found(r, "c") == found(r, "a"));
	CHECK_STR(walk(r), "a ");
	dlazy_registry_free(r);
}

TEST(module_found_by_a_later_name_first_is_walked_once)
{
	const char *dir = make_dir("d");
	char link[4200];

	put(dir, PLUGIN, "a.so");
	put(dir, PLUGIN, "b.so");
	snprintf(link, sizeof(link), "%s/z.so", dir);
	CHECK_INT(symlink("a.so", link), 0);
	struct dlazy_registry *r = registry_of(dir, 0);
	CHECK_STR(dlazy_module_name(found(r, "z")), "z");
	CHECK_STR(walk(r), "z b ");
	dlazy_registry_free(r);
}

/* The name under which a file comes first is taken; it has another. */
TEST(file_with_a_shadowed_name_is_walked_by_its_other_name)
{
	const char *first = make_dir("first");
	const char *path = own_copy("good-plain-other", "other.so");

	put(first, PLUGIN, "a.so");
	struct dlazy_registry *r = registry_of(first, 0);
	CHECK_INT(dlazy_registry_add_file(r, "a", path, 0), 0);
	CHECK_INT(dlazy_registry_add_file(r, "c", path, 0), 0);
	CHECK_INT(dlazy_registry_count(r), 2);
	int n = 0;
	for (struct dlazy_module *m = dlazy_registry_next(r, NULL); m;
	     m = dlazy_registry_next(r, m))
		n++;
	CHECK_INT(n, 2);
	dlazy_registry_free(r);
}

/* ------------------------------------------------------------------ */
/* Catalogs                                                           */

TEST(scan_is_cached)
{
	const char *dir = make_dir("d");

	put(dir, PLUGIN, "a.so");
	let_time_pass();
	dlazy_registry_free(registry_of(dir, 0));
	struct stat before, after;
	CHECK_INT(stat(cached(), &before), 0);
	struct dlazy_registry *r = registry_of(dir, 0);
	CHECK_INT(stat(cached(), &after), 0);
	CHECK_INT(before.st_ino, after.st_ino);
	CHECK_INT(answer(r, "a"), 42);
	dlazy_registry_free(r);
}

TEST(stale_catalog_is_made_anew)
{
	const char *dir = make_dir("d");

	put(dir, PLUGIN, "a.so");
	let_time_pass();
	dlazy_registry_free(registry_of(dir, 0));
	put(dir, PLUGIN, "b.so");
	struct dlazy_registry *r = registry_of(dir, 0);
	CHECK_STR(walk(r), "a b ");
	dlazy_registry_free(r);
}

TEST(works_without_a_cache)
{
	const char *dir = make_dir("d");

	put(dir, PLUGIN, "a.so");
	setenv("DLAZY_CACHE_DIR", "/proc/nothing", 1);
	struct dlazy_registry *r = registry_of(dir, 0);
	CHECK_INT(answer(r, "a"), 42);
	dlazy_registry_free(r);
}

TEST(empty_directory_has_nothing)
{
	struct dlazy_registry *r = registry_of(make_dir("d"), 0);

	CHECK_INT(dlazy_registry_count(r), 0);
	CHECK(!dlazy_registry_next(r, NULL));
	CHECK(dlazy_error() == NULL);
	dlazy_registry_free(r);
}

TEST(bad_file_gives_its_reason)
{
	const char *dir = make_dir("d");
	char path[4200];

	put(dir, PLUGIN, "good.so");
	snprintf(path, sizeof(path), "%s/bad.so", dir);
	test_copy("/etc/passwd", path);
	struct dlazy_registry *r = registry_of(dir, 0);
	CHECK_INT(dlazy_registry_count(r), 1);
	CHECK_STR(walk(r), "good ");
	CHECK(dlazy_error() == NULL);
	CHECK(!dlazy_registry_find(r, "bad"));
	CHECK_INT(dlazy_last_status(), -DLAZY_EFORMAT);
	CHECK_IN(dlazy_error(), "bad");
	dlazy_registry_free(r);
}

TEST(plugin_added_later_is_found)
{
	const char *dir = make_dir("d");

	put(dir, PLUGIN, "a.so");
	struct dlazy_registry *r = registry_of(dir, 0);
	CHECK(!dlazy_registry_find(r, "b"));
	CHECK_INT(dlazy_last_status(), -DLAZY_ENOENT);
	put(dir, PLUGIN, "b.so");
	CHECK_INT(answer(r, "b"), 42);
	CHECK_STR(walk(r), "a b ");
	/* Its name does not say what its file is called. */
	let_time_pass();
	CHECK(!dlazy_registry_find(r, "c"));
	put(dir, PLUGIN, "c.so.1");
	CHECK_INT(answer(r, "c"), 42);
	dlazy_registry_free(r);
}

/* As when it was found: what its catalog said may be in use. */
TEST(module_outlives_its_catalog)
{
	const char *dir = make_dir("d");

	put(dir, PLUGIN, "a.so");
	let_time_pass();
	dlazy_registry_free(registry_of(dir, 0)); /* scans */
	struct dlazy_registry *r = registry_of(dir, 0);
	struct dlazy_module *m = found(r, "a");
	put(dir, PLUGIN, "b.so");
	CHECK(found(r, "b") != m);
	CHECK(found(r, "a") == m);
	CHECK_INT(call_int(symbol_of(m, "plain_answer")), 42);
	dlazy_registry_free(r);
}

TEST(module_outlives_its_registry)
{
	const char *dir = make_dir("d");
	char path[4200];

	snprintf(path, sizeof(path), "%s/a.so", dir);
	put(dir, PLUGIN, "a.so");
	let_time_pass();
	dlazy_registry_free(registry_of(dir, 0)); /* scans */
	struct dlazy_registry *r = registry_of(dir, 0);
	struct dlazy_module *m = found(r, "a");
	CHECK(dlazy_open(path, 0) == m);
	dlazy_registry_free(r);
	CHECK_INT(call_int(symbol_of(m, "plain_answer")), 42);
	dlazy_close(m);
}

/* A directory's times do not tell of that. */
TEST(file_overwritten_since_the_scan_is_read_anew)
{
	const char *dir = make_dir("d");

	put(dir, "good-plain-other", "a.so");
	let_time_pass();
	dlazy_registry_free(registry_of(dir, 0)); /* scans */
	put(dir, PLUGIN, "a.so");
	struct dlazy_registry *r = registry_of(dir, 0);
	CHECK(!dlazy_sym(found(r, "a"), "plain_news"));
	CHECK_INT(dlazy_last_status(), -DLAZY_ENOSYM);
	CHECK_INT(answer(r, "a"), 42);
	dlazy_registry_free(r);
}

TEST(bad_file_that_is_mended_is_found)
{
	const char *dir = make_dir("d");
	char path[4200];

	snprintf(path, sizeof(path), "%s/a.so", dir);
	test_copy("/etc/passwd", path);
	struct dlazy_registry *r = registry_of(dir, 0);
	CHECK(!dlazy_registry_find(r, "a"));
	unlink(path);
	put(dir, PLUGIN, "a.so");
	CHECK_INT(answer(r, "a"), 42);
	dlazy_registry_free(r);
}

TEST(plugin_removed_is_not_found)
{
	const char *dir = make_dir("d");
	char path[4200];

	put(dir, PLUGIN, "a.so");
	put(dir, PLUGIN, "b.so");
	struct dlazy_registry *r = registry_of(dir, 0);
	snprintf(path, sizeof(path), "%s/a.so", dir);
	unlink(path);
	CHECK(!dlazy_registry_find(r, "a"));
	CHECK_INT(dlazy_last_status(), -DLAZY_ENOENT);
	CHECK_STR(walk(r), "b ");
	dlazy_registry_free(r);
}

TEST(walk_goes_on_when_its_module_is_removed)
{
	const char *dir = make_dir("d");
	char path[4200];

	put(dir, PLUGIN, "a.so");
	put(dir, PLUGIN, "b.so");
	put(dir, PLUGIN, "c.so");
	struct dlazy_registry *r = registry_of(dir, 0);
	struct dlazy_module *b = found(r, "b");
	snprintf(path, sizeof(path), "%s/b.so", dir);
	unlink(path);
	CHECK(!dlazy_registry_find(r, "none")); /* looks again */
	struct dlazy_module *c = dlazy_registry_next(r, b);
	CHECK(c && !strcmp(dlazy_module_name(c), "c"));
	CHECK(!dlazy_registry_next(r, c));
	dlazy_registry_free(r);
}

static void write_over(const char *dir, const char *plugin, const char *file)
{
	char command[9000];

	/* Into the same file, as a copy or rsync --inplace does. */
	snprintf(command, sizeof(command), "cat '%s' >'%s/%s'", plugin, dir,
		 file);
	CHECK(system(command) == 0);
}

TEST(bad_file_that_is_mended_in_place_is_walked_counted_and_found)
{
	static const char *const how[] = {"walk", "count", "find"};
	char path[4200];

	for (int i = 0; i < 3; i++) {
		const char *dir = i ? own_path("d") : make_dir("d");

		put(dir, PLUGIN, "b.so");
		write_over(dir, "/etc/passwd", "a.so");
		let_time_pass();
		struct dlazy_registry *r = registry_of(dir, 0);
		CHECK_INT(dlazy_registry_count(r), 1);
		let_time_pass();
		write_over(dir, test_plugin(PLUGIN), "a.so");
		if (!strcmp(how[i], "walk"))
			CHECK_STR(walk(r), "a b ");
		else if (!strcmp(how[i], "count"))
			CHECK_INT(dlazy_registry_count(r), 2);
		else
			CHECK_INT(answer(r, "a"), 42);
		dlazy_registry_free(r);
		snprintf(path, sizeof(path), "%s/a.so", dir);
		unlink(path); /* its module knew it as good */
		let_time_pass();
	}
}

/* Two directories with a plugin p, after it was looked at in the first. */
static struct dlazy_registry *two_of_a_name(const char *how)
{
	const char *first = own_path("one"), *second = own_path("two");

	setenv("DLAZY_CACHE_DIR", own_path("cache"), 1);
	mkdir(first, 0755);
	mkdir(second, 0755);
	unlink(own_path("one/p.so")); /* what is mapped is not written to */
	unlink(own_path("two/p.so"));
	put(first, PLUGIN, "p.so");
	put(second, "good-plain-other", "p.so");
	let_time_pass();
	struct dlazy_registry *r = registry_of(first, 0);
	CHECK_INT(dlazy_registry_add_dir(r, second, 0), 0);
	if (!strcmp(how, "walk"))
		CHECK_STR(walk(r), "p ");
	else if (!strcmp(how, "count"))
		CHECK_INT(dlazy_registry_count(r), 1);
	else if (!strcmp(how, "find"))
		found(r, "p");
	return r;
}

static void remove_first(void)
{
	CHECK_INT(unlink(own_path("one/p.so")), 0);
}

static void remove_first_directory(void)
{
	remove_first();
	CHECK_INT(rmdir(own_path("one")), 0);
}

static void break_first(void)
{
	write_over(own_path("one"), "/etc/passwd", "p.so");
}

TEST(what_was_removed_or_broken_does_not_hide_the_next_directorys)
{
	static const char *const how[] = {"nothing", "walk", "count", "find"};
	void (*const what[])(void) = {remove_first, remove_first_directory,
				      break_first};

	for (size_t k = 0; k < 3; k++)
		for (size_t i = 0; i < 4; i++) {
			struct dlazy_registry *r = two_of_a_name(how[i]);

			/* A module of a broken file is there, and fails. */
			if (what[k] == break_first && i != 0 && i != 2) {
				dlazy_registry_free(r);
				continue;
			}
			what[k]();
			CHECK_INT(answer(r, "p"), 43);
			CHECK_STR(walk(r), "p ");
			CHECK_INT(dlazy_registry_count(r), 1);
			dlazy_registry_free(r);
		}
}

TEST(state_of_a_catalog_is_told)
{
	const char *dir = make_dir("d");

	put(dir, PLUGIN, "a.so");
	let_time_pass();
	struct dlazy_registry *r = registry_of(dir, 0);
	CHECK_INT(dlazy_registry_catalog_state(r, dir), 0);
	CHECK_IN(dlazy_error(), "No such file");
	CHECK_INT(dlazy_registry_catalog_state(r, "/nowhere"), -DLAZY_ENOENT);
	CHECK_INT(dlazy_registry_catalog_state(NULL, dir), -DLAZY_EINVAL);
	dlazy_registry_free(r);
	r = registry_of(dir, 0);
	CHECK_INT(dlazy_registry_catalog_state(r, dir), 1);
	CHECK(!dlazy_error());
	dlazy_registry_free(r);
	CHECK_INT(chmod(cached(), 0666), 0);
	r = registry_of(dir, 0);
	CHECK_INT(dlazy_registry_catalog_state(r, dir), 0);
	CHECK_IN(dlazy_error(), "not trusted");
	dlazy_registry_free(r);
	put(dir, PLUGIN, "b.so");
	r = registry_of(dir, 0);
	CHECK_INT(dlazy_registry_catalog_state(r, dir), 0);
	CHECK_IN(dlazy_error(), "has changed since");
	dlazy_registry_free(r);
}

/* A byte of each part of the catalog, changed while nobody has it open. */
TEST(damage_of_any_part_costs_no_plugin)
{
	char *dir = strdup(make_dir("d")); /* own_path() has few at a time */
	char name[16];

	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "p%d.so", i);
		put(dir, PLUGIN, name);
	}
	let_time_pass();
	for (off_t at = 0, size = 1; at < size; at += 173) {
		dlazy_registry_free(registry_of(dir, 0));
		int fd = open(cached(), O_RDWR | O_CLOEXEC);
		struct stat st;
		unsigned char byte;
		CHECK(fd >= 0 && fstat(fd, &st) == 0);
		size = st.st_size;
		CHECK_INT(pread(fd, &byte, 1, at), 1);
		byte ^= (unsigned char)(1 << at % 8);
		CHECK_INT(pwrite(fd, &byte, 1, at), 1);
		close(fd);
		struct dlazy_registry *r = registry_of(dir, 0);
		for (int i = 0; i < 8; i++) {
			snprintf(name, sizeof(name), "p%d", i);
			found(r, name);
		}
		CHECK_STR(walk(r), "p0 p1 p2 p3 p4 p5 p6 p7 ");
		CHECK_INT(dlazy_registry_count(r), 8);
		dlazy_registry_free(r);
	}
	free(dir);
}

TEST(catalog_cut_while_a_host_has_it_costs_no_plugin)
{
	const char *dir = make_dir("d");

	put(dir, PLUGIN, "a.so");
	put(dir, PLUGIN, "b.so");
	let_time_pass();
	dlazy_registry_free(registry_of(dir, 0));
	struct dlazy_registry *r = registry_of(dir, 0);
	CHECK_INT(dlazy_registry_catalog_state(r, dir), 1);
	CHECK_INT(truncate(cached(), 0), 0);
	CHECK_INT(answer(r, "a"), 42);
	CHECK_STR(walk(r), "a b ");
	dlazy_registry_free(r);
}

/* Changes one byte in the middle of each record of the catalog. */
static void damage_records(void)
{
	int fd = open(cached(), O_RDWR | O_CLOEXEC);
	struct stat st;

	CHECK(fd >= 0);
	fstat(fd, &st);
	for (off_t at = st.st_size / 3; at < st.st_size; at += 64) {
		unsigned char byte;
		CHECK_INT(pread(fd, &byte, 1, at), 1);
		byte ^= 0x5a;
		CHECK_INT(pwrite(fd, &byte, 1, at), 1);
	}
	close(fd);
}

TEST(damaged_catalog_costs_a_scan)
{
	const char *dir = make_dir("d");

	put(dir, PLUGIN, "a.so");
	put(dir, "good-plain-other", "b.so");
	let_time_pass();
	struct dlazy_registry *r = registry_of(dir, 0);
	damage_records();
	CHECK_INT(answer(r, "a"), 42);
	CHECK_INT(answer(r, "b"), 43);
	CHECK_STR(walk(r), "a b ");
	CHECK_INT(dlazy_registry_count(r), 2);
	dlazy_registry_free(r);
}

TEST(damaged_catalogs_do_not_end_a_walk)
{
	const char *first = make_dir("one");
	const char *second = own_path("two");

	mkdir(second, 0755);
	put(first, PLUGIN, "a.so");
	put(first, PLUGIN, "b.so");
	let_time_pass();
	struct dlazy_registry *r = registry_of(first, 0);
	damage_records();
	unlink(cached());
	put(second, PLUGIN, "c.so");
	put(second, PLUGIN, "d.so");
	let_time_pass();
	CHECK_INT(dlazy_registry_add_dir(r, second, 0), 0);
	damage_records();
	CHECK_STR(walk(r), "a b c d ");
	dlazy_registry_free(r);
}

TEST(catalog_that_others_can_write_is_not_used)
{
	const char *dir = make_dir("d");
	struct stat before, after;

	put(dir, PLUGIN, "a.so");
	let_time_pass();
	dlazy_registry_free(registry_of(dir, 0));
	CHECK_INT(chmod(cached(), 0666), 0);
	CHECK_INT(stat(cached(), &before), 0);
	struct dlazy_registry *r = registry_of(dir, 0);
	CHECK_INT(answer(r, "a"), 42);
	CHECK_INT(stat(cached(), &after), 0);
	CHECK(before.st_ino != after.st_ino);
	dlazy_registry_free(r);
}

/* ------------------------------------------------------------------ */
/* Flags and modes                                                    */

TEST(eager_loads_each_plugin_and_outlives_a_bad_one)
{
	const char *dir = make_dir("d");

	put(dir, PLUGIN, "a.so");
	put(dir, "bad-missing-library", "b.so");
	put(dir, PLUGIN, "c.so");
	struct dlazy_registry *r = registry_of(dir, DLAZY_EAGER);
	CHECK_INT(dlazy_module_state(found(r, "a")), DLAZY_LOADED);
	CHECK_INT(dlazy_module_state(found(r, "b")), DLAZY_FAILED);
	CHECK_INT(dlazy_module_state(found(r, "c")), DLAZY_LOADED);
	dlazy_registry_free(r);
}

TEST(eager_does_not_load_what_is_shadowed)
{
	const char *dir = make_dir("d");

	put(dir, PLUGIN, "shadowed.so");
	struct dlazy_registry *r = dlazy_registry_new();
	CHECK_INT(dlazy_registry_add_builtin(r, "shadowed", builtin, 1), 0);
	CHECK_INT(dlazy_registry_add_dir(r, dir, DLAZY_EAGER), 0);
	CHECK_INT(test_mapped("shadowed.so"), 0);
	dlazy_registry_free(r);
}

TEST(off_is_a_dlopen_of_each)
{
	const char *dir = make_dir("d");

	put(dir, PLUGIN, "a.so");
	put(dir, PLUGIN, "b.so");
	setenv("DLAZY", "off", 1);
	struct dlazy_registry *r = registry_of(dir, 0);
	CHECK(test_mapped("a.so") > 0 && test_mapped("b.so") > 0);
	CHECK_STR(walk(r), "a b ");
	CHECK_INT(answer(r, "b"), 42);
	CHECK_INT(access(own_path("cache"), F_OK), -1);
	dlazy_registry_free(r);
}

/* As `chmod -R` leaves it: the catalog is younger than what was added. */
TEST(name_is_looked_for_where_times_say_that_a_catalog_is_whole)
{
	const char *dir = make_dir("d");
	struct scan_options options = {.system = true};
	char catalog[PATH_MAX];

	put(dir, PLUGIN, "a.so");
	let_time_pass();
	_cleanup_close_ int dirfd = open(dir, O_RDONLY | O_DIRECTORY);
	CHECK_INT(scan_directory(dirfd, dir, &options, NULL, NULL), 0);
	put(dir, PLUGIN, "b.so");
	let_time_pass();
	snprintf(catalog, sizeof(catalog), "%s/dlazy.catalog", dir);
	CHECK_INT(chmod(dir, 0755), 0);
	CHECK_INT(chmod(catalog, 0644), 0);
	struct dlazy_registry *r = registry_of(dir, 0);
	CHECK_INT(answer(r, "b"), 42);
	dlazy_registry_free(r);
}

/* ------------------------------------------------------------------ */
/* Costs                                                              */

static long private_kib(void)
{
	char line[256];
	long kib = -1;
	FILE *file = fopen("/proc/self/status", "re");

	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "RssAnon: %ld", &kib);
	fclose(file);
	return kib;
}

TEST(declaring_costs_the_same_for_any_number_of_plugins)
{
	const char *dir = make_dir("d");
	char name[32];

	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "p%d.so", i);
		put(dir, PLUGIN, name);
	}
	let_time_pass();
	/* The first scans; more, so that valgrind has translated all of it. */
	for (int i = 0; i < 3; i++)
		dlazy_registry_free(registry_of(dir, 0));
	long before = private_kib();
	struct dlazy_registry *r = registry_of(dir, 0);
	/* valgrind keeps more of its own. */
	CHECK(private_kib() - before <= MEMORY_KIB || getenv("TEST_SLOW"));
	CHECK_INT(test_mapped(".catalog"), 0); /* nobody can cut it */
	CHECK_INT(answer(r, "p1234"), 42);
	dlazy_registry_free(r);
}

TEST(modules_end_with_their_registry)
{
	const char *dir = make_dir("d");

	put(dir, PLUGIN, "a.so");
	struct dlazy_registry *r = registry_of(dir, 0);
	struct dlazy_module *m = found(r, "a");
	void *stub = symbol_of(m, "plain_answer");
	dlazy_registry_free(r);
	CHECK(!dlazy_module_name(m));
	CHECK(!dlazy_sym(m, "plain_answer"));
	CHECK_INT(call_int(stub), 42);
}

TEST(a_path_is_added_in_its_order)
{
	struct dlazy_registry *r = dlazy_registry_new();
	const char *one = make_dir("one"), *two = own_path("two");
	char path[9000];

	CHECK_INT(mkdir(two, 0755), 0);
	put(one, PLUGIN, "p.so");
	put(two, PLUGIN "-other", "p.so");
	put(two, PLUGIN, "q.so");
	snprintf(path, sizeof(path), ":%s:/nonexistent:%s/p.so::%s:", one, one,
		 two);
	CHECK_INT(dlazy_registry_add_path(r, path, 0), 2);
	CHECK_STR(walk(r), "p q ");
	CHECK_INT(answer(r, "p"), answer(r, "q"));
	dlazy_registry_free(r);
	r = dlazy_registry_new();
	snprintf(path, sizeof(path), "%s:%s/../two/:%s//:%s", two, one, two,
		 one);
	CHECK_INT(dlazy_registry_add_path(r, path, 0), 2);
	CHECK_STR(walk(r), "p q ");
	CHECK_INT(dlazy_registry_add_path(r, "", 0), 0);
	CHECK_INT(dlazy_registry_add_path(r, NULL, 0), -DLAZY_EINVAL);
	CHECK_INT(dlazy_registry_add_path(r, two, 1 << 30), -DLAZY_EINVAL);
	dlazy_registry_free(r);
}

static void needs_json(void)
{
	static char json[4096];
	const char *stage = getenv("DLAZY_STAGE_LIBDIR");

	snprintf(json, sizeof(json), "%s/dlazy/json.so", stage ? stage : "");
	if (access(json, F_OK) < 0)
		test_skip("the JSON module is not there");
	metadata_use_module(json);
}

/* The plugin good-described was made for test/2.3. */
static int offered(unsigned major, unsigned minor, const char *name)
{
	struct dlazy_registry *r = registry_of(own_path("plugins"), 0);
	int status = 0;

	CHECK(dlazy_registry_find(r, "d"));
	CHECK_INT(dlazy_registry_interface(r, name, major, minor), 0);
	if (!dlazy_registry_find(r, "d")) {
		status = dlazy_last_status();
		CHECK_IN(dlazy_error(), "d: made for the interface test/2.3");
	}
	CHECK(dlazy_registry_find(r, "silent"));
	dlazy_registry_free(r);
	return status;
}

TEST(a_plugin_for_another_interface_is_refused)
{
	const char *dir = make_dir("plugins");

	needs_json();
	put(dir, "good-described", "d.so");
	put(dir, PLUGIN, "silent.so");
	CHECK_INT(offered(2, 3, "test"), 0);
	CHECK_INT(offered(2, 4, "test"), 0);
	CHECK_INT(offered(2, 2, "test"), -DLAZY_EINTERFACE);
	CHECK_INT(offered(1, 9, "test"), -DLAZY_EINTERFACE);
	CHECK_INT(offered(3, 3, "test"), -DLAZY_EINTERFACE);
	CHECK_INT(offered(1, 0, "tes"), 0);
	CHECK_INT(dlazy_registry_interface(NULL, "test", 1, 0), -DLAZY_EINVAL);
}

TEST(one_of_several_interfaces_is_enough)
{
	const char *dir = make_dir("plugins");

	needs_json();
	put(dir, "good-described", "d.so");
	struct dlazy_registry *r = registry_of(dir, 0);
	CHECK_INT(dlazy_registry_interface(r, "test", 3, 0), 0);
	CHECK(!dlazy_registry_find(r, "d"));
	CHECK_INT(dlazy_registry_interface(r, "test", 2, 1), 0);
	CHECK(!dlazy_registry_find(r, "d"));
	CHECK_INT(dlazy_registry_interface(r, "test", 2, 5), 0);
	CHECK(dlazy_registry_find(r, "d"));
	CHECK_INT(dlazy_registry_interface(r, "test", 2, 0), 0);
	CHECK(dlazy_registry_find(r, "d"));
	dlazy_registry_free(r);
}

/* A host may say it before each of its look-ups. */
TEST(interface_that_is_offered_again_takes_no_memory)
{
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__ || \
	!defined __GLIBC__
	test_skip("this malloc() does not count");
#else
	struct dlazy_registry *r = dlazy_registry_new();
	struct mallinfo2 before = {0};

	for (unsigned i = 0; i < 11000; i++) {
		if (i == 1000)
			before = mallinfo2();
		CHECK_INT(dlazy_registry_interface(r, "test", 1, i % 10), 0);
	}
	CHECK(mallinfo2().uordblks < before.uordblks + 100000);
	dlazy_registry_free(r);
#endif
}
