/* SPDX-License-Identifier: MIT */
/*
 * dlazy bench -- CMD: measures a command as it is against the same by `dlazy
 * run`, or, with --env, with DLAZY=off against DLAZY=lazy in its own libdlazy.
 * Each value is of a fresh process, from fork to its end; the two alternate.
 * Memory is measured in rounds of its own, as they take longer.
 */
#include "cli/bench/bench.h"

#include "base/cleanup.h"
#include "base/event.h"
#include "base/memstream.h"
#include "base/status.h"
#include "cli/bench/instructions.h"
#include "cli/bench/memory.h"
#include "cli/cli.h"
#include "cli/frame/progress.h"
#include "cli/run/judge.h"
#include "cli/run/launcher.h"
#include "elf/search.h"
#include "link/cache/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MEMORY_ROUNDS 3
#define LIBRARY "libdlazy.so"

struct command {
	char **argv;
	const char *path; /* of what argv[0] stands for; or argv[0] */
	bool env;
	int status; /* as waitpid(2), of the first run; each must end so */
	bool ran;
};

static const enum host_way sides[] = {HOST_EAGER, HOST_LAZY};

/* ------------------------------------------------------------------ */
/* One process                                                        */

/* "dlazy run --wait -- CMD ...", by this very tool: a plain first run would be
 * compared with itself. */
static void run_lazily(const struct command *c)
{
	char **argv = c->argv;
	size_t n = 0;

	while (argv[n])
		n++;
	char **lazy = calloc(n + 5, sizeof(*lazy));
	if (!lazy)
		return;
	lazy[0] = (char *)"dlazy";
	lazy[1] = (char *)"run";
	lazy[2] = (char *)"--wait";
	lazy[3] = (char *)"--";
	memcpy(lazy + 4, argv, n * sizeof(*lazy));
	/* By its name, so that it goes by that; or past a launcher. */
	if (strchr(argv[0], '/'))
		lazy[4] = (char *)c->path;
	execv("/proc/self/exe", lazy);
}

__attribute__((noreturn)) static void become(const struct command *c,
					     enum host_way way)
{
	int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int out = open("/dev/null", O_WRONLY | O_CLOEXEC);

	unsetenv("DLAZY_TRACE");
	if (c->env)
		setenv("DLAZY", way == HOST_LAZY ? "lazy" : "off", 1);
	if (dup2(in, 0) == 0 && dup2(out, 1) == 1 && dup2(out, 2) == 2) {
		if (way == HOST_LAZY && !c->env)
			run_lazily(c);
		else
			execvp(c->path, c->argv);
	}
	_exit(errno == ENOENT ? 127 : 126);
}

static int ended_otherwise(const struct command *c, enum host_way way, int how)
{
	const char *name = bench_side_name(way, true, c->env);

	if (WIFSIGNALED(how))
		return status_fail(DLAZY_ELOAD,
				   "%s (%s) was ended by a signal (%s)",
				   c->argv[0], name, strsignal(WTERMSIG(how)));
	return status_fail(
		DLAZY_ELOAD,
		"%s (%s) ended with status %d%s: it cannot be compared",
		c->argv[0], name, WEXITSTATUS(how),
		c->ran ? ", and not as before" : "");
}

/* Is it as every run so far? A command that cannot be run never is. */
static int check_end(struct command *c, enum host_way way, int how)
{
	if (WIFSIGNALED(how) || (c->ran && how != c->status) ||
	    WEXITSTATUS(how) == 126 || WEXITSTATUS(how) == 127)
		return ended_otherwise(c, way, how);
	c->ran = true;
	c->status = how;
	return 0;
}

static double microseconds(struct timeval t)
{
	return (double)t.tv_sec * 1e6 + (double)t.tv_usec;
}

static int measure(struct command *c, enum host_way way, struct bench_side *ret)
{
	struct rusage usage;
	uint64_t begin = event_now();
	pid_t pid = fork();
	int how;

	if (pid < 0)
		return status_fail(DLAZY_EIO, "no process: %s",
				   strerror(errno));
	if (pid == 0)
		become(c, way);
	while (wait4(pid, &how, 0, &usage) < 0 && errno == EINTR)
		;
	uint64_t end = event_now();
	if (ret) {
		sample_add(&ret->wall_us, (double)(end - begin) / 1e3);
		sample_add(&ret->cpu_us, microseconds(usage.ru_utime) +
						 microseconds(usage.ru_stime));
		sample_add(&ret->faults,
			   (double)usage.ru_minflt + (double)usage.ru_majflt);
	}
	return check_end(c, way, how);
}

/* ------------------------------------------------------------------ */
/* Rounds                                                             */

static double last(const struct sample *s)
{
	return s->values[s->count - 1];
}

static int measure_round(struct bench *b, struct command *c, size_t round)
{
	for (size_t i = 0; i < 2; i++) {
		enum host_way way = sides[(round + i) % 2];
		int status = b->cold ? bench_empty_cache() : 0;

		if (status == 0)
			status = measure(c, way, &b->sides[way]);
		if (status < 0)
			return status;
	}
	sample_add(&b->ratio, last(&b->sides[HOST_EAGER].wall_us) /
				      last(&b->sides[HOST_LAZY].wall_us));
	return 0;
}

struct becoming {
	const struct command *command;
	enum host_way way;
};

static void become_watched(void *data)
{
	const struct becoming *b = data;

	become(b->command, b->way);
}

/* Where it cannot be had, nothing is added. */
static void measure_memory(struct bench *b, const struct command *c)
{
	for (size_t i = 0; i < 2 * MEMORY_ROUNDS; i++) {
		struct becoming as = {c, sides[i % 2]};
		struct bench_side *side = &b->sides[as.way];
		double pss, maps;

		if (!bench_memory_of(become_watched, &as, &pss, &maps))
			return;
		sample_add(&side->pss_kib, pss);
		sample_add(&side->maps, maps);
	}
}

static int count_instructions(struct bench *b, const struct command *c)
{
	for (size_t i = 0; i < 2; i++) {
		struct becoming as = {c, sides[i]};
		double count;
		int status = bench_instructions_of(become_watched, &as, &count);

		if (status < 0)
			return status;
		sample_add(&b->sides[sides[i]].instructions, count);
	}
	return 0;
}

static int measure_rounds(struct bench *b, struct command *c, size_t runs)
{
	struct progress progress = progress_begin("measuring");
	int status;

	progress_update(0, runs, &progress);
	status = measure(c, HOST_EAGER, NULL);
	/* The first lazy run makes its cache entry. */
	if (status == 0)
		status = measure(c, HOST_LAZY, NULL);
	if (status == 0)
		measure_memory(b, c);
	for (size_t i = 0; i < runs && status == 0; i++) {
		progress_update(i, runs, &progress);
		status = measure_round(b, c, i);
	}
	progress_end(&progress);
	return status;
}

static bool is_ours(const char *name, const char *found, const char *needed_by,
		    void *data)
{
	(void)found, (void)needed_by;
	*(bool *)data |= strncmp(name, LIBRARY, strlen(LIBRARY)) == 0;
	return !*(bool *)data;
}

/* A program that has never heard of DLAZY is measured against itself. */
static void warn_of_itself(const struct program *program)
{
	bool found = false;

	if (program->executable &&
	    search_closure(program->executable, is_ours, &found) == 0 && !found)
		cli_say("%s is not linked with " LIBRARY
			": unless it opens what is, --env changes nothing",
			program->executable);
	status_clear();
}

/* What dlazy run does with it; if that cannot be found out, nothing is said. */
static void judge(const struct program *program, struct judgement *ret)
{
	_cleanup_judge_ struct judge judge = {.cache = NULL};

	if (program->executable && judge_begin(&judge) == 0)
		judge_program(&judge, program, NULL, ret);
	status_clear();
}

/* The words with spaces between; NULL: out of memory. */
static char *joined(char **argv)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (size_t i = 0; argv[i]; i++)
		fprintf(out, "%s%s", i ? " " : "", argv[i]);
	memstream_end(out, &text);
	return text;
}

int bench_command(char **argv, const struct baseline *baseline, bool env,
		  bool cold, size_t runs, bool json)
{
	_cleanup_free_ struct bench *b = calloc(1, sizeof(*b));
	_cleanup_free_ char *subject = joined(argv);
	_cleanup_program_ struct program program = {.command = NULL};
	_cleanup_judgement_ struct judgement j = {.plain = NULL};
	struct command c = {.argv = argv, .path = argv[0], .env = env};
	int status = b && subject ? 0 : status_no_memory(NULL);

	if (status < 0)
		return cli_fail(status, json);
	b->subject = subject;
	b->command = argv;
	b->env = env;
	b->baseline = *baseline;
	b->cold = cold;
	b->cpu = -1;
	/* What cannot be found is told by its first run. */
	if (launcher_see_through(argv[0], &program) == 0)
		c.path = program.command;
	status_clear();
	if (env)
		warn_of_itself(&program);
	status = measure_rounds(b, &c, runs);
	if (status == 0 && baseline->instructions)
		status = count_instructions(b, &c);
	if (status < 0)
		return cli_fail(status, json);
	if (!env)
		judge(&program, &j);
	b->plain = j.plain;
	return bench_print(b, json);
}
