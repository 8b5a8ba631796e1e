/* SPDX-License-Identifier: MIT */
/*
 * What a host notices of loads that go on meanwhile. Prints numbers, in microseconds:
 *
 *   stall DIR N      the longest that the host was kept from its work, on a thread
 *                    that does nothing but look at the clock, while a job loads N
 *                    plugins; and how long the job took
 *   standin FILE     the longest call of a stub while FILE, whose constructor takes a
 *                    second, is loaded and a fallback stands in; and, in turns with
 *                    it, of a plain pointer
 *   cold DIR N       loading N plugins that are not in the page cache; and when a job
 *                    has read them before (DLAZY_WARM), that not counted
 */
#include "bench/host.h"

#include <dlazy/dlazy.h>
#include <dlazy/job.h>
#include <dlazy/lifecycle.h>

#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <sched.h>
#include <sys/wait.h>

#define PLUGINS_MAX 256

struct plugins {
	struct dlazy_module *all[PLUGINS_MAX];
	size_t count;
};

static struct plugins declare(const char *dir, size_t most)
{
	struct dlazy_registry *r = dlazy_registry_new();
	struct plugins p = {.count = 0};
	struct dlazy_module *m = NULL;

	if (!r || dlazy_registry_add_dir(r, dir, 0) < 0)
		errx(1, "%s: %s", dir, dlazy_error());
	while (p.count < most && p.count < PLUGINS_MAX &&
	       (m = dlazy_registry_next(r, m)))
		p.all[p.count++] = m;
	return p;
}

static double us_since(uint64_t start)
{
	return (double)(now_ns() - start) / 1e3;
}

static void finish(struct dlazy_job *job)
{
	struct pollfd end = {dlazy_job_fd(job), POLLIN, 0};

	while (dlazy_job_next(job, NULL) != -DLAZY_ENOENT)
		poll(&end, 1, 1000);
	dlazy_job_free(job);
}

static struct dlazy_job *begin(const struct plugins *p, int flags)
{
	struct dlazy_job *job = dlazy_load_async(p->all, p->count, flags);

	if (!job)
		errx(1, "%s", dlazy_error());
	return job;
}

static void stall(const char *dir, size_t n)
{
	struct plugins p = declare(dir, n);
	struct dlazy_job *job = begin(&p, 0);
	uint64_t start = now_ns(), before = start, longest = 0;

	while (dlazy_job_next(job, NULL) != -DLAZY_ENOENT) {
		uint64_t now = now_ns();

		longest = now - before > longest ? now - before : longest;
		before = now;
	}
	printf("%f %f\n", (double)longest / 1e3, us_since(start));
	dlazy_job_free(job);
}

static int stands_in(void)
{
	return 2;
}

static double timed(int (*fn)(void), double longest, int *ret_answer)
{
	uint64_t start = now_ns();

	*ret_answer = fn();
	double us = us_since(start);
	return us > longest ? us : longest;
}

static void standin(const char *file)
{
	static const struct dlazy_symbol symbols[] = {{"f", (void *)stands_in}};
	struct dlazy_registry *r = dlazy_registry_new();
	struct dlazy_module *m = dlazy_open(file, 0);
	int (*volatile plain)(void) = stands_in;
	double longest = 0, longest_plain = 0;
	int answer = 0, unused;

	if (!r || !m || dlazy_registry_add_builtin(r, "other", symbols, 1) < 0)
		errx(1, "%s: %s", file, dlazy_error());
	struct dlazy_module *other = dlazy_registry_find(r, "other");
	if (!other || dlazy_fallback(m, other, DLAZY_WHILE_LOADING) < 0)
		errx(1, "%s: %s", file, dlazy_error());
	int (*f)(void) = dlazy_sym(m, "f");
	while (f && answer != 1) {
		longest = timed(f, longest, &answer);
		longest_plain = timed(plain, longest_plain, &unused);
		usleep(1000);
	}
	printf("%f %f\n", longest, longest_plain);
}

static void evict(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	close(fd);
}

/* How long a process takes to load them all; with warm, after a job has read them. */
static double load_all(const char *dir, size_t n, int warm)
{
	int ends[2];
	double us = 0;

	if (pipe2(ends, O_CLOEXEC) < 0)
		err(1, "pipe");
	pid_t pid = fork();
	if (pid == 0) {
		struct plugins p = declare(dir, n);

		if (warm)
			finish(begin(&p, DLAZY_WARM));
		uint64_t start = now_ns();
		for (size_t i = 0; i < p.count; i++)
			dlazy_load(p.all[i]);
		us = us_since(start);
		if (write(ends[1], &us, sizeof(us)) < 0)
			_exit(1);
		_exit(0);
	}
	close(ends[1]);
	if (pid < 0 || read(ends[0], &us, sizeof(us)) != sizeof(us))
		errx(1, "%s: not loaded", dir);
	close(ends[0]);
	waitpid(pid, NULL, 0);
	return us;
}

/* Takes what they map out of the page cache, as far as no other process maps it: so
 * it is a process of its own that says what that is. */
static void evict_all(const char *dir, size_t n)
{
	static char paths[1 << 20];
	int ends[2];
	size_t size = 0;
	ssize_t got;

	if (pipe2(ends, O_CLOEXEC) < 0)
		err(1, "pipe");
	pid_t pid = fork();
	if (pid == 0) {
		struct plugins p = declare(dir, n);

		for (size_t i = 0; i < p.count; i++)
			dlazy_load(p.all[i]);
		dup2(ends[1], STDOUT_FILENO);
		for (struct link_map *l = _r_debug.r_map; l; l = l->l_next)
			printf("%s\n", l->l_name);
		fflush(stdout);
		_exit(0);
	}
	close(ends[1]);
	while ((got = read(ends[0], paths + size, sizeof(paths) - size)) > 0)
		size += (size_t)got;
	close(ends[0]);
	waitpid(pid, NULL, 0);
	for (char *rest = paths, *path; (path = strsep(&rest, "\n"));)
		evict(path);
}

static void cold(const char *dir, size_t n)
{
	evict_all(dir, n);
	double plain = load_all(dir, n, 0);

	evict_all(dir, n);
	printf("%f %f\n", plain, load_all(dir, n, 1));
}

int main(int argc, char **argv)
{
	size_t n = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
	cpu_set_t all;

	/* The bench keeps to one CPU; a host has those that there are. */
	memset(&all, 0xff, sizeof(all));
	sched_setaffinity(0, sizeof(all), &all);
	if (argc == 4 && !strcmp(argv[1], "stall"))
		stall(argv[2], n);
	else if (argc == 3 && !strcmp(argv[1], "standin"))
		standin(argv[2]);
	else if (argc == 4 && !strcmp(argv[1], "cold"))
		cold(argv[2], n);
	else
		return 2;
	return 0;
}
