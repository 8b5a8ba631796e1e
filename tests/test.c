/* SPDX-License-Identifier: MIT */
/*
 * The runner of tests/test.h. Options: names of tests to run (default: all);
 * --list. Exit status 1 if one failed.
 *
 * TEST_PLUGINS is the directory of the built test plugins (Makefile.am);
 * TEST_SLOW multiplies time limits (valgrind, qemu). With TEST_TIMES set, each
 * test is followed by a comment on the time that it took.
 */
#include "tests/test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a test has beyond its time before it is killed. */
#define GRACE_SECONDS 5

/* How many times slower the sanitizers make it. */
#if defined(__SANITIZE_THREAD__)
#define SANITIZER_SLOW 10
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZER_SLOW 3
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SANITIZER_SLOW 10
#elif __has_feature(address_sanitizer)
#define SANITIZER_SLOW 3
#endif
#endif
#ifndef SANITIZER_SLOW
#define SANITIZER_SLOW 1
#endif

static struct test *tests;
static char directory[PATH_MAX];

void test_register(struct test *test)
{
	struct test **at = &tests;

	while (*at)
		at = &(*at)->next;
	*at = test;
}

void test_fail(const char *file, int line, const char *format, ...)
{
	va_list args;

	printf("# %s:%d: ", file, line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	_exit(1);
}

void test_skip(const char *format, ...)
{
	va_list args;

	printf("# skip: ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	_exit(77);
}

void test_leaves_dlopen(void)
{
#if defined(__SANITIZE_THREAD__) && __GNUC__ >= 14
	test_skip("ThreadSanitizer wants dlopen to return");
#endif
}

const char *test_directory(void)
{
	if (mkdir(directory, 0700) < 0 && errno != EEXIST)
		test_fail(__FILE__, __LINE__, "%s: %s", directory,
			  strerror(errno));
	return directory;
}

const char *test_plugin(const char *name)
{
	static char paths[16][PATH_MAX];
	static unsigned turn;
	char *path = paths[turn++ % 16];
	const char *where = getenv("TEST_PLUGINS");

	snprintf(path, PATH_MAX, "%s/%s.so", where ? where : TEST_PLUGINS_DIR,
		 name);
	return path;
}

void test_copy(const char *from, const char *to)
{
	char buffer[65536];
	FILE *in = fopen(from, "re");
	FILE *out = fopen(to, "we");
	size_t n;

	if (!in || !out)
		test_fail(__FILE__, __LINE__, "copy %s to %s: %s", from, to,
			  strerror(errno));
	while ((n = fread(buffer, 1, sizeof(buffer), in)) > 0)
		fwrite(buffer, 1, n, out);
	fclose(in);
	if (fclose(out) != 0)
		test_fail(__FILE__, __LINE__, "%s: %s", to, strerror(errno));
}

int test_mapped(const char *text)
{
	char line[PATH_MAX + 256];
	FILE *maps = fopen("/proc/self/maps", "re");
	int n = 0;

	while (maps && fgets(line, sizeof(line), maps))
		n += strstr(line, text) != NULL;
	if (maps)
		fclose(maps);
	return n;
}

int test_child(void (*fn)(void *), void *data, char *output, size_t size)
{
	int ends[2], status;
	size_t used = 0;
	ssize_t n;

	fflush(NULL);
	if (pipe(ends) < 0)
		test_fail(__FILE__, __LINE__, "pipe: %s", strerror(errno));
	pid_t pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		fn(data);
		_exit(0);
	}
	close(ends[1]);
	while (used + 1 < size &&
	       (n = read(ends[0], output + used, size - 1 - used)) > 0)
		used += (size_t)n;
	if (size)
		output[used] = '\0';
	close(ends[0]);
	waitpid(pid, &status, 0);
	return status;
}

/* libffi 3.8 keeps its own file open once a closure was made. */
static bool is_libffis(int dirfd, const char *name)
{
	char path[4096];
	ssize_t n = readlinkat(dirfd, name, path, sizeof(path) - 1);

	path[n > 0 ? n : 0] = '\0';
	return strstr(path, "/libffi.so.") != NULL;
}

static int count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	int n = 0;

	while (dir && (entry = readdir(dir)))
		n += !is_libffis(dirfd(dir), entry->d_name);
	if (dir)
		closedir(dir);
	return n;
}

static int remove_entry(const char *path, const struct stat *st, int type,
			struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

unsigned test_seconds(unsigned seconds)
{
	const char *slow = getenv("TEST_SLOW");

	return seconds * SANITIZER_SLOW * (slow ? (unsigned)atoi(slow) : 1);
}

unsigned test_rounds(unsigned whole)
{
	return getenv("TEST_DEEP") ? whole : (whole + 9) / 10;
}

void test_reads_the_machine(void)
{
	if (getenv("TEST_SLOW") && !getenv("TEST_DEEP"))
		test_skip("reads all of the machine: in check-deep");
}

static unsigned time_limit(const struct test *test)
{
	return test_seconds(test->seconds);
}

static void run_child(const struct test *test)
{
	int before = count_descriptors();

	setpgid(0, 0); /* a group of its own, which wait_for() can end */
	alarm(time_limit(test));
	test->run();
	int after = count_descriptors();
	if (after != before)
		test_fail(__FILE__, __LINE__, "%d descriptors open, %d before",
			  after, before);
	fflush(stdout);
	exit(0);
}

/*
 * Waits for a test to end, and ends it where its own alarm could not, as a
 * test, or a sanitizer, may block signals. (Where pidfd_open() is missing,
 * under qemu-user for one, the alarm is all there is.)
 */
static int wait_for(pid_t pid, unsigned seconds, struct rusage *usage)
{
	struct pollfd ended = {(int)syscall(SYS_pidfd_open, pid, 0), POLLIN, 0};
	int status;

	if (ended.fd >= 0 &&
	    poll(&ended, 1, (int)(seconds + GRACE_SECONDS) * 1000) == 0)
		kill(pid, SIGKILL);
	wait4(pid, &status, 0, usage);
	/* What it has forked would hold our output, and who reads that. */
	if (WIFSIGNALED(status))
		kill(-pid, SIGKILL);
	if (ended.fd >= 0)
		close(ended.fd);
	return status;
}

/* What a deadline is chosen by: processor time, as others may be at work. */
static void say_time(const struct test *test, const struct rusage *usage)
{
	if (getenv("TEST_TIMES"))
		printf("# %s: %.2f s of processor time, %u s given\n",
		       test->name,
		       (double)(usage->ru_utime.tv_sec +
				usage->ru_stime.tv_sec) +
			       (double)(usage->ru_utime.tv_usec +
					usage->ru_stime.tv_usec) /
				       1e6,
		       time_limit(test));
}

/* 0 passed, 77 skipped, else failed; in `why` what ended it. */
static int run_one(const struct test *test, char *why, size_t size)
{
	snprintf(directory, sizeof(directory), "%s/dlazy-test-%ld-%s",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", (long)getpid(),
		 test->name);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		run_child(test);
	struct rusage usage = {0};
	int status = wait_for(pid, time_limit(test), &usage);
	say_time(test, &usage);
	if (access(directory, F_OK) == 0)
		nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	if (WIFEXITED(status)) {
		snprintf(why, size, "exit status %d", WEXITSTATUS(status));
		return WEXITSTATUS(status);
	}
	if (WTERMSIG(status) == SIGALRM || WTERMSIG(status) == SIGKILL)
		snprintf(why, size, "not done after %u s", time_limit(test));
	else
		snprintf(why, size, "%s", strsignal(WTERMSIG(status)));
	return 1;
}

static bool is_wanted(const struct test *test, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], test->name))
			return true;
	return argc < 2;
}

int main(int argc, char **argv)
{
	int n = 0, failed = 0;
	char why[128];

	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (struct test *t = tests; t; t = t->next)
			printf("%s\n", t->name);
		return 0;
	}
	for (struct test *t = tests; t; t = t->next)
		n += is_wanted(t, argc, argv);
	if (n == 0) {
		fprintf(stderr, "%s: no such test\n", argv[0]);
		return 2;
	}
	printf("1..%d\n", n);
	n = 0;
	for (struct test *t = tests; t; t = t->next) {
		if (!is_wanted(t, argc, argv))
			continue;
		int result = run_one(t, why, sizeof(why));
		if (result == 0)
			printf("ok %d - %s\n", ++n, t->name);
		else if (result == 77)
			printf("ok %d - %s # SKIP (reason above)\n", ++n,
			       t->name);
		else
			printf("not ok %d - %s # %s\n", ++n, t->name, why);
		failed += result != 0 && result != 77;
	}
	return failed != 0;
}
