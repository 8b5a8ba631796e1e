/* SPDX-License-Identifier: MIT */
/*
 * The host process of a measurement. The eager and the lazy one do the same
 * work on the same plugins: the eager one with what every host has (readdir,
 * dlopen, dlsym), the lazy one through the public interface of this library.
 */
#include "cli/bench/host.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/event.h"
#include "cli/cli.h"
#include "load/dl.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

struct planned {
	char use;
	const char *file;
	const char *name;
	const char *symbol;
};

struct plan {
	char *text;
	struct planned *plugins;
	size_t count;
};

static void plan_free(struct plan *plan)
{
	free(plan->text);
	free(plan->plugins);
}

static const char *behind(const char *string)
{
	return string + strlen(string) + 1;
}

/* false: standard input is no plan. */
static bool plan_read(struct plan *plan)
{
	struct stat st;
	size_t strings = 0, size;

	if (fstat(0, &st) < 0 || st.st_size < 0)
		return false;
	size = (size_t)st.st_size;
	plan->text = malloc(size + 1);
	if (!plan->text || pread(0, plan->text, size, 0) != st.st_size)
		return false;
	for (size_t i = 0; i < size; i++)
		strings += !plan->text[i];
	plan->count = strings / 3;
	plan->plugins = calloc(plan->count + 1, sizeof(*plan->plugins));
	if (!plan->plugins || strings % 3)
		return false;
	const char *at = plan->text;
	for (size_t i = 0; i < plan->count; i++) {
		const char *file = at + 1, *name = behind(file);

		plan->plugins[i] =
			(struct planned){*at, file, name, behind(name)};
		at = behind(plan->plugins[i].symbol);
	}
	return true;
}

/* A call such as these plugins' hosts begin with. */
static void use(char way, void *function)
{
	char info[512]; /* struct f0r_plugin_info is of 64 bytes */

	if (!function)
		return;
	if (way == HOST_FREI0R)
		((void (*)(void *))function)(info);
	else if (way == HOST_LADSPA)
		((const void *(*)(unsigned long))function)(0);
}

static bool load_eagerly(const char *dir, const struct planned *plugin)
{
	_cleanup_free_ char *path = NULL;
	void *handle, *function = NULL;

	if (asprintf(&path, "%s/%s", dir, plugin->file) < 0)
		path = NULL;
	if (!path || dl_open(path, 0, &handle) < 0)
		return false;
	if (plugin->symbol[0])
		dl_symbol(handle, plugin->symbol, NULL, &function);
	use(plugin->use, function);
	return true;
}

/* Returns how many failed. */
static size_t be_eager(const char *dir, const struct plan *plan)
{
	_cleanup_closedir_ DIR *stream = opendir(dir);
	size_t next = 0, failed = 0;
	struct dirent *entry;

	while (stream && (entry = readdir(stream))) {
		if (next == plan->count ||
		    strcmp(entry->d_name, plan->plugins[next].file) != 0)
			continue;
		failed += !load_eagerly(dir, &plan->plugins[next]);
		next++;
	}
	return failed + plan->count - next;
}

static bool touch(struct dlazy_registry *r, const struct planned *plugin)
{
	struct dlazy_module *m = dlazy_registry_find(r, plugin->name);
	void *function = NULL;

	if (!m)
		return false;
	if (plugin->symbol[0])
		function = dlazy_sym(m, plugin->symbol);
	if (plugin->use == HOST_FREI0R || plugin->use == HOST_LADSPA)
		use(plugin->use, function);
	return dlazy_load(m) == 0;
}

/* In place of a function that cannot be had: dlazy_load() will say so. */
static void *nothing(void)
{
	return NULL;
}

static void *replace(const struct dlazy_failure *failure, void *data)
{
	(void)failure;
	(void)data;
	return (void *)nothing;
}

static size_t be_lazy(const char *dir, const struct plan *plan, bool all)
{
	struct dlazy_registry *r = dlazy_registry_new();
	size_t failed = 0;

	if (!r || dlazy_registry_add_dir(r, dir, 0) < 0)
		return plan->count;
	dlazy_on_failure(NULL, replace, NULL);
	for (size_t i = 0; i < plan->count; i++)
		if (all || plan->plugins[i].use != HOST_UNUSED)
			failed += !touch(r, &plan->plugins[i]);
	return failed;
}

static size_t be_ready(enum host_way way, const char *dir,
		       const struct plan *plan)
{
	switch (way) {
	case HOST_EAGER:
		return be_eager(dir, plan);
	case HOST_LAZY:
	case HOST_ALL_TOUCHED:
		return be_lazy(dir, plan, way == HOST_ALL_TOUCHED);
	default:
		return 0;
	}
}

static uint64_t faults_now(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (uint64_t)(usage.ru_minflt + usage.ru_majflt);
}

static void count_memory(struct host_cost *cost)
{
	char line[4096];
	FILE *in = fopen("/proc/self/smaps_rollup", "re");

	while (in && fgets(line, sizeof(line), in))
		if (!strncmp(line, "Pss:", 4))
			cost->pss_kib = strtoull(line + 4, NULL, 10);
	if (in)
		fclose(in);
	in = fopen("/proc/self/maps", "re");
	while (in && fgets(line, sizeof(line), in))
		cost->maps += strchr(line, '\n') != NULL;
	if (in)
		fclose(in);
}

int cli_bench_host(int argc, char **argv)
{
	_cleanup_(plan_free) struct plan plan = {0};

	if (argc != 3 || !plan_read(&plan))
		return cli_usage(NULL, "bench-host: is for \"dlazy bench\"");
	enum host_way way = (enum host_way)(argv[1][0] - '0');
	struct host_cost cost = {.faults = faults_now()};
	uint64_t cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID), wall = event_now();
	cost.failed = be_ready(way, argv[2], &plan);
	cost.wall_ns = event_now() - wall;
	cost.cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	cost.faults = faults_now() - cost.faults;
	count_memory(&cost);
	if (write(HOST_RESULT_FD, &cost, sizeof(cost)) != sizeof(cost))
		return CLI_FAILED;
	/* What plugins would do at exit is not of interest. */
	_exit(CLI_DONE);
}
