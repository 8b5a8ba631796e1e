/* SPDX-License-Identifier: MIT */
/*
 * dlazy bench DIR: measures what a host's start-up saves if it declares a
 * directory of plugins instead of loading it. Each value comes from a fresh
 * process (host.c). The ways alternate within a round, and all processes run
 * on one CPU.
 */
#include "cli/bench/bench.h"

#include "base/array.h"
#include "base/nearest.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/status.h"
#include "cli/bench/instructions.h"
#include "cli/bench/memory.h"
#include "cli/cli.h"
#include "cli/plugins/directory.h"
#include "cli/frame/lastwords.h"
#include "cli/frame/progress.h"
#include "elf/machine.h"
#include "elf/view.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

static const char help[] =
	"Usage: dlazy bench [DIR] [--touch K|NAME,...] [--runs N] [--cold] "
	"[--json]\n"
	"       dlazy bench [--env] [--runs N] [--cold] [--json] -- CMD...\n"
	"\n"
	"Measures the start-up of a host of the plugins in DIR: \"eager\", it\n"
	"loads them all; \"lazy\", it declares them all and loads those it\n"
	"uses. Each measurement is of a fresh process; the two alternate.\n"
	"Without DIR, of a plugin directory of this machine.\n"
	"Of a command: plain against \"dlazy run\".\n"
	"\n"
	"      --touch=K          use K plugins (default 1): those that need\n"
	"                         the fewest libraries\n"
	"      --touch=NAME,...   or these\n"
	"      --runs=N           rounds (default 21)\n"
	"      --cold             empty the page cache before each process\n"
	"                         (root only)\n"
	"      --env              of a command that uses libdlazy itself:\n"
	"                         DLAZY=off against DLAZY=lazy\n"
	"      --instructions     count instructions, too, which a busy "
	"machine\n"
	"                         does not change\n"
	"      --baseline=FILE    compare with the JSON of an earlier bench\n"
	"      --fail-over=PERCENT\n"
	"                         exit 1 if slower than the baseline by more\n"
	"                         than that\n"
	"      --json             one JSON object on standard output\n"
	"  -h, --help             this text\n";

#define RUNS_DEFAULT 21
#define SECONDS_MAX 120 /* for one process */

struct bench_request {
	const char *dir;
	size_t touch_count;
	char *touch_names; /* with commas, or NULL */
	size_t runs;
	struct baseline baseline;
	bool cold;
	bool env;
	bool json;
};

/* ------------------------------------------------------------------ */
/* The plan: which plugins, how each is used                          */

struct candidate {
	const struct record *record;
	char use;
};

/* The plugins of a directory in the order in which it lists them. */
struct candidates {
	struct candidate *list;
	size_t count;
};

static void candidates_free(struct candidates *c)
{
	free(c->list);
}

static void cleanup_map(struct map *map)
{
	map_clear(map);
}

/* file name -> record; false: out of memory */
static bool index_files(const struct directory *d, struct map *ret)
{
	for (size_t i = 0; i < catalog_count(d->catalog); i++) {
		const struct record *r = catalog_record(d->catalog, i);

		if (r && !map_put(ret, hash_string(record_file(r)), (void *)r))
			return false;
	}
	return true;
}

static int list_candidates(const struct directory *d, struct candidates *ret)
{
	_cleanup_(cleanup_map) struct map files = {0};
	_cleanup_closedir_ DIR *stream = opendir(d->path);
	struct dirent *entry;

	if (!stream)
		return status_fail(status_from_errno(errno), "%s: %s", d->path,
				   strerror(errno));
	ret->list = calloc(catalog_count(d->catalog) + 1, sizeof(*ret->list));
	if (!ret->list || !index_files(d, &files))
		return status_no_memory(d->path);
	while ((entry = readdir(stream)) &&
	       ret->count < catalog_count(d->catalog)) {
		const struct record *r =
			map_get(&files, hash_string(entry->d_name));
		if (r)
			ret->list[ret->count++] =
				(struct candidate){r, HOST_UNUSED};
	}
	return 0;
}

static char use_of(const struct record *r)
{
	struct record_symbol symbol;

	if (record_find(r, "f0r_get_plugin_info", NULL, &symbol))
		return HOST_FREI0R;
	if (record_find(r, "ladspa_descriptor", NULL, &symbol))
		return HOST_LADSPA;
	return HOST_LOAD;
}

/* What a host would look up: its family's entry, else the first function. */
static const char *symbol_of(const struct record *r)
{
	struct record_symbol symbol;

	switch (use_of(r)) {
	case HOST_FREI0R:
		return "f0r_get_plugin_info";
	case HOST_LADSPA:
		return "ladspa_descriptor";
	}
	for (size_t i = 0; i < record_symbol_count(r); i++)
		if (record_symbol_at(r, i, &symbol) &&
		    symbol.type == ELF_TYPE_FUNC && symbol.is_default &&
		    !symbol.variant && symbol.name[0] != '_')
			return symbol.name;
	return "";
}

static int compare_needs(const void *a, const void *b)
{
	const struct record *x = (*(struct candidate *const *)a)->record;
	const struct record *y = (*(struct candidate *const *)b)->record;
	size_t m = record_needs_count(x), n = record_needs_count(y);

	if (m != n)
		return (m > n) - (m < n);
	return strcmp(record_name(x), record_name(y));
}

static int touch_lightest(struct candidates *all, size_t count)
{
	_cleanup_free_ struct candidate **sorted =
		calloc(all->count + 1, sizeof(*sorted));

	if (!sorted)
		return status_no_memory(NULL);
	if (count > all->count)
		return status_fail(DLAZY_EINVAL,
				   "--touch=%zu: there are %zu plugins", count,
				   all->count);
	for (size_t i = 0; i < all->count; i++)
		sorted[i] = &all->list[i];
	qsort(sorted, all->count, sizeof(*sorted), compare_needs);
	for (size_t i = 0; i < count; i++)
		sorted[i]->use = use_of(sorted[i]->record);
	return 0;
}

static int touch_name(struct candidates *all, const char *name)
{
	struct nearest nearest = {NULL, 0};

	for (size_t i = 0; i < all->count; i++) {
		const char *has = record_name(all->list[i].record);

		if (!strcmp(has, name)) {
			all->list[i].use = use_of(all->list[i].record);
			return 0;
		}
		nearest_offer(&nearest, name, has);
	}
	return status_fail(DLAZY_ENOENT, "--touch=%s: no such plugin%s%s", name,
			   nearest.word ? "; did you mean " : "",
			   nearest.word ? nearest.word : "");
}

static int touch_names(struct candidates *all, const char *names)
{
	_cleanup_free_ char *copy = strdup(names);
	char *rest, *name = copy ? strtok_r(copy, ",", &rest) : NULL;
	int status = copy ? 0 : status_no_memory(NULL);

	for (; name && status == 0; name = strtok_r(NULL, ",", &rest))
		status = touch_name(all, name);
	return status;
}

/* The plan as host.h has it, in a file without a name. */
static int write_plan(const struct candidates *all, int *ret_fd)
{
	_cleanup_close_ int fd = memfd_create("plan", MFD_CLOEXEC);
	FILE *out = fd >= 0 ? fdopen(dup(fd), "w") : NULL;
	bool written = out != NULL;

	for (size_t i = 0; i < all->count && written; i++) {
		const struct record *r = all->list[i].record;

		written = fprintf(out, "%c%s%c%s%c%s%c", all->list[i].use,
				  record_file(r), 0, record_name(r), 0,
				  symbol_of(r), 0) > 0;
	}
	if (out && fclose(out) < 0)
		written = false;
	if (!written)
		return status_fail(DLAZY_EIO, "cannot keep the plan: %s",
				   strerror(errno));
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* ------------------------------------------------------------------ */
/* Rounds                                                             */

/* In the child: the host, silent, with nothing of ours but the plan. */
__attribute__((noreturn)) static void become_host(enum host_way way,
						  const char *dir, int plan,
						  int result, int output)
{
	char number[2] = {(char)('0' + way), '\0'};
	const char *argv[] = {"dlazy", "bench-host", number, dir, NULL};

	unsetenv("DLAZY");
	unsetenv("DLAZY_TRACE");
	alarm(SECONDS_MAX);
	/* `result` is above HOST_RESULT_FD, so each dup2 clears O_CLOEXEC. */
	if (dup2(plan, 0) == 0 && dup2(output, 1) == 1 &&
	    dup2(output, 2) == 2 &&
	    dup2(result, HOST_RESULT_FD) == HOST_RESULT_FD)
		execv("/proc/self/exe", (char **)argv);
	_exit(127);
}

/* wrote: its last words; or NULL. */
static int host_died(const char *dir, enum host_way way, int how,
		     const char *wrote)
{
	const char *name = bench_side_name(way, false, false);
	char end[64];

	if (WIFSIGNALED(how))
		snprintf(end, sizeof(end), "was ended by a signal (%s)",
			 strsignal(WTERMSIG(how)));
	else
		snprintf(end, sizeof(end), "ended with status %d",
			 WEXITSTATUS(how));
	return status_fail(DLAZY_ELOAD,
			   "the %s host %s%s%.300s; which plugin is to blame, "
			   "\"dlazy check --load %s\" tells",
			   name, end, wrote ? ", it said: " : "",
			   wrote ? wrote : "", dir);
}

/* What it writes goes into a pipe, which refuses what it has no room for. */
static int run_host(enum host_way way, const char *dir, int plan,
		    struct host_cost *ret)
{
	_cleanup_close_ int in = -1, out = -1, said = -1, say = -1;
	char words[LAST_WORDS_MAX];
	int ends[2], output[2], how;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return status_fail(DLAZY_EIO, "no pipe: %s", strerror(errno));
	in = ends[0];
	out = fcntl(ends[1], F_DUPFD_CLOEXEC, HOST_RESULT_FD + 1);
	close(ends[1]);
	if (pipe2(output, O_CLOEXEC | O_NONBLOCK) < 0)
		return status_fail(DLAZY_EIO, "no pipe: %s", strerror(errno));
	said = output[0];
	say = output[1];
	pid_t pid = fork();
	if (pid < 0)
		return status_fail(DLAZY_EIO, "no process: %s",
				   strerror(errno));
	if (pid == 0)
		become_host(way, dir, plan, out, say);
	waitpid(pid, &how, 0);
	cleanup_close(&out);
	out = -1;
	if (how != 0 || read(in, ret, sizeof(*ret)) != sizeof(*ret))
		return host_died(dir, way, how, last_words(said, words));
	return 0;
}

static void note_cost(struct bench *b, enum host_way way,
		      const struct host_cost *cost)
{
	struct bench_side *side = &b->sides[way];

	sample_add(&side->wall_us, (double)cost->wall_ns / 1e3);
	sample_add(&side->cpu_us, (double)cost->cpu_ns / 1e3);
	sample_add(&side->pss_kib, (double)cost->pss_kib);
	sample_add(&side->maps, (double)cost->maps);
	sample_add(&side->faults, (double)cost->faults);
	side->failed = cost->failed;
}

/* One process of each way; which is first alternates. */
static int run_round(struct bench *b, size_t round, int plan, bool count)
{
	struct host_cost cost;
	double eager = 0, lazy = 1;

	for (size_t i = 0; i < HOST_WAYS; i++) {
		enum host_way way = (enum host_way)((round + i) % HOST_WAYS);
		int status = b->cold && count ? bench_empty_cache() : 0;

		if (status == 0)
			status = run_host(way, b->subject, plan, &cost);

		if (status < 0)
			return status;
		if (!count)
			continue;
		note_cost(b, way, &cost);
		if (way == HOST_EAGER)
			eager = (double)cost.wall_ns;
		if (way == HOST_LAZY)
			lazy = (double)cost.wall_ns;
	}
	if (count)
		sample_add(&b->ratio, eager / lazy);
	return 0;
}

struct hosting {
	const struct bench *bench;
	enum host_way way;
	int plan, result, output;
};

static void become_counted(void *data)
{
	const struct hosting *h = data;

	become_host(h->way, h->bench->subject, h->plan, h->result, h->output);
}

/* Once of each: that changes little from one time to the next. */
static int count_instructions(struct bench *b, int plan)
{
	static const enum host_way counted[] = {HOST_EAGER, HOST_LAZY};
	_cleanup_close_ int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	_cleanup_close_ int high =
		fcntl(nowhere, F_DUPFD_CLOEXEC, HOST_RESULT_FD + 1);

	for (size_t i = 0; i < ARRAY_SIZE(counted); i++) {
		struct hosting as = {b, counted[i], plan, high, high};
		double count;
		int status = bench_instructions_of(become_counted, &as, &count);

		if (status < 0)
			return status;
		sample_add(&b->sides[counted[i]].instructions, count);
	}
	return 0;
}

static int run_rounds(struct bench *b, size_t runs, int plan)
{
	struct progress progress = progress_begin("measuring");
	int status;

	progress_update(0, runs, &progress);
	status = run_round(b, 0, plan, false); /* warms the page cache */
	for (size_t i = 0; i < runs && status == 0; i++) {
		progress_update(i, runs, &progress);
		status = run_round(b, i, plan, true);
	}
	if (status == 0 && b->baseline.instructions)
		status = count_instructions(b, plan);
	progress_end(&progress);
	return status;
}

/* This process and so its children: on the last CPU it may use. */
static int pin(void)
{
	cpu_set_t may, one;

	CPU_ZERO(&one);
	if (sched_getaffinity(0, sizeof(may), &may) < 0)
		return -1;
	for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--) {
		if (!CPU_ISSET(cpu, &may))
			continue;
		CPU_SET(cpu, &one);
		return sched_setaffinity(0, sizeof(one), &one) < 0 ? -1 : cpu;
	}
	return -1;
}

/* ------------------------------------------------------------------ */
/* The command                                                        */

static const char *known_directory(char buffer[256])
{
	static const char *const known[] = {
		"/usr/lib/frei0r-1",
		"/usr/lib/%s/frei0r-1",
		"/usr/lib/ladspa",
		"/usr/lib/%s/ladspa",
		"/usr/lib/%s/gstreamer-1.0",
		"/usr/lib64/frei0r-1",
		"/usr/lib64/ladspa",
		"/usr/lib64/gstreamer-1.0",
		"/usr/lib/gstreamer-1.0",
		/* glibc's own: always there, where it is the libc */
		"/usr/lib/%s/gconv",
		"/usr/lib64/gconv",
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		const char *at = strstr(known[i], "%s");
		int before = at ? (int)(at - known[i]) : 0;

		snprintf(buffer, 256, "%.*s%s%s", before, known[i],
			 at ? machine_multiarch() : "", at ? at + 2 : known[i]);
		if (access(buffer, R_OK | X_OK) == 0)
			return buffer;
	}
	return NULL;
}

/* The catalog that every host of these rounds will find. */
static int open_fresh(struct bench *b, struct directory *d)
{
	int status = directory_open(b->subject, d);

	if (status < 0)
		return status;
	b->subject = d->path;
	b->was_fresh = catalog_open(d->fd, d->path, &d->catalog) == 0;
	if (!b->was_fresh) {
		status = directory_scan(d);
		if (status < 0)
			return status;
	}
	struct catalog *again;
	if (catalog_open(d->fd, d->path, &again) == 0)
		catalog_close(again);
	else
		cli_say("%s: its catalog cannot be kept (%s): each lazy host "
			"will scan",
			d->path, status_message());
	status_clear();
	if (catalog_count(d->catalog) == 0)
		return status_fail(DLAZY_ENOENT,
				   "%s: no plugins there (looked for *.so and "
				   "*.so.VERSION)",
				   d->path);
	return 0;
}

static int list_touched(struct bench *b, const struct candidates *all)
{
	b->names = calloc(all->count + 1, sizeof(*b->names));
	if (!b->names)
		return status_no_memory(NULL);
	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].use != HOST_UNUSED)
			b->names[b->touched++] =
				record_name(all->list[i].record);
	return 0;
}

static int measure(struct bench *b, const struct bench_request *request,
		   struct directory *d)
{
	_cleanup_(candidates_free) struct candidates all = {0};
	_cleanup_close_ int plan = -1;
	int status = open_fresh(b, d);

	if (status == 0)
		status = list_candidates(d, &all);
	if (status == 0)
		status = request->touch_names
				 ? touch_names(&all, request->touch_names)
				 : touch_lightest(&all, request->touch_count);
	if (status == 0)
		status = list_touched(b, &all);
	if (status == 0)
		status = write_plan(&all, &plan);
	if (status < 0)
		return status;
	b->declared = all.count;
	b->cpu = pin();
	return run_rounds(b, request->runs, plan);
}

/* Returns the exit status: was all touched that was to be? */
static int say_failures(const struct bench *b)
{
	uint64_t untouched = b->sides[HOST_LAZY].failed;

	if (untouched)
		cli_say("%" PRIu64
			" of the %zu plugins to be touched cannot be "
			"loaded; which and why, \"dlazy check --load %s\" "
			"tells",
			untouched, b->touched, b->subject);
	else if (b->sides[HOST_EAGER].failed)
		cli_say("%" PRIu64 " of the plugins cannot be loaded; which "
			"and why, \"dlazy check --load %s\" tells",
			b->sides[HOST_EAGER].failed, b->subject);
	return untouched ? CLI_PROBLEMS : CLI_DONE;
}

static int bench(const struct bench_request *request)
{
	_cleanup_(directory_close) struct directory d = {.fd = -1};
	_cleanup_free_ struct bench *b = calloc(1, sizeof(*b));
	char known[256];

	if (!b)
		return cli_fail(status_no_memory(NULL), request->json);
	b->cold = request->cold;
	b->baseline = request->baseline;
	b->subject = request->dir ? request->dir : known_directory(known);
	if (!b->subject)
		return cli_fail(status_fail(DLAZY_ENOENT,
					    "none of the plugin directories "
					    "known to bench is here; name one: "
					    "dlazy bench DIR"),
				request->json);
	if (!request->dir)
		cli_say("no DIR given: taking %s", b->subject);
	int status = measure(b, request, &d);
	if (status < 0) {
		status = cli_fail(status, request->json);
	} else {
		status = say_failures(b);
		int missed = bench_print(b, request->json);
		status = status == CLI_DONE ? missed : status;
	}
	free(b->names);
	return status;
}

/* One more --touch: a number, or names. */
static int add_touch(char *text, void *data)
{
	struct bench_request *request = data;
	char *names;

	if (cli_number(text, 0, SIZE_MAX, &request->touch_count))
		return -1;
	if (!*text || text[0] == '-')
		return cli_usage("bench",
				 "bench: --touch=%s: a number or names", text);
	int n = asprintf(&names, "%s%s%s",
			 request->touch_names ? request->touch_names : "",
			 request->touch_names ? "," : "", text);
	if (n < 0) {
		cli_say("bench: out of memory");
		return CLI_FAILED;
	}
	free(request->touch_names);
	request->touch_names = names;
	return -1;
}

static int take_percent(char *text, void *data)
{
	struct bench_request *request = data;
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= 0 && value < 1e6))
		return cli_usage("bench", "bench: --fail-over=%s: a percentage",
				 text);
	request->baseline.fail_over = value;
	return -1;
}

/* Read before anything is measured. */
static int read_baseline(struct bench_request *request)
{
	struct baseline *baseline = &request->baseline;

	if (!baseline->path && baseline->fail_over >= 0)
		return cli_usage("bench",
				 "bench: --fail-over: than which --baseline?");
	if (baseline->path && baseline_read(baseline) < 0)
		return cli_fail(status_last(), request->json);
	return CLI_DONE;
}

/* Behind "--" stands a command. */
static int bench_behind(const struct bench_request *request, char **argv)
{
	if (!*argv)
		return cli_usage("bench", "bench: --: which CMD?");
	if (request->touch_names)
		return cli_usage("bench", "bench: --touch is for a directory");
	size_t last = 0;
	while (argv[last + 1])
		last++;
	/* As everywhere, --json may come last; CMD gets it, too. */
	bool json = request->json ||
		    (last > 0 && strcmp(argv[last], "--json") == 0);
	return bench_command(argv, &request->baseline, request->env,
			     request->cold, request->runs, json);
}

/* What was asked for, behind the options: a command, or a directory. */
static int bench_asked(struct bench_request *request, int argc, char **argv)
{
	int status = read_baseline(request);

	if (status != CLI_DONE)
		return status;
	if (optind > 1 && strcmp(argv[optind - 1], "--") == 0)
		return bench_behind(request, argv + optind);
	if (argc - optind > 1)
		return cli_usage("bench", "bench: one directory at a time");
	if (request->env)
		return cli_usage("bench", "bench: --env is for a command: "
					  "dlazy bench --env -- CMD");
	request->dir = argv[optind];
	return bench(request);
}

int cli_bench(int argc, char **argv)
{
	struct bench_request request = {.touch_count = 1,
					.runs = RUNS_DEFAULT,
					.baseline.fail_over = -1};
	const struct cli_option options[] = {
		{"touch", .take = add_touch, .data = &request},
		{"runs", .number = &request.runs, .least = 1,
		 .most = SAMPLE_MAX},
		{"cold", .flag = &request.cold},
		{"env", .flag = &request.env},
		{"baseline", .text = &request.baseline.path},
		{"fail-over", .take = take_percent, .data = &request},
		{"instructions", .flag = &request.baseline.instructions},
		{"json", .flag = &request.json},
		{.name = NULL},
	};
	int status = cli_options(argc, argv, help, options);

	if (status < 0)
		status = bench_asked(&request, argc, argv);
	free(request.touch_names);
	return status;
}
