/* SPDX-License-Identifier: MIT */
/*
 * dlazy_registry_quarantine(): what a host died of while loading it is refused until
 * its file changes; what it did not die of is not.
 */
#include "tests/unit/opened.h"

#include "load/quarantine.h"

#include <dlazy/lifecycle.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *plugin_file = "p.so";

static struct dlazy_registry *with_quarantine(void)
{
	struct dlazy_registry *r = dlazy_registry_new();

	CHECK_INT(dlazy_registry_add_file(r, "p", own_path(plugin_file), 0), 0);
	CHECK_INT(dlazy_registry_quarantine(r, own_path("marks")), 0);
	return r;
}

static int load(struct dlazy_registry *r)
{
	struct dlazy_module *m = dlazy_registry_find(r, "p");

	CHECK(m != NULL);
	return dlazy_load(m);
}

static void put(const char *plugin)
{
	test_copy(test_plugin(plugin), own_path("new"));
	CHECK_INT(rename(own_path("new"), own_path("p.so")), 0);
}

/* Constructors of good-host-constructor run this. */
static void die(const char *path)
{
	(void)path;
	kill(getpid(), SIGKILL);
}

static void leave(const char *path)
{
	(void)path;
	_exit(0);
}

static void nothing(const char *path)
{
	(void)path;
}

static void load_in_child(void *data)
{
	(void)data;
	_exit(load(with_quarantine()) < 0 ? 9 : 0);
}

static int child(void)
{
	char said[1024];

	return test_child(load_in_child, NULL, said, sizeof(said));
}

static void note_path(void *data, const char *path)
{
	snprintf(data, 4096, "%s", path);
}

static char told[256];
static int told_status;

static void listen(const struct dlazy_event *event, void *data)
{
	(void)data;
	if (event->kind != DLAZY_EVENT_FAILED || !event->registry)
		return;
	snprintf(told, sizeof(told), "%s", event->name);
	told_status = event->status;
}

TEST(what_the_host_died_of_is_refused_until_its_file_changes)
{
	put("good-host-constructor");
	set_constructor(die);
	CHECK(WIFSIGNALED(child()));
	set_constructor(nothing);
	CHECK_INT(dlazy_observe(listen, NULL), 0);
	struct dlazy_registry *r = with_quarantine();
	CHECK_STR(told, "p");
	CHECK_INT(told_status, -DLAZY_EPOLICY);
	CHECK_INT(load(r), -DLAZY_EPOLICY);
	CHECK_IN(dlazy_error(), "quarantine");
	CHECK_INT(load(r), -DLAZY_EPOLICY);
	CHECK_INT(WEXITSTATUS(child()), 9);
	/* As a package's upgrade does it. */
	put("good-plain");
	told[0] = '\0';
	struct dlazy_registry *later = with_quarantine();
	CHECK_STR(told, "");
	CHECK_INT(load(later), 0);
	dlazy_registry_free(later);
	dlazy_registry_free(r);
}

/* For what a tool that lists says: nothing is written. */
TEST(what_is_refused_can_be_read)
{
	char path[4096] = "";

	CHECK_INT(quarantine_read(own_path("marks"), note_path, path),
		  -DLAZY_ENOENT);
	put("good-host-constructor");
	set_constructor(leave);
	child();
	CHECK_INT(chmod(own_path("marks"), 0400), 0);
	CHECK_INT(quarantine_read(own_path("marks"), note_path, path), 0);
	CHECK_STR(path, own_path("p.so"));
	path[0] = '\0';
	put("good-plain");
	CHECK_INT(quarantine_read(own_path("marks"), note_path, path), 0);
	CHECK_STR(path, "");
	/* Larger than any that was not damaged. */
	CHECK_INT(chmod(own_path("marks"), 0600), 0);
	CHECK_INT(truncate(own_path("marks"), 2 << 20), 0);
	CHECK_INT(quarantine_read(own_path("marks"), note_path, path),
		  -DLAZY_ENOMEM);
	struct dlazy_registry *r = dlazy_registry_new();
	CHECK_INT(dlazy_registry_quarantine(r, own_path("marks")),
		  -DLAZY_ENOMEM);
	dlazy_registry_free(r);
}

TEST(a_path_may_have_a_newline_and_more_in_it)
{
	char left[4096] = "";

	plugin_file = "a\n%41 b/p.so";
	mkdir(own_path("a\n%41 b"), 0755);
	own_copy("good-host-constructor", plugin_file);
	set_constructor(die);
	CHECK(WIFSIGNALED(child()));
	set_constructor(nothing);
	CHECK_INT(WEXITSTATUS(child()), 9);
	CHECK_INT(quarantine_read(own_path("marks"), note_path, left), 0);
	CHECK_STR(left, own_path(plugin_file));
	CHECK_INT(unlink(own_path(plugin_file)), 0);
	own_copy("good-plain", plugin_file);
	CHECK_INT(WEXITSTATUS(child()), 0);
}

TEST(file_that_is_removed_frees_all)
{
	put("good-host-constructor");
	set_constructor(leave);
	child();
	set_constructor(nothing);
	struct dlazy_registry *r = with_quarantine();
	CHECK_INT(load(r), -DLAZY_EPOLICY);
	CHECK_INT(unlink(own_path("marks")), 0);
	CHECK_INT(load(r), 0);
	dlazy_registry_free(r);
}

/* Its medium is away for a while; or it is found under another name. */
TEST(file_that_was_away_is_what_it_was)
{
	put("good-host-constructor");
	set_constructor(leave);
	child();
	set_constructor(nothing);
	CHECK_INT(rename(own_path("p.so"), own_path("away.so")), 0);
	struct dlazy_registry *r = dlazy_registry_new();
	CHECK_INT(dlazy_registry_add_file(r, "p", own_path("away.so"), 0), 0);
	CHECK_INT(dlazy_registry_quarantine(r, own_path("marks")), 0);
	CHECK_INT(load(r), -DLAZY_EPOLICY);
	CHECK_INT(rename(own_path("away.so"), own_path("p.so")), 0);
	CHECK_INT(WEXITSTATUS(child()), 9);
	put("good-plain");
	CHECK_INT(child(), 0);
	dlazy_registry_free(r);
}

TEST(what_loads_well_leaves_nothing)
{
	struct stat st;

	put("good-plain");
	CHECK_INT(child(), 0);
	CHECK_INT(child(), 0);
	struct dlazy_registry *r = with_quarantine();
	CHECK_INT(load(r), 0);
	/* Blanks, which the next load takes away. */
	CHECK_INT(stat(own_path("marks"), &st), 0);
	CHECK(st.st_size < 4096);
	dlazy_registry_free(r);
	CHECK_INT(dlazy_registry_quarantine(NULL, "x"), -DLAZY_EINVAL);
}

#define THREADS 4

static pthread_barrier_t all_here;

static void *load_one(void *m)
{
	pthread_barrier_wait(&all_here);
	return (void *)(intptr_t)dlazy_load(m);
}

TEST(threads_that_load_at_once_mark_their_own)
{
	struct dlazy_registry *r = dlazy_registry_new();
	pthread_t threads[THREADS];
	char name[2] = "a", file[] = "a.so", left[4096] = "";
	void *status;

	for (int i = 0; i < THREADS; i++) {
		name[0] = file[0] = (char)('a' + i);
		own_copy("good-plain", file);
		CHECK_INT(dlazy_registry_add_file(r, name, own_path(file), 0),
			  0);
	}
	CHECK_INT(dlazy_registry_quarantine(r, own_path("marks")), 0);
	pthread_barrier_init(&all_here, NULL, THREADS);
	for (int i = 0; i < THREADS; i++) {
		name[0] = (char)('a' + i);
		pthread_create(&threads[i], NULL, load_one,
			       dlazy_registry_find(r, name));
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &status);
		CHECK(!status);
	}
	CHECK_INT(quarantine_read(own_path("marks"), note_path, left), 0);
	CHECK_STR(left, "");
	dlazy_registry_free(r);
}

TEST(what_fails_to_load_is_not_in_quarantine)
{
	put("bad-missing-library");
	CHECK_INT(WEXITSTATUS(child()), 9);
	struct dlazy_registry *r = with_quarantine();
	CHECK_INT(load(r), -DLAZY_EDEPEND);
	put("good-plain");
	CHECK_INT(load(r), 0);
	dlazy_registry_free(r);
}

TEST(marker_that_is_not_whole_counts_for_nothing)
{
	put("good-host-constructor");
	set_constructor(die);
	CHECK(WIFSIGNALED(child()));
	set_constructor(nothing);
	int fd = open(own_path("marks"), O_RDWR | O_CLOEXEC);
	char whole[4096];
	ssize_t size = read(fd, whole, sizeof(whole));
	CHECK(size > 30);
	for (ssize_t n = 0; n < size - 1; n += 7) {
		CHECK_INT(ftruncate(fd, 0), 0);
		CHECK_INT(pwrite(fd, whole, (size_t)n, 0), n);
		CHECK_INT(child(), 0);
	}
	/* One byte of the path is another; the line is whole otherwise. */
	CHECK_INT(pwrite(fd, whole, (size_t)size, 0), size);
	CHECK_INT(pwrite(fd, "x", 1, size - 20), 1);
	CHECK_INT(child(), 0);
	/* Blocks that were never written. */
	CHECK_INT(ftruncate(fd, 0), 0);
	CHECK_INT(ftruncate(fd, 4096), 0);
	CHECK_INT(child(), 0);
	CHECK_INT(pwrite(fd, whole, (size_t)size, 0), size);
	CHECK_INT(WEXITSTATUS(child()), 9);
	close(fd);
}

static int ready[2];

static void wait_inside(const char *path)
{
	(void)path;
	if (write(ready[1], "x", 1) < 0)
		_exit(8);
	sleep(1000);
}

TEST(another_process_that_loads_now_has_not_died)
{
	put("good-host-constructor");
	CHECK_INT(pipe2(ready, O_CLOEXEC), 0);
	set_constructor(wait_inside);
	pid_t pid = fork();
	if (pid == 0)
		load_in_child(NULL);
	char c;
	CHECK_INT(read(ready[0], &c, 1), 1);
	set_constructor(nothing);
	CHECK_INT(child(), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	CHECK_INT(WEXITSTATUS(child()), 9);
	close(ready[0]);
	close(ready[1]);
}

static void *load_in_thread(void *r)
{
	load(r);
	return NULL;
}

static void exit_while_loading(void *data)
{
	pthread_t thread;
	char c;

	(void)data;
	pthread_create(&thread, NULL, load_in_thread, with_quarantine());
	if (read(ready[0], &c, 1) < 0)
		_exit(8);
	exit(0);
}

TEST(exit_is_no_death_of_what_another_thread_loads)
{
	char said[1024];

	put("good-host-constructor");
	CHECK_INT(pipe2(ready, O_CLOEXEC), 0);
	set_constructor(wait_inside);
	pid_t pid = fork();
	if (pid == 0) {
		alarm(test_seconds(2)); /* exit() waits for the linker */
		exit_while_loading(NULL);
	}
	int status;
	waitpid(pid, &status, 0);
	close(ready[0]);
	close(ready[1]);
	set_constructor(nothing);
	CHECK_INT(test_child(load_in_child, NULL, said, sizeof(said)), 0);
}

static int held_open[2];

/* A process that is killed while a thread of it loads, and has forked before. */
static void die_while_loading(bool child_exits)
{
	pthread_t thread;
	char c;

	pthread_create(&thread, NULL, load_in_thread, with_quarantine());
	if (read(ready[0], &c, 1) < 0)
		_exit(8);
	pid_t pid = fork();
	if (pid == 0 && child_exits) {
		alarm(test_seconds(1)); /* exit() waits for the linker */
		exit(0);
	}
	if (pid == 0) {
		close(held_open[1]);
		if (write(ready[1], "x", 1) < 0)
			_exit(8);
		_exit(read(held_open[0], &c, 1) != 0);
	}
	if (child_exits)
		waitpid(pid, NULL, 0);
	else if (read(ready[0], &c, 1) < 0)
		_exit(8);
	kill(getpid(), SIGKILL);
}

static void check_death_is_seen(bool child_exits)
{
	put("good-host-constructor");
	CHECK_INT(pipe2(ready, O_CLOEXEC), 0);
	CHECK_INT(pipe2(held_open, O_CLOEXEC), 0);
	set_constructor(wait_inside);
	pid_t pid = fork();
	if (pid == 0)
		die_while_loading(child_exits);
	waitpid(pid, NULL, 0);
	set_constructor(nothing);
	CHECK_INT(WEXITSTATUS(child()), 9);
	close(ready[0]);
	close(ready[1]);
	close(held_open[0]);
	close(held_open[1]);
}

TEST(exit_of_a_forked_child_does_not_end_the_load)
{
	check_death_is_seen(true);
}

TEST(forked_child_that_lives_on_does_not_load)
{
	check_death_is_seen(false);
}
