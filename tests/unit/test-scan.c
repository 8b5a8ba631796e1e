/* SPDX-License-Identifier: MIT */
/*
 * Scanning: what counts as a plugin, what is read again, what a catalog on
 * disk looks like whatever happens while it is made.
 */
#include "tests/test.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/status.h"
#include "catalog/catalog.h"
#include "catalog/scan.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* A path below the test's directory; of up to 4 calls at a time. */
static const char *below(const char *file)
{
	static char paths[4][PATH_MAX];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", test_directory(), file);
	return path;
}

static void write_text(const char *path, const char *text)
{
	FILE *out = fopen(path, "we");

	CHECK(out && fputs(text, out) >= 0 && fclose(out) == 0);
}

static int open_plugins(void)
{
	setenv("DLAZY_CACHE_DIR", below("cache"), 1);
	mkdir(below("plugins"), 0755);
	return open(below("plugins"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* a, b, c, and text.so that is none. */
static int make_plugins(void)
{
	int dirfd = open_plugins();

	test_copy(test_plugin("good-plain"), below("plugins/a.so"));
	test_copy(test_plugin("good-exports"), below("plugins/b.so"));
	test_copy(test_plugin("good-plain"), below("plugins/c.so"));
	write_text(below("plugins/text.so"), "text\n");
	return dirfd;
}

static struct scan_result scan_with(int dirfd, struct scan_options options,
				    struct catalog **ret)
{
	struct scan_result result;

	if (scan_directory(dirfd, below("plugins"), &options, &result, ret) < 0)
		test_fail(__FILE__, __LINE__, "%s", status_message());
	return result;
}

static struct scan_result scan(int dirfd)
{
	return scan_with(dirfd, (struct scan_options){0}, NULL);
}

static struct scan_result scan_system(int dirfd)
{
	return scan_with(dirfd, (struct scan_options){.system = true}, NULL);
}

static void check_result(struct scan_result r, size_t total, size_t added,
			 size_t changed, size_t removed, size_t bad,
			 size_t opened)
{
	CHECK_INT(r.total, total);
	CHECK_INT(r.added, added);
	CHECK_INT(r.changed, changed);
	CHECK_INT(r.removed, removed);
	CHECK_INT(r.bad, bad);
	CHECK_INT(r.opened, opened);
}

/* The directory's catalog, which must be fresh and sound throughout. */
static struct catalog *open_sound(int dirfd)
{
	struct catalog *c;

	if (catalog_open(dirfd, below("plugins"), &c) < 0)
		test_fail(__FILE__, __LINE__, "%s", status_message());
	for (size_t i = 0; i < catalog_count(c) + catalog_bad_count(c); i++)
		CHECK(catalog_record(c, i));
	return c;
}

TEST(plugin_file_names)
{
	static const char *const yes[] = {"a.so",	"liba.so.1",
					  "a.so.1.2.3", "liba.so.1.0.0k",
					  "a.b.so",	"x.so.so"};
	static const char *const no[] = {
		"a",	 ".so",		  "a.la",      ".a.so",
		"a.so.", "a.so.dpkg-new", "a.sox",     "a.so.1.dpkg-new",
		"aso",	 "dlazy.catalog", ".a.so.X1f", "a.so~"};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		if (!scan_is_plugin_name(yes[i]))
			test_fail(__FILE__, __LINE__, "%s", yes[i]);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (scan_is_plugin_name(no[i]))
			test_fail(__FILE__, __LINE__, "%s", no[i]);
}

TEST(first_scan_reads_all)
{
	_cleanup_close_ int dirfd = make_plugins();

	check_result(scan(dirfd), 3, 3, 0, 0, 1, 4);
}

TEST(second_scan_opens_nothing)
{
	_cleanup_close_ int dirfd = make_plugins();

	scan(dirfd);
	check_result(scan(dirfd), 3, 0, 0, 0, 1, 0);
}

TEST(only_changed_files_are_read_again)
{
	_cleanup_close_ int dirfd = make_plugins();

	scan(dirfd);
	test_copy(test_plugin("good-exports"), below("plugins/a.so"));
	test_copy(test_plugin("good-plain"), below("plugins/d.so"));
	CHECK_INT(unlink(below("plugins/c.so")), 0);
	check_result(scan(dirfd), 3, 1, 1, 1, 1, 2);
	_cleanup_catalog_ struct catalog *c = open_sound(dirfd);
	struct record_symbol s;
	CHECK(record_find(catalog_record(c, 0), "exports_add", NULL, &s));
}

/* The names of files opened in the directory since the watch, joined. */
static const char *opened_files(int watch)
{
	static char names[1024];
	char events[4096] __attribute__((aligned(8)));
	ssize_t n = read(watch, events, sizeof(events));

	names[0] = '\0';
	for (ssize_t at = 0; at < n;) {
		struct inotify_event *e = (void *)(events + at);
		if (e->len && !(e->mask & IN_ISDIR)) {
			strcat(names, e->name);
			strcat(names, " ");
		}
		at += (ssize_t)(sizeof(*e) + e->len);
	}
	return names;
}

TEST(kernel_sees_only_changed_files_opened)
{
	_cleanup_close_ int dirfd = make_plugins();
	_cleanup_close_ int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	scan(dirfd);
	test_copy(test_plugin("good-plain"), below("plugins/b.so"));
	CHECK(inotify_add_watch(watch, below("plugins"), IN_OPEN) >= 0);
	scan(dirfd);
	CHECK_STR(opened_files(watch), "b.so ");
	scan(dirfd);
	CHECK_STR(opened_files(watch), "");
	catalog_close(open_sound(dirfd));
	CHECK_STR(opened_files(watch), "");
}

TEST(bad_file_is_not_opened_again_and_heals_when_it_changes)
{
	_cleanup_close_ int dirfd = make_plugins();
	size_t index;

	scan(dirfd);
	check_result(scan(dirfd), 3, 0, 0, 0, 1, 0);
	test_copy(test_plugin("good-plain"), below("plugins/text.so"));
	check_result(scan(dirfd), 4, 1, 0, 0, 0, 1);
	write_text(below("plugins/a.so"), "was a plugin\n");
	check_result(scan(dirfd), 3, 0, 0, 1, 1, 1);
	_cleanup_catalog_ struct catalog *c = open_sound(dirfd);
	CHECK_INT(record_status(catalog_find(c, "text", &index, NULL)), 0);
	CHECK_STR(record_message(catalog_find(c, "a", &index, NULL)),
		  "a.so: not an ELF file");
}

TEST(what_could_not_be_read_is_not_written)
{
	_cleanup_close_ int dirfd = make_plugins();
	size_t index;

	if (geteuid() != 0)
		test_skip("needs root, to be somebody else");
	CHECK_INT(chmod(below("plugins/a.so"), 0000), 0);
	CHECK_INT(chmod(test_directory(), 0777), 0);
	CHECK_INT(mkdir(below("cache"), 0777) | chmod(below("cache"), 0777), 0);
	CHECK_INT(seteuid(12345), 0);
	struct catalog *c;
	struct scan_options user = {0};
	check_result(scan_with(dirfd, user, &c), 2, 2, 0, 0, 2, 4);
	const struct record *r = catalog_find(c, "a", &index, NULL);
	CHECK_INT(record_status(r), -DLAZY_EIO);
	CHECK_IN(record_message(r), "Permission denied");
	catalog_close(c);
	/* Without a place to give it to, that is a failure, with words. */
	CHECK_INT(scan_directory(dirfd, below("plugins"), &user, NULL, NULL),
		  -DLAZY_EIO);
	CHECK_IN(status_message(), "Permission denied");
	CHECK_INT(catalog_open(dirfd, below("plugins"), &c), -DLAZY_ENOENT);
	CHECK_INT(seteuid(0), 0);
	CHECK_INT(chmod(below("plugins/a.so"), 0644), 0);
	CHECK_INT(seteuid(12345), 0);
	check_result(scan(dirfd), 3, 3, 0, 0, 1, 4);
	CHECK_INT(seteuid(0), 0);
}

TEST(file_overwritten_right_after_a_scan_is_read_again)
{
	_cleanup_close_ int dirfd = make_plugins();
	struct stat st;

	CHECK_INT(fstatat(dirfd, "a.so", &st, 0), 0);
	for (int i = 0; i < 20; i++) {
		scan(dirfd);
		_cleanup_close_ int fd =
			openat(dirfd, "a.so", O_WRONLY | O_CLOEXEC);
		CHECK(pwrite(fd, i % 2 ? "\177" : "!", 1, 0) == 1);
		CHECK_INT(futimens(fd, (struct timespec[2]){st.st_mtim,
							    st.st_mtim}),
			  0);
		CHECK_INT(scan(dirfd).opened, 1);
	}
}

TEST(files_without_times_are_told_apart)
{
	_cleanup_close_ int dirfd = make_plugins();
	struct timespec epoch[2] = {{0, 0}, {0, 0}};

	utimensat(dirfd, "a.so", epoch, 0);
	utimensat(dirfd, "c.so", epoch, 0);
	scan(dirfd);
	CHECK_INT(scan(dirfd).opened, 0);
	/* Of the same size and time: exchanged. */
	CHECK_INT(renameat2(dirfd, "a.so", dirfd, "c.so", RENAME_EXCHANGE), 0);
	utimensat(dirfd, "a.so", epoch, 0);
	utimensat(dirfd, "c.so", epoch, 0);
	CHECK_INT(scan(dirfd).opened, 2);
}

TEST(link_to_a_plugin_elsewhere_is_a_plugin_of_this_directory)
{
	_cleanup_close_ int dirfd = make_plugins();
	size_t index;

	mkdir(below("elsewhere"), 0755);
	test_copy(test_plugin("good-plain"), below("elsewhere/x.so"));
	CHECK_INT(symlink("../elsewhere/x.so", below("plugins/link.so")), 0);
	CHECK_INT(symlink("../elsewhere", below("plugins/dir.so")), 0);
	CHECK_INT(symlink("nowhere", below("plugins/dangling.so")), 0);
	CHECK_INT(scan(dirfd).total, 4);
	CHECK_INT(scan(dirfd).opened, 0);
	_cleanup_catalog_ struct catalog *c = open_sound(dirfd);
	CHECK_STR(record_file(catalog_find(c, "link", &index, NULL)),
		  "link.so");
	CHECK(!catalog_find(c, "dangling", &index, NULL));
	/* What it stands for changes. */
	test_copy(test_plugin("good-exports"), below("elsewhere/x.so"));
	CHECK_INT(scan(dirfd).opened, 1);
}

TEST(of_two_files_of_one_name_the_first_is_it)
{
	_cleanup_close_ int dirfd = make_plugins();
	size_t index;

	test_copy(test_plugin("good-exports"), below("plugins/a.so.1"));
	struct scan_result r = scan(dirfd);
	CHECK_INT(r.total, 3);
	CHECK_INT(r.opened, 4);
	_cleanup_catalog_ struct catalog *c = open_sound(dirfd);
	CHECK_STR(record_file(catalog_find(c, "a", &index, NULL)), "a.so");
}

TEST(file_that_is_no_plugin_does_not_hide_one_of_its_name)
{
	_cleanup_close_ int dirfd = make_plugins();
	size_t index;

	test_copy(test_plugin("good-exports"), below("plugins/text.so.6"));
	check_result(scan(dirfd), 4, 4, 0, 0, 1, 5);
	_cleanup_catalog_ struct catalog *c = open_sound(dirfd);
	CHECK_STR(record_file(catalog_find(c, "text", &index, NULL)),
		  "text.so.6");
}

TEST(dry_scan_writes_nothing)
{
	_cleanup_close_ int dirfd = make_plugins();
	struct catalog *c;
	struct scan_options dry = {.dry = true};

	scan_with(dirfd, dry, &c);
	CHECK_INT(catalog_count(c), 3);
	catalog_close(c);
	CHECK(access(below("cache"), F_OK) < 0);
	dry.system = true;
	scan_with(dirfd, dry, NULL);
	CHECK(access(below("plugins/" CATALOG_FILE), F_OK) < 0);
}

static void count_progress(size_t done, size_t all, void *data)
{
	size_t *last = data;

	CHECK_INT(done, *last + 1);
	CHECK_INT(all, 4);
	*last = done;
}

TEST(progress_counts_the_files)
{
	_cleanup_close_ int dirfd = make_plugins();
	size_t last = 0;
	struct scan_options o = {.progress = count_progress,
				 .progress_data = &last};

	scan_with(dirfd, o, NULL);
	CHECK_INT(last, 4);
}

TEST(output_goes_where_it_is_told)
{
	_cleanup_close_ int dirfd = make_plugins();
	_cleanup_catalog_ struct catalog *c = NULL;
	struct scan_options o = {.system = true, .output = below("out")};

	scan_with(dirfd, o, NULL);
	CHECK_INT(catalog_open_file(AT_FDCWD, NULL, below("out"), &c), 0);
	CHECK_INT(catalog_count(c), 3);
	CHECK(access(below("plugins/" CATALOG_FILE), F_OK) < 0);
}

TEST(scan_of_a_file_is_an_error)
{
	write_text(below("file"), "");
	_cleanup_close_ int fd = open(below("file"), O_RDONLY | O_CLOEXEC);

	CHECK_INT(scan_directory(fd, below("file"), NULL, NULL, NULL),
		  -DLAZY_ENOENT);
	CHECK_IN(status_message(), below("file"));
}

/* ------------------------------------------------------------------ */

static void *read_whole(const char *path, size_t *ret_size)
{
	struct file_identity identity;
	_cleanup_close_ int fd = -1;

	CHECK_INT(file_open(AT_FDCWD, path, &fd, &identity), 0);
	uint8_t *bytes = malloc(identity.size + 1);
	CHECK(file_read_at(fd, 0, bytes, identity.size));
	*ret_size = identity.size;
	return bytes;
}

TEST(system_catalogs_of_equal_directories_are_equal)
{
	size_t size[2];
	_cleanup_close_ int dirfd = make_plugins();

	scan_system(dirfd);
	_cleanup_free_ void *one =
		read_whole(below("plugins/" CATALOG_FILE), &size[0]);
	CHECK_INT(rename(below("plugins"), below("moved")), 0);
	usleep(20000);
	_cleanup_close_ int again = make_plugins();
	scan_system(again);
	_cleanup_free_ void *two =
		read_whole(below("plugins/" CATALOG_FILE), &size[1]);
	CHECK_INT(size[0], size[1]);
	CHECK(memcmp(one, two, size[0]) == 0);
}

TEST(system_catalog_serves_where_the_directory_is_copied)
{
	_cleanup_close_ int dirfd = make_plugins();
	char command[2 * PATH_MAX];

	scan_system(dirfd);
	/* The catalog last: what is put there after it makes it stale. */
	snprintf(command, sizeof(command),
		 "cd %s && mv plugins old && mkdir plugins && "
		 "cp old/*.so plugins && cp old/*.catalog plugins",
		 test_directory());
	CHECK_INT(system(command), 0);
	_cleanup_close_ int copy = open_plugins();
	_cleanup_catalog_ struct catalog *c = open_sound(copy);
	for (size_t i = 0; i < 4; i++) {
		const struct record *r = catalog_record(c, i);
		struct file_identity now;
		CHECK_INT(file_identify(copy, record_file(r), &now), 0);
		CHECK(record_is_current(r, copy, &now));
	}
}

TEST(system_scan_sees_what_changed_in_place)
{
	_cleanup_close_ int dirfd = make_plugins();

	check_result(scan_system(dirfd), 3, 3, 0, 0, 1, 4);
	check_result(scan_system(dirfd), 3, 0, 0, 0, 1, 4);
	test_copy(test_plugin("good-exports"), below("plugins/a.so"));
	check_result(scan_system(dirfd), 3, 0, 1, 0, 1, 4);
}

TEST(system_catalog_is_readable_to_all_and_fresh_at_once)
{
	_cleanup_close_ int dirfd = make_plugins();
	struct stat catalog, dir;

	umask(077);
	for (int i = 0; i < 50; i++) {
		scan_system(dirfd);
		catalog_close(open_sound(dirfd));
		CHECK_INT(stat(below("plugins/" CATALOG_FILE), &catalog), 0);
		CHECK_INT(fstat(dirfd, &dir), 0);
		CHECK_INT(catalog.st_mode & 0777, 0644);
		CHECK(catalog.st_ctim.tv_sec > dir.st_ctim.tv_sec ||
		      (catalog.st_ctim.tv_sec == dir.st_ctim.tv_sec &&
		       catalog.st_ctim.tv_nsec >= dir.st_ctim.tv_nsec));
	}
}

TEST(user_catalog_is_the_users_alone)
{
	_cleanup_close_ int dirfd = make_plugins();
	_cleanup_free_ char *path = catalog_user_path(below("plugins"));
	struct stat st;

	umask(0);
	scan(dirfd);
	CHECK_INT(stat(path, &st), 0);
	CHECK_INT(st.st_mode & 0777, 0600);
	CHECK_INT(stat(below("cache"), &st), 0);
	CHECK_INT(st.st_mode & 0777, 0700);
}

/* ------------------------------------------------------------------ */

TEST(catalog_that_cannot_be_written_is_returned_all_the_same)
{
	_cleanup_close_ int dirfd = make_plugins();
	struct scan_options o = {0};
	struct catalog *c;

	setenv("DLAZY_CACHE_DIR", "/proc/no/such/place", 1);
	scan_with(dirfd, o, &c);
	CHECK_INT(catalog_count(c), 3);
	CHECK(catalog_record(c, 0));
	catalog_close(c);
	CHECK_INT(scan_directory(dirfd, below("plugins"), &o, NULL, NULL),
		  -DLAZY_EIO);
	CHECK_IN(status_message(), "/proc/no");
}

TEST(without_a_home_the_catalog_stays_in_memory)
{
	_cleanup_close_ int dirfd = make_plugins();
	struct scan_options o = {0};
	struct catalog *c;

	unsetenv("DLAZY_CACHE_DIR");
	unsetenv("XDG_CACHE_HOME");
	setenv("HOME", "nowhere", 1);
	scan_with(dirfd, o, &c);
	CHECK_INT(catalog_count(c), 3);
	catalog_close(c);
	CHECK_INT(scan_directory(dirfd, below("plugins"), &o, NULL, NULL),
		  -DLAZY_EIO);
	CHECK_IN(status_message(), "DLAZY_CACHE_DIR");
}

TEST(full_disk_leaves_the_old_catalog)
{
	_cleanup_close_ int dirfd = make_plugins();
	_cleanup_free_ char *path = catalog_user_path(below("plugins"));
	struct rlimit limit = {512, RLIM_INFINITY};
	struct scan_options o = {0};
	struct catalog *c;
	size_t size, size_after;

	scan(dirfd);
	_cleanup_free_ void *before = read_whole(path, &size);
	test_copy(test_plugin("good-plain"), below("plugins/d.so"));
	signal(SIGXFSZ, SIG_IGN);
	CHECK_INT(setrlimit(RLIMIT_FSIZE, &limit), 0);
	scan_with(dirfd, o, &c);
	CHECK_INT(catalog_count(c), 4);
	catalog_close(c);
	_cleanup_free_ void *after = read_whole(path, &size_after);
	CHECK(size == size_after && memcmp(before, after, size) == 0);
	CHECK_INT(system("test \"$(ls -A $DLAZY_CACHE_DIR | wc -l)\" = 1"), 0);
}

/* ------------------------------------------------------------------ */

static void add_file(size_t done, size_t all, void *data)
{
	int *left = data;

	(void)all;
	if (done == 2 && (*left)-- > 0) {
		char name[32];
		snprintf(name, sizeof(name), "plugins/new%d.so", *left);
		test_copy(test_plugin("good-plain"), below(name));
	}
}

static void sees_what_comes_during_the_scan(bool system)
{
	_cleanup_close_ int dirfd = make_plugins();
	int left = 2;
	struct scan_options o = {
		.system = system, .progress = add_file, .progress_data = &left};
	size_t index;

	CHECK_INT(scan_with(dirfd, o, NULL).total, 5);
	_cleanup_catalog_ struct catalog *c = open_sound(dirfd);
	CHECK(catalog_find(c, "new0", &index, NULL));
	CHECK(catalog_find(c, "new1", &index, NULL));
}

TEST(user_scan_sees_what_comes_while_it_runs)
{
	sees_what_comes_during_the_scan(false);
}

TEST(system_scan_sees_what_comes_while_it_runs)
{
	sees_what_comes_during_the_scan(true);
}

TEST(directory_without_rest_ends_the_scan_and_leaves_nothing_stale)
{
	_cleanup_close_ int dirfd = make_plugins();
	int left = 1000;
	struct catalog *c;
	struct scan_options o = {
		.system = true, .progress = add_file, .progress_data = &left};

	scan_with(dirfd, o, NULL);
	CHECK(left > 900);
	CHECK_INT(catalog_open(dirfd, below("plugins"), &c), -DLAZY_ENOENT);
}

/* Scans over and over, each time with something to write. */
static void scan_for_ever(bool system)
{
	struct scan_options o = {.system = system};
	int dirfd = open_plugins();

	for (;;) {
		if (scan_directory(dirfd, below("plugins"), &o, NULL, NULL) < 0)
			_exit(1);
	}
}

static void survives_kill(bool system)
{
	_cleanup_close_ int dirfd = make_plugins();
	_cleanup_free_ char *path =
		system ? strdup(below("plugins/" CATALOG_FILE))
		       : catalog_user_path(below("plugins"));
	struct catalog *c;

	srand(4);
	scan_with(dirfd, (struct scan_options){.system = system}, NULL);
	for (int i = 0; i < 60; i++) {
		pid_t pid = fork();
		if (pid == 0)
			scan_for_ever(system);
		usleep((useconds_t)(rand() % 8000));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		CHECK_INT(catalog_open_file(AT_FDCWD, NULL, path, &c), 0);
		CHECK_INT(catalog_count(c), 3);
		for (size_t k = 0; k < 4; k++)
			CHECK(catalog_record(c, k));
		catalog_close(c);
	}
	scan_with(dirfd, (struct scan_options){.system = system}, NULL);
	catalog_close(open_sound(dirfd));
}

TEST(killed_user_scan_leaves_a_whole_catalog)
{
	survives_kill(false);
}

TEST(killed_system_scan_leaves_a_whole_catalog)
{
	survives_kill(true);
}

static void scan_often(bool system, int number)
{
	struct scan_options o = {.system = system};
	int dirfd = open_plugins();
	char name[32];

	snprintf(name, sizeof(name), "plugins/own%d.so", number);
	for (int i = 0; i < 10; i++) {
		if (i % 2)
			unlink(below(name));
		else
			test_copy(test_plugin("good-plain"), below(name));
		/* Who holds the lock for too long is taken for stopped, and
		 * loses its file: on a slow machine that may be one of us. */
		int status = -1;
		for (int tries = 0; status < 0 && tries < 5; tries++)
			status = scan_directory(dirfd, below("plugins"), &o,
						NULL, NULL);
		if (status < 0)
			test_fail(__FILE__, __LINE__, "%s", status_message());
	}
	_exit(0);
}

static void scanners_do_not_disturb_each_other(bool system)
{
	_cleanup_close_ int dirfd = make_plugins();
	struct catalog *c;
	size_t index;
	int status;

	for (int i = 0; i < 4; i++)
		if (fork() == 0)
			scan_often(system, i);
	for (int i = 0; i < 4; i++) {
		wait(&status);
		CHECK_INT(status, 0);
	}
	/* What they left is the truth, or known not to be. */
	if (catalog_open(dirfd, below("plugins"), &c) < 0)
		scan_with(dirfd, (struct scan_options){.system = system}, &c);
	CHECK_INT(catalog_count(c), 3);
	CHECK(!catalog_find(c, "own0", &index, NULL));
	catalog_close(c);
}

TEST(user_scanners_at_once_are_safe)
{
	scanners_do_not_disturb_each_other(false);
}

TEST(system_scanners_at_once_are_safe)
{
	scanners_do_not_disturb_each_other(true);
}

TEST(damaged_old_catalog_is_replaced)
{
	_cleanup_close_ int dirfd = make_plugins();
	_cleanup_free_ char *path = catalog_user_path(below("plugins"));
	size_t size;

	scan(dirfd);
	free(read_whole(path, &size));
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	for (size_t at = 0; at < size; at += 16)
		CHECK(pwrite(fd, "\x5a", 1, (off_t)at) == 1);
	check_result(scan(dirfd), 3, 3, 0, 0, 1, 4);
	catalog_close(open_sound(dirfd));
}

TEST(one_damaged_record_costs_reading_one_file)
{
	_cleanup_close_ int dirfd = make_plugins();
	_cleanup_free_ char *path = catalog_user_path(below("plugins"));
	size_t size;

	scan(dirfd);
	free(read_whole(path, &size));
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	/* The last record: of text.so, or of what stands there. */
	CHECK(pwrite(fd, "\x5a", 1, (off_t)size - 9) == 1);
	CHECK_INT(scan(dirfd).opened, 1);
	catalog_close(open_sound(dirfd));
}
