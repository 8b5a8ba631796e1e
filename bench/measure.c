/* SPDX-License-Identifier: MIT */
/*
 * Processes and clocks.
 */
#include "bench/measure.h"

#include "bench/host.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

/* A page more or less depends on where the kernel puts the stack. */
#define MEMORY_RUNS 9

extern char **environ;

void measure_pin(void)
{
	cpu_set_t may, one;

	CPU_ZERO(&one);
	if (sched_getaffinity(0, sizeof(may), &may) < 0)
		return;
	for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--)
		if (CPU_ISSET(cpu, &may)) {
			CPU_SET(cpu, &one);
			sched_setaffinity(0, sizeof(one), &one);
			return;
		}
}

/* Its output is nobody's; `out` becomes its descriptor `as`. */
static pid_t start(const char *const *argv, int out, int as)
{
	posix_spawn_file_actions_t actions;
	pid_t pid = -1;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, as);
	if (posix_spawn(&pid, argv[0], &actions, NULL, (char **)argv,
			environ) != 0)
		err(1, "%s", argv[0]);
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

static void run(struct side *side, struct report *ret, double *ret_total_us)
{
	int ends[2], how;

	*ret = (struct report){.wall_ns = 0};
	if (pipe2(ends, O_CLOEXEC) < 0)
		err(1, "pipe");
	int out = fcntl(ends[1], F_DUPFD_CLOEXEC, REPORT_FD + 1);
	close(ends[1]);
	if (side->variable)
		setenv(side->variable, side->value, 1);
	uint64_t before = now_ns();
	pid_t pid = start(side->argv, out, REPORT_FD);
	waitpid(pid, &how, 0);
	*ret_total_us = (double)(now_ns() - before) / 1e3;
	close(out);
	if (side->variable)
		unsetenv(side->variable);
	side->failed |= how != 0;
	/* A program that is not one of ours tells nothing. */
	if (read(ends[0], ret, sizeof(*ret)) < 0)
		err(1, "read");
	close(ends[0]);
}

/*
 * Another order for each round, the same in each run: what a program leaves in
 * the caches is not always its same successor's.
 */
static void shuffle(struct side *const *sides, struct side **ret, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t k = (size_t)random() % (i + 1);

		ret[i] = ret[k];
		ret[k] = sides[i];
	}
}

void measure_rounds(struct side *const *sides, size_t count, size_t rounds)
{
	struct report report;
	double total_us;

	for (size_t i = 0; i < count; i++)
		run(sides[i], &report, &total_us); /* warms the page cache */
	for (size_t round = 0; round < rounds; round++) {
		struct side *order[SIDES_MAX];

		shuffle(sides, order, count);
		for (size_t i = 0; i < count; i++) {
			run(order[i], &report, &total_us);
			sample_add(&order[i]->total_us, total_us);
			sample_add(&order[i]->ready_us,
				   (double)report.wall_ns / 1e3);
		}
	}
}

static void run_for_memory(struct side *side)
{
	struct sample pss = {0}, private = {0}, maps = {0}, fds = {0};

	for (int i = 0; i < MEMORY_RUNS; i++) {
		struct report report;
		double total_us;

		run(side, &report, &total_us);
		sample_add(&pss, (double)report.pss_kib);
		sample_add(&private, (double)report.private_kib);
		sample_add(&maps, (double)report.maps);
		sample_add(&fds, (double)report.fds);
	}
	side->pss_kib = sample_median(&pss);
	side->private_kib = sample_median(&private);
	side->maps = sample_median(&maps);
	side->fds = sample_median(&fds);
}

void measure_memory(struct side *const *sides, size_t count)
{
	setenv("BENCH_MEMORY", "1", 1);
	for (size_t i = 0; i < count; i++)
		run_for_memory(sides[i]);
	unsetenv("BENCH_MEMORY");
}

static FILE *output_of(const char *const *argv, pid_t *ret_pid)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		err(1, "pipe");
	*ret_pid = start(argv, ends[1], 1);
	close(ends[1]);
	return fdopen(ends[0], "r");
}

void measure_output(const char *const *argv, struct sample *const *columns,
		    size_t count)
{
	pid_t pid;
	FILE *in = output_of(argv, &pid);
	double value;

	for (size_t i = 0; in && fscanf(in, "%lf", &value) == 1; i++)
		sample_add(columns[i % count], value);
	if (in)
		fclose(in);
	waitpid(pid, NULL, 0);
}

#define WATCHER_MAX 4

/* Runs a program under another, whose output's lines are looked at. */
static double watched(const struct side *side,
		      const char *const watcher[WATCHER_MAX],
		      double (*look)(const char *line, double value))
{
	const char *argv[ARGUMENTS_MAX + WATCHER_MAX];
	double value = 0;
	char line[4096];
	pid_t pid;

	if (access(watcher[0], X_OK) < 0)
		return 0;
	memcpy(argv, watcher, WATCHER_MAX * sizeof(*watcher));
	memcpy(argv + WATCHER_MAX, side->argv, sizeof(side->argv));
	FILE *in = output_of(argv, &pid);
	while (in && fgets(line, sizeof(line), in))
		value = look(line, value);
	if (in)
		fclose(in);
	waitpid(pid, NULL, 0);
	return value;
}

static double collected(const char *line, double value)
{
	const char *at = strstr(line, "Collected : ");

	return at ? strtod(at + strlen("Collected : "), NULL) : value;
}

double measure_instructions(const struct side *side)
{
	static const char *const valgrind[] = {
		"/usr/bin/valgrind", "--tool=callgrind", "--log-fd=1",
		"--callgrind-out-file=/dev/null"};

	return watched(side, valgrind, collected);
}

static double counted(const char *line, double value)
{
	return strchr(line, '(') ? value + 1 : value;
}

double measure_system_calls(const struct side *side)
{
	static const char *const strace[] = {"/usr/bin/strace", "-qq", "-o",
					     "/dev/stdout"};

	return watched(side, strace, counted);
}

double measure_ratio(const struct sample *a, const struct sample *b)
{
	struct sample ratios = {.count = 0};

	for (size_t i = 0; i < a->count && i < b->count; i++)
		sample_add(&ratios, a->values[i] / b->values[i]);
	return sample_median(&ratios);
}

double measure_difference(const struct sample *a, const struct sample *b)
{
	struct sample differences = {.count = 0};

	for (size_t i = 0; i < a->count && i < b->count; i++)
		sample_add(&differences, a->values[i] - b->values[i]);
	return sample_median(&differences);
}
