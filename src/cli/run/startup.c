/* SPDX-License-Identifier: MIT */
/*
 * Measuring a program's start. An audit object (src/hook/stop.c) ends each
 * process before main(): only its constructors run.
 */
#include "cli/run/startup.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/event.h"
#include "base/status.h"
#include "cli/frame/beside.h"
#include "cli/frame/sample.h"
#include "cli/run/start.h"
#include "cli/run/tunables.h"
#include "link/cache/program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define STOP "stop.so"
#define ROUNDS 9
#define SECONDS_MAX 10 /* for one process: its constructors may hang */

/* One of the two ways. */
struct way {
	char *audit;	    /* an entry of the environment */
	char *library_path; /* likewise; NULL: as it is */
	uint32_t tls;	    /* static TLS that it takes */
	struct sample us;
};

static void way_clear(struct way *way)
{
	free(way->audit);
	free(way->library_path);
}

__attribute__((noreturn)) static void become(const struct program *program,
					     const struct way *way)
{
	char *argv[] = {program->command, NULL};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	putenv(way->audit);
	tunables_set(way->tls);
	if (way->library_path)
		putenv(way->library_path);
	alarm(SECONDS_MAX);
	if (dup2(null, 0) == 0 && dup2(null, 1) == 1 && dup2(null, 2) == 2)
		execv(program->command, argv);
	_exit(127);
}

static int measure_once(const struct program *program, const struct way *way,
			double *ret_us)
{
	uint64_t begin = event_now();
	pid_t pid = fork();
	int how = 0;

	if (pid < 0)
		return status_fail(DLAZY_EIO, "no process: %s",
				   strerror(errno));
	if (pid == 0)
		become(program, way);
	while (waitpid(pid, &how, 0) < 0 && errno == EINTR)
		;
	*ret_us = (double)(event_now() - begin) / 1e3;
	if (how == 0)
		return 0;
	return status_fail(DLAZY_ELOAD,
			   "%s: its start cannot be measured: it does not come "
			   "to main",
			   program->command);
}

/* The first round, which warms the page cache, does not count. */
static int measure_rounds(const struct program *program, struct way *ways,
			  size_t count)
{
	double us = 0;
	int status = 0;

	for (int round = -1; round < ROUNDS && status == 0; round++)
		for (size_t i = 0; i < count && status == 0; i++) {
			size_t k = (i + (size_t)(round + 1)) % count;
			status = measure_once(program, &ways[k], &us);
			if (status == 0 && round >= 0)
				sample_add(&ways[k].us, us);
		}
	return status;
}

static int set_up(struct way *way, const char *stop, const char *directory)
{
	if (asprintf(&way->audit, "LD_AUDIT=%s", stop) < 0)
		way->audit = NULL;
	if (directory)
		way->library_path = run_library_path(directory);
	if (!way->audit || (directory && !way->library_path))
		return status_no_memory(NULL);
	return 0;
}

int startup_measure(const struct program *program,
		    const struct request *request, struct startup_times *ret)
{
	_cleanup_program_start_ struct program_start start = {.made = false};
	_cleanup_(way_clear) struct way plain = {.audit = NULL};
	_cleanup_(way_clear) struct way lazy = {.audit = NULL};
	char stop[PATH_MAX];

	int status =
		beside_find(STOP, DLAZY_BIN_TO_PKGLIB, DLAZY_PKGLIBDIR, stop);
	if (status < 0)
		return status;
	if (!status)
		return status_fail(DLAZY_ENOSYS,
				   "%s: not there: dlazy is not installed "
				   "whole, or cannot measure on this CPU",
				   stop);
	struct request now = *request;

	now.wait = true;
	status = run_prepare(&now, program, &start);
	if (status == 0)
		status = set_up(&plain, stop, NULL);
	if (status == 0)
		status = set_up(&lazy, stop, start.directory);
	if (status < 0)
		return status;
	plain.tls = lazy.tls = entry_facts(&start.entry).tls;
	struct way ways[] = {plain, lazy};
	status = measure_rounds(program, ways, start.directory ? 2 : 1);
	if (status < 0)
		return status;
	ret->plain_us = sample_median(&ways[0].us);
	ret->lazy_us =
		start.directory ? sample_median(&ways[1].us) : ret->plain_us;
	return 0;
}
