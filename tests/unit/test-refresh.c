/* SPDX-License-Identifier: MIT */
/*
 * dlazy_registry_refresh() and dlazy_registry_watch(): what changes in a running
 * host's directories is told once, and walks go on meanwhile.
 */
#include "tests/unit/opened.h"

#include <dlazy/lifecycle.h>
#include <dlazy/query.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What others do at the moment when this path is opened, listed, or watched. */
static struct meanwhile {
	const char *path;
	void (*fn)(void);
} when_opened, when_listed, when_watched;

static void run_once(struct meanwhile *what, const char *path)
{
	void (*fn)(void) = what->fn;

	if (!fn || strcmp(path, what->path) != 0)
		return;
	what->fn = NULL;
	fn();
}

/* These three are in the place of the C library's. */
int open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	va_start(args, flags);
	if (flags & O_CREAT)
		mode = va_arg(args, mode_t);
	va_end(args);
	run_once(&when_opened, path);
	return openat(AT_FDCWD, path, flags, mode);
}

DIR *opendir(const char *path)
{
	run_once(&when_listed, path);
	int fd = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? NULL : fdopendir(fd);
}

static bool cannot_watch;

int inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	run_once(&when_watched, path);
	if (!cannot_watch)
		return (int)syscall(SYS_inotify_add_watch, fd, path, mask);
	errno = ENOSPC;
	return -1;
}

/* Of the last refresh: "+name -name !name ". */
static char told[4096];
static struct dlazy_registry *told_registry;
static struct dlazy_module *told_module;

static void listen(const struct dlazy_event *event, void *data)
{
	size_t n = strlen(told);

	(void)data;
	if (event->kind < DLAZY_EVENT_ADDED)
		return;
	snprintf(told + n, sizeof(told) - n, "%c%s ",
		 event->kind == DLAZY_EVENT_ADDED     ? '+'
		 : event->kind == DLAZY_EVENT_REMOVED ? '-'
						      : '!',
		 event->name);
	told_registry = event->registry;
	told_module = event->module;
}

static void check_refresh(struct dlazy_registry *r, const char *what)
{
	int n = 0;

	for (const char *c = what; *c; c++)
		n += *c == ' ';
	told[0] = '\0';
	CHECK_INT(dlazy_registry_refresh(r), n);
	CHECK_STR(told, what);
}

/* A file that is written beside and renamed. */
static void put(const char *plugin, const char *file)
{
	const char *new = own_copy(plugin, "new");

	CHECK_INT(rename(new, own_path(file)), 0);
}

/* A registry of the test's directory DIR with plugins a and b. */
static struct dlazy_registry *begin(const char *dir)
{
	struct dlazy_registry *r = dlazy_registry_new();
	char file[64];

	CHECK(r != NULL);
	mkdir(own_path(dir), 0755);
	snprintf(file, sizeof(file), "%s/a.so", dir);
	put("good-plain", file);
	snprintf(file, sizeof(file), "%s/b.so", dir);
	put("good-plain", file);
	CHECK_INT(dlazy_registry_add_dir(r, own_path(dir), 0), 0);
	CHECK_INT(dlazy_observe(listen, NULL), 0);
	return r;
}

TEST(nothing_has_changed)
{
	struct dlazy_registry *r = begin("d");

	check_refresh(r, "");
	check_refresh(r, "");
	CHECK_INT(dlazy_registry_refresh(NULL), -DLAZY_EINVAL);
	CHECK_INT(dlazy_registry_watch(NULL), -DLAZY_EINVAL);
	dlazy_registry_free(r);
}

TEST(changes_are_told_once)
{
	struct dlazy_registry *r = begin("d");
	struct dlazy_module *b = dlazy_registry_find(r, "b");

	CHECK(b != NULL);
	put("good-plain", "d/c.so");
	CHECK_INT(unlink(own_path("d/a.so")), 0);
	put("good-plain-other", "d/b.so");
	check_refresh(r, "-a !b +c ");
	check_refresh(r, "");
	CHECK_INT(unlink(own_path("d/b.so")), 0);
	check_refresh(r, "-b ");
	CHECK(told_registry == r);
	CHECK(told_module == b);
	CHECK(!dlazy_registry_find(r, "a"));
	CHECK(dlazy_registry_find(r, "c"));
	dlazy_registry_free(r);
}

TEST(what_is_overwritten_in_place_is_replaced)
{
	struct dlazy_registry *r = begin("d");

	check_refresh(r, "");
	test_copy(test_plugin("good-plain-other"), own_path("d/a.so"));
	check_refresh(r, "!a ");
	dlazy_registry_free(r);
}

TEST(other_modes_and_links_are_no_change)
{
	struct dlazy_registry *r = begin("d");

	check_refresh(r, "");
	CHECK_INT(chmod(own_path("d/a.so"), 0700), 0);
	CHECK_INT(link(own_path("d/a.so"), own_path("elsewhere")), 0);
	put("good-plain", "d/none.txt");
	check_refresh(r, "");
	dlazy_registry_free(r);
}

TEST(what_other_questions_have_found_is_still_told)
{
	struct dlazy_registry *r = begin("d");

	CHECK_INT(dlazy_registry_count(r), 2);
	put("good-plain", "d/c.so");
	CHECK_INT(dlazy_registry_count(r), 3);
	put("good-plain", "d/d.so");
	CHECK_INT(dlazy_registry_count(r), 4);
	CHECK_INT(unlink(own_path("d/d.so")), 0);
	CHECK_INT(dlazy_registry_count(r), 3);
	check_refresh(r, "+c ");
	dlazy_registry_free(r);
}

TEST(a_directory_can_go_and_come_back)
{
	struct dlazy_registry *r = begin("d");

	CHECK_INT(rename(own_path("d"), own_path("away")), 0);
	check_refresh(r, "-a -b ");
	check_refresh(r, "");
	CHECK_INT(rename(own_path("away"), own_path("d")), 0);
	check_refresh(r, "+a +b ");
	dlazy_registry_free(r);
}

TEST(a_shadowed_name_does_not_change_but_what_it_stands_for)
{
	struct dlazy_registry *r = begin("d");

	mkdir(own_path("e"), 0755);
	put("good-plain", "e/a.so");
	CHECK_INT(dlazy_registry_add_dir(r, own_path("e"), 0), 0);
	put("good-plain-other", "e/a.so");
	check_refresh(r, "");
	CHECK_INT(unlink(own_path("d/a.so")), 0);
	check_refresh(r, "!a ");
	dlazy_registry_free(r);
}

TEST(a_single_file_is_looked_at)
{
	struct dlazy_registry *r = begin("d");

	put("good-plain", "f.so");
	CHECK_INT(dlazy_registry_add_file(r, "f", own_path("f.so"), 0), 0);
	check_refresh(r, "");
	put("good-plain-other", "f.so");
	check_refresh(r, "!f ");
	CHECK_INT(unlink(own_path("f.so")), 0);
	check_refresh(r, "-f ");
	put("good-plain", "f.so");
	check_refresh(r, "+f ");
	dlazy_registry_free(r);
}

TEST(a_file_that_becomes_bad_is_removed)
{
	struct dlazy_registry *r = begin("d");

	test_copy("/proc/self/cmdline", own_path("new"));
	CHECK_INT(rename(own_path("new"), own_path("d/a.so")), 0);
	check_refresh(r, "-a ");
	put("good-plain", "d/a.so");
	check_refresh(r, "+a ");
	dlazy_registry_free(r);
}

/* Whether a refresh is due within that time. */
static bool is_due(int fd, int ms)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

	return poll(&poll_fd, 1, ms) == 1;
}

TEST(the_descriptor_says_when)
{
	struct dlazy_registry *r = begin("d");
	int fd = dlazy_registry_watch(r);

	CHECK(fd >= 0);
	CHECK_INT(dlazy_registry_watch(r), fd);
	CHECK(!is_due(fd, 0));
	put("good-plain", "d/c.so");
	CHECK(is_due(fd, 10000));
	check_refresh(r, "+c ");
	CHECK(!is_due(fd, 0));
	CHECK_INT(unlink(own_path("d/c.so")), 0);
	CHECK(is_due(fd, 10000));
	check_refresh(r, "-c ");
	/* What is added later is watched, too. */
	mkdir(own_path("e"), 0755);
	CHECK_INT(dlazy_registry_add_dir(r, own_path("e"), 0), 0);
	put("good-plain", "e/e.so");
	CHECK(is_due(fd, 10000));
	check_refresh(r, "+e ");
	dlazy_registry_free(r);
}

TEST(the_descriptor_follows_a_directory_made_again)
{
	struct dlazy_registry *r = begin("d");
	int fd = dlazy_registry_watch(r);

	CHECK_INT(rename(own_path("d"), own_path("away")), 0);
	CHECK(is_due(fd, 10000));
	check_refresh(r, "-a -b ");
	CHECK_INT(rename(own_path("away"), own_path("d")), 0);
	CHECK(is_due(fd, 10000));
	check_refresh(r, "+a +b ");
	put("good-plain", "d/c.so");
	CHECK(is_due(fd, 10000));
	check_refresh(r, "+c ");
	dlazy_registry_free(r);
}

TEST(what_comes_below_a_directory_is_told)
{
	struct dlazy_registry *r = dlazy_registry_new();

	mkdir(own_path("d"), 0755);
	mkdir(own_path("d/empty"), 0755);
	put("good-plain", "d/a.so");
	CHECK_INT(dlazy_registry_add_dir(r, own_path("d"), DLAZY_RECURSIVE), 0);
	CHECK_INT(dlazy_observe(listen, NULL), 0);
	int fd = dlazy_registry_watch(r);
	CHECK(fd >= 0);
	check_refresh(r, "");
	/* Of neither does any directory change in which there was a plugin. */
	put("good-plain", "d/empty/b.so");
	CHECK(is_due(fd, 10000));
	check_refresh(r, "+empty/b ");
	mkdir(own_path("d/empty/new"), 0755);
	CHECK(is_due(fd, 10000));
	check_refresh(r, "");
	put("good-plain", "d/empty/new/c.so");
	CHECK(is_due(fd, 10000));
	check_refresh(r, "+empty/new/c ");
	CHECK(dlazy_registry_find(r, "empty/new/c") != NULL);
	CHECK_INT(unlink(own_path("d/empty/new/c.so")), 0);
	CHECK_INT(rmdir(own_path("d/empty/new")), 0);
	check_refresh(r, "-empty/new/c ");
	mkdir(own_path("d/empty/new"), 0755);
	put("good-plain", "d/empty/new/c.so");
	check_refresh(r, "+empty/new/c ");
	dlazy_registry_free(r);
}

TEST(a_walk_goes_on_behind_where_it_stands)
{
	struct dlazy_registry *r = begin("d");
	struct dlazy_module *m;

	put("good-plain", "d/d.so");
	check_refresh(r, "+d ");
	m = dlazy_registry_next(r, NULL);
	CHECK_STR(dlazy_module_name(m), "a");
	m = dlazy_registry_next(r, m);
	CHECK_STR(dlazy_module_name(m), "b");
	CHECK_INT(unlink(own_path("d/b.so")), 0);
	put("good-plain", "d/aa.so");
	put("good-plain", "d/c.so");
	check_refresh(r, "+aa -b +c ");
	m = dlazy_registry_next(r, m);
	CHECK_STR(dlazy_module_name(m), "c");
	m = dlazy_registry_next(r, m);
	CHECK_STR(dlazy_module_name(m), "d");
	CHECK(!dlazy_registry_next(r, m));
	CHECK(!dlazy_error());
	dlazy_registry_free(r);
}

static _Atomic(int) all_told;

static void count(const struct dlazy_event *event, void *data)
{
	(void)data;
	if (event->kind >= DLAZY_EVENT_ADDED)
		atomic_fetch_add(&all_told, 1);
}

static _Atomic(bool) is_over;

static void *refresh_and_walk(void *r)
{
	struct dlazy_module *m;

	while (!is_over) {
		CHECK(dlazy_registry_refresh(r) >= 0);
		m = NULL;
		while ((m = dlazy_registry_next(r, m)))
			CHECK(dlazy_module_name(m));
		CHECK(dlazy_registry_find(r, "b"));
	}
	return NULL;
}

TEST(what_cannot_be_watched_is_said_each_time)
{
	struct dlazy_registry *r = begin("d");

	/* A circle of symbolic links: root, too, cannot go through it. */
	CHECK_INT(rename(own_path("d"), own_path("away")), 0);
	CHECK_INT(symlink("d", own_path("d")), 0);
	CHECK_INT(dlazy_registry_watch(r), -DLAZY_EIO);
	CHECK_INT(dlazy_registry_watch(r), -DLAZY_EIO);
	CHECK_INT(unlink(own_path("d")), 0);
	CHECK_INT(rename(own_path("away"), own_path("d")), 0);
	CHECK(dlazy_registry_watch(r) >= 0);
	dlazy_registry_free(r);
}

static struct dlazy_registry *watched;
static int watch_of_another;

static void watch_as_another(void)
{
	watch_of_another = dlazy_registry_watch(watched);
	cannot_watch = true;
}

TEST(a_descriptor_that_was_given_out_stays_if_another_thread_cannot_watch)
{
	watched = dlazy_registry_new();
	mkdir(own_path("d"), 0755);
	mkdir(own_path("d/empty"), 0755);
	put("good-plain", "d/a.so");
	CHECK_INT(
		dlazy_registry_add_dir(watched, own_path("d"), DLAZY_RECURSIVE),
		0);
	when_watched =
		(struct meanwhile){own_path("d/empty"), watch_as_another};
	CHECK_INT(dlazy_registry_watch(watched), -DLAZY_EIO);
	cannot_watch = false;
	CHECK(watch_of_another >= 0);
	CHECK(fcntl(watch_of_another, F_GETFD) >= 0);
	CHECK_INT(dlazy_registry_watch(watched), watch_of_another);
	dlazy_registry_free(watched);
}

static void remove_directory(void)
{
	CHECK_INT(rename(own_path("d"), own_path("away")), 0);
}

TEST(a_directory_may_go_while_what_is_below_it_is_looked_for)
{
	struct dlazy_registry *r = dlazy_registry_new();

	mkdir(own_path("d"), 0755);
	put("good-plain", "d/a.so");
	CHECK_INT(dlazy_registry_add_dir(r, own_path("d"), DLAZY_RECURSIVE), 0);
	CHECK_INT(dlazy_observe(listen, NULL), 0);
	check_refresh(r, "");
	when_listed = (struct meanwhile){own_path("d"), remove_directory};
	check_refresh(r, "");
	check_refresh(r, "-a ");
	dlazy_registry_free(r);
}

static struct dlazy_registry *refreshed;

static void refresh_as_another(void)
{
	CHECK(dlazy_registry_refresh(refreshed) >= 0);
}

/* Also those that an earlier source has. */
static int count_all(struct dlazy_registry *r)
{
	const struct dlazy_query query = {.size = sizeof(query),
					  .flags = DLAZY_QUERY_ALL};
	struct dlazy_cursor *cursor = dlazy_registry_query(r, &query);
	const struct dlazy_match *match;
	int n = 0;

	CHECK(cursor != NULL);
	while (dlazy_cursor_next(cursor, &match, 1) > 0)
		n++;
	dlazy_cursor_close(cursor);
	return n;
}

TEST(a_directory_that_two_threads_find_at_once_is_there_once)
{
	struct dlazy_registry *r = refreshed = dlazy_registry_new();

	mkdir(own_path("d"), 0755);
	CHECK_INT(dlazy_registry_add_dir(r, own_path("d"), DLAZY_RECURSIVE), 0);
	CHECK_INT(dlazy_observe(listen, NULL), 0);
	mkdir(own_path("d/new"), 0755);
	put("good-plain", "d/new/a.so");
	when_opened = (struct meanwhile){own_path("d/new"), refresh_as_another};
	CHECK(dlazy_registry_refresh(r) >= 0);
	CHECK_STR(told, "+new/a ");
	CHECK_INT(count_all(r), 1);
	CHECK_INT(unlink(own_path("d/new/a.so")), 0);
	check_refresh(r, "-new/a ");
	dlazy_registry_free(r);
}

TEST(threads_refresh_and_walk_at_once)
{
	struct dlazy_registry *r = begin("d");
	pthread_t threads[4];
	int rounds = (int)test_rounds(100);

	CHECK_INT(dlazy_unobserve(listen, NULL), 0);
	CHECK_INT(dlazy_observe(count, NULL), 0);
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, refresh_and_walk, r);
	for (int i = 0; i < rounds; i++) {
		put("good-plain", "d/c.so");
		usleep(2000);
		CHECK_INT(unlink(own_path("d/c.so")), 0);
		usleep(2000);
	}
	put("good-plain", "d/c.so");
	is_over = true;
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	CHECK(dlazy_registry_refresh(r) >= 0);
	CHECK(all_told >= 1);
	CHECK_INT(dlazy_registry_count(r), 3);
	dlazy_registry_free(r);
}
