/* SPDX-License-Identifier: MIT */
/*
 * What the measured programs have in common: the clock, and a report of what
 * being ready has cost. The report goes to descriptor 3; what takes time to
 * find out (memory) is in it only where BENCH_MEMORY is set, so that the
 * process can be timed as a whole.
 */
#ifndef BENCH_HOST_H
#define BENCH_HOST_H

#include <dirent.h>
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define REPORT_FD 3

struct report {
	uint64_t wall_ns;
	uint64_t pss_kib;
	uint64_t private_kib; /* dirty pages of this process alone */
	uint64_t maps;
	uint64_t fds;
};

static inline uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static inline void count_memory(struct report *r)
{
	char line[4096];
	FILE *in = fopen("/proc/self/smaps_rollup", "re");

	while (in && fgets(line, sizeof(line), in)) {
		if (!strncmp(line, "Pss:", 4))
			r->pss_kib = strtoull(line + 4, NULL, 10);
		if (!strncmp(line, "Private_Dirty:", 14))
			r->private_kib = strtoull(line + 14, NULL, 10);
	}
	if (in)
		fclose(in);
	in = fopen("/proc/self/maps", "re");
	while (in && fgets(line, sizeof(line), in))
		r->maps++;
	if (in)
		fclose(in);
	DIR *fds = opendir("/proc/self/fd");
	while (fds && readdir(fds))
		r->fds++;
	if (fds)
		closedir(fds);
}

/* The process has become ready since `start`; ends it. */
__attribute__((noreturn)) static inline void report(uint64_t start)
{
	struct report r = {.wall_ns = now_ns() - start};

	if (getenv("BENCH_MEMORY"))
		count_memory(&r);
	/* Without a reader (under valgrind) there is nobody to tell. */
	_exit(write(REPORT_FD, &r, sizeof(r)) < 0 ? 0 : 0);
}

/* Whether a directory's entry is a plugin, and its path. */
static inline int plugin_path(const char *dir, const char *name,
			      char path[4096])
{
	size_t n = strlen(name);

	if (n < 3 || strcmp(name + n - 3, ".so") != 0)
		return 0;
	return snprintf(path, 4096, "%s/%s", dir, name) < 4096;
}

/* The calls that hosts of these families begin with. */
static inline void use(const char *symbol, void *function)
{
	char info[512];

	if (!function)
		return;
	if (!strcmp(symbol, "f0r_get_plugin_info"))
		((void (*)(void *))function)(info);
	else if (!strcmp(symbol, "ladspa_descriptor"))
		((const void *(*)(unsigned long))function)(0);
	else
		((int (*)(int))function)(1);
}

#endif
