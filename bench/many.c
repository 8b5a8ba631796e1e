/* SPDX-License-Identifier: MIT */
/*
 * Rows of a directory of 100,000 plugins that say what they provide: what a scan has
 * in memory at its peak, and what a query executes. bench/run makes the directory
 * (BENCH_MANY), all of whose files are links to two.
 */
#include "bench/row.h"

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Scans; how many MiB that takes at its peak. */
static double scan_peak_mib(const char *dir)
{
	const char *tool = getenv("DLAZY_TOOL");
	struct rusage usage;
	int how;
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		dup2(null, 1);
		execl(tool, tool, "scan", dir, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &how, 0, &usage) != pid || how != 0)
		errx(1, "%s: cannot be scanned", dir);
	return (double)usage.ru_maxrss / 1024;
}

static void tell_peak(const char *what, double mib)
{
	row_tell(&(struct row){
		.what = what, .value = mib, .unit = "MiB", .budget = 32});
}

/* Instructions of the host program bench/lazy.c; 0: they cannot be counted. */
static double host_instructions(const char *mode, const char *dir,
				const char *glob)
{
	struct side *side =
		row_side(mode, (const char *[]){row_program("lazy"), mode, dir,
						glob, NULL});
	return measure_instructions(side);
}

static void asking(const char *dir)
{
	double declare = host_instructions("declare", dir, NULL);

	if (declare == 0)
		return;
	row_tell(&(struct row){
		.what = "the first match by id, of one: instructions",
		.value = host_instructions("query", dir, "codec/one") - declare,
		.unit = "",
		.budget = 50000});
	row_tell(&(struct row){
		.what = "    of all: instructions",
		.value = host_instructions("query", dir, "codec/all") - declare,
		.unit = "",
		.budget = 50000});
}

void many_rows(void)
{
	const char *dir = getenv("BENCH_MANY");

	if (!dir || !*dir) {
		fprintf(stderr, "100,000 plugins: not made, skipped\n");
		return;
	}
	row_heading("100,000 plugins, each with metadata");
	tell_peak("scan: memory at its peak", scan_peak_mib(dir));
	tell_peak("    again, nothing has changed", scan_peak_mib(dir));
	asking(dir);
}
