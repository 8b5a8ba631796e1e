/* SPDX-License-Identifier: MIT */
/*
 * dlazy trace: runs a command with an audit object in its dynamic linker
 * (src/hook), and tells afterwards what its start-up cost, and which libraries
 * did nothing. The command's own output, status and signals are as they would
 * be without.
 */
#include "base/array.h"
#include "base/cleanup.h"
#include "base/memstream.h"
#include "base/status.h"
#include "cli/cli.h"
#include "cli/frame/output.h"
#include "cli/frame/standin.h"
#include "cli/run/launcher.h"
#include "cli/run/start.h"
#include "cli/trace/dlopened.h"
#include "cli/trace/export.h"
#include "cli/trace/json.h"
#include "cli/trace/medians.h"
#include "cli/trace/start.h"
#include "cli/trace/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static const char help[] =
	"Usage: dlazy trace [OPTION]... [--] CMD [ARGUMENT]...\n"
	"\n"
	"Runs an unmodified program and accounts for each shared object: why\n"
	"it was loaded, by whom, what that cost, and whether it was used. The\n"
	"table goes to standard error, when the program has ended.\n"
	"\n"
	"      --all              every object in the table, not only the\n"
	"                         costliest\n"
	"      --children         also what programs that it executes do\n"
	"  -o, --output=FILE      write JSON to FILE\n"
	"      --format=FORMAT    instead of JSON: perfetto (Trace Events), "
	"or\n"
	"                         folded (stacks for flame graphs)\n"
	"      --dlopened         what was opened by dlopen(), as the JSON of\n"
	"                         .note.dlopen\n"
	"      --runs=N           run it N times: times are medians\n"
	"      --json             JSON on standard output, behind what CMD\n"
	"                         writes there, instead of the table\n"
	"  -h, --help             this text\n"
	"\n"
	"Exit status: CMD's own; else 127 not found, 126 not executable,\n"
	"125 cannot be traced, 2 usage.\n";

enum trace_format {
	TRACE_JSON,
	TRACE_EVENTS, /* for Perfetto */
	TRACE_FOLDED, /* for flame graphs */
	TRACE_DLOPENED,
};

struct trace_request {
	const char *out; /* NULL: none */
	enum trace_format format;
	bool all;
	bool children;
	bool json;
	size_t runs;
};

/* ------------------------------------------------------------------ */
/* Trace buffers                                                      */

/* A trace buffer's file is named PID.TICKS. */
struct tracebuf_name {
	unsigned long pid;
	uint64_t ticks;
	char name[64];
};

struct tracebuf_names {
	struct tracebuf_name *list;
	size_t count, room;
};

static int compare_names(const void *a, const void *b)
{
	const struct tracebuf_name *x = a, *y = b;

	return (x->ticks > y->ticks) - (x->ticks < y->ticks);
}

/* Those of a directory, the oldest first. */
static int list_tracebufs(const char *directory, struct tracebuf_names *ret)
{
	_cleanup_closedir_ DIR *dir = opendir(directory);
	struct dirent *entry;
	struct tracebuf_name n;

	while (dir && (entry = readdir(dir))) {
		if (sscanf(entry->d_name, "%lu.%" SCNu64, &n.pid, &n.ticks) !=
			    2 ||
		    strlen(entry->d_name) >= sizeof(n.name))
			continue;
		strcpy(n.name, entry->d_name);
		if (!array_reserve(&ret->list, ret->count, &ret->room,
				   sizeof(*ret->list)))
			return status_no_memory(NULL);
		ret->list[ret->count++] = n;
	}
	if (ret->count > 1)
		qsort(ret->list, ret->count, sizeof(*ret->list), compare_names);
	return 0;
}

struct traces {
	struct trace *list;
	size_t count;
};

static void cleanup_traces(struct traces *all)
{
	for (size_t i = 0; i < all->count; i++)
		trace_clear(&all->list[i]);
	free(all->list);
}

static void cleanup_tracebuf_names(struct tracebuf_names *names)
{
	free(names->list);
}

static int read_one(const struct trace_run *run, const char *name, bool first,
		    struct traces *all)
{
	_cleanup_free_ char *path = NULL;
	struct trace_span span = {0, 0};

	if (asprintf(&path, "%s/%s", run->directory, name) < 0)
		return status_no_memory(NULL);
	if (first)
		span = run->span;
	int status = trace_read(path, span, &all->list[all->count]);
	if (status < 0)
		trace_clear(&all->list[all->count]);
	else
		all->count++;
	return status;
}

/* The first is the command's own; a child's that cannot be read is said. */
static int read_tracebufs(const struct trace_run *run, struct traces *ret)
{
	_cleanup_(cleanup_tracebuf_names) struct tracebuf_names names = {NULL,
									 0, 0};
	int status = list_tracebufs(run->directory, &names);

	if (status < 0)
		return status;
	if (names.count == 0)
		return status_fail(
			DLAZY_EFORMAT,
			"it ran, but its dynamic linker took no auditor: it is "
			"not glibc's, or was not let");
	ret->list = calloc(names.count, sizeof(*ret->list));
	if (!ret->list)
		return status_no_memory(NULL);
	for (size_t i = 0; i < names.count; i++) {
		status = read_one(run, names.list[i].name, i == 0, ret);
		if (status < 0 && i == 0)
			return status;
		if (status < 0)
			cli_say("%s", status_message());
	}
	return 0;
}

/* ------------------------------------------------------------------ */
/* Telling                                                            */

/* A command's traces, and what to do about its own. */
struct telling {
	const struct trace_request *request;
	const struct traces *all;
	const struct trace_advice *advice;
	int how;
};

static void print(FILE *out, const struct telling *telling)
{
	const struct traces *all = telling->all;
	struct json j = json_to(out);

	switch (telling->request->format) {
	case TRACE_EVENTS:
		trace_print_events(out, all->list, all->count);
		return;
	case TRACE_FOLDED:
		trace_print_folded(out, all->list, all->count);
		return;
	case TRACE_DLOPENED:
		trace_print_dlopened(&j, all->list, all->count);
		break;
	case TRACE_JSON:
		trace_print_json(&j, &all->list[0], telling->how,
				 telling->advice, all->list + 1,
				 all->count - 1);
	}
	json_finish(&j);
}

static int write_file(const struct output *output,
		      const struct telling *telling)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return status_no_memory(NULL);
	print(out, telling);
	if (!memstream_end(out, &text))
		return status_no_memory(NULL);
	return output_write(output, text, size);
}

/* For people: the command's own, and those of its children. */
static void print_tables(const struct telling *telling)
{
	const struct traces *all = telling->all;
	bool every = telling->request->all;

	putc('\n', stderr);
	trace_print_text(stderr, &all->list[0], telling->how, every,
			 telling->advice);
	for (size_t i = 1; i < all->count; i++) {
		fputs("\n----\n\n", stderr);
		trace_print_text(stderr, &all->list[i], -1, every, NULL);
	}
}

static int write_out(const struct output *output, const struct telling *telling)
{
	return telling->request->out ? write_file(output, telling) : 0;
}

/* Of the last run, with the times of those before it. */
static int tell(const struct trace_request *request,
		const struct output *output, const struct trace_run *run,
		const struct trace_runs *before)
{
	/* A timeline is of one run: there, medians would not fit together. */
	bool is_timeline = request->format == TRACE_EVENTS;

	_cleanup_(cleanup_traces) struct traces all = {NULL, 0};
	_cleanup_(trace_advice_clear) struct trace_advice advice = {
		.stubs = NULL};
	int status = read_tracebufs(run, &all);

	if (status < 0)
		return status;
	const struct telling telling = {request, &all, &advice, run->how};
	if (is_timeline)
		status = write_out(output, &telling);
	if (status == 0 && !(is_timeline && request->json))
		status = trace_take_medians(all.list, all.count, before);
	if (status < 0)
		return status;
	if (request->format == TRACE_JSON || !request->json)
		trace_advise(&all.list[0], &advice);
	if (!is_timeline)
		status = write_out(output, &telling);
	if (status < 0)
		return status;
	if (request->json)
		print(stdout, &telling);
	else
		print_tables(&telling);
	return 0;
}

/* ------------------------------------------------------------------ */
/* The command                                                        */

static int refuse(int status, bool json)
{
	cli_fail(status, json);
	switch (-status) {
	case DLAZY_ENOENT:
		return RUN_NOT_FOUND;
	case DLAZY_EIO:
		return RUN_NOT_EXECUTABLE;
	default:
		return RUN_FAILED;
	}
}

static int start(const struct trace_request *request,
		 const struct program *program, char **argv,
		 const struct output *output, bool is_last,
		 struct trace_run *ret)
{
	const struct trace_options options = {
		.children = request->children,
		.open = !is_last	? STANDIN_OPEN_ALL
			: request->json ? STANDIN_OPEN_OUTPUT
					: STANDIN_OPEN_NONE,
		.keep = output->fd,
	};

	return trace_start(program, argv, &options, ret);
}

static int keep_times(const struct trace_run *run, struct trace_runs *runs)
{
	_cleanup_(cleanup_traces) struct traces all = {NULL, 0};
	int status = read_tracebufs(run, &all);

	return status < 0 ? status : trace_runs_add(runs, all.list, all.count);
}

/* Whoever ends one run, as from the terminal, wants no other. */
static bool is_last(const struct trace_run *run, size_t i, size_t runs)
{
	return i == runs || run->failed || WIFSIGNALED(run->how) ||
	       standin_pending() != 0;
}

/* The times of all runs but the last, and the last. */
static int start_all(const struct trace_request *request,
		     const struct program *program, char **argv,
		     const struct output *output, struct trace_runs *ret_before,
		     struct trace_run *ret)
{
	int status = 0;

	for (size_t i = 1; status == 0; i++) {
		status = start(request, program, argv, output,
			       i == request->runs, ret);
		if (status < 0 || is_last(ret, i, request->runs))
			return status;
		status = keep_times(ret, ret_before);
		trace_run_clear(ret);
	}
	return status;
}

static int trace(const struct trace_request *request, char **argv)
{
	_cleanup_program_ struct program program = {.command = NULL};
	_cleanup_(trace_run_clear) struct trace_run run = {.how = 0};
	_cleanup_(trace_runs_free) struct trace_runs before = {.list = NULL};
	_cleanup_(output_close) struct output output = {NULL, -1};
	int status = launcher_see_through(argv[0], &program);

	if (status == 0)
		status = trace_check(&program);
	if (status < 0)
		return refuse(status, request->json);
	if ((request->out && output_open(request->out, &output) < 0) ||
	    start_all(request, &program, argv, &output, &before, &run) < 0) {
		cli_fail(status_last(), request->json);
		return RUN_FAILED;
	}
	int told = run.failed ? 0 : tell(request, &output, &run, &before);
	if (told < 0)
		cli_fail(told, request->json);
	int finished = cli_finish(CLI_DONE);
	trace_run_clear(&run);
	if ((told < 0 || finished != CLI_DONE) && WIFEXITED(run.how) &&
	    WEXITSTATUS(run.how) == 0)
		return RUN_FAILED;
	standin_end(run.how);
}

static int take_format(char *name, void *data)
{
	static const char *const names[] = {"json", "perfetto", "folded"};
	struct trace_request *request = data;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(name, names[i]) == 0) {
			request->format = (enum trace_format)i;
			return -1;
		}
	return cli_usage("trace",
			 "trace: --format=%s: it is json, perfetto or folded",
			 name);
}

int cli_trace(int argc, char **argv)
{
	struct trace_request request = {.runs = 1};
	bool dlopened = false;
	const struct cli_option options[] = {
		{"all", .flag = &request.all},
		{"children", .flag = &request.children},
		{"dlopened", .flag = &dlopened},
		{"format", .take = take_format, .data = &request},
		{"output", 'o', .text = &request.out},
		{"runs", .number = &request.runs, .least = 1,
		 .most = TRACE_RUNS_MAX},
		{"json", .flag = &request.json},
		{.name = NULL},
	};
	int status = cli_options_first(argc, argv, help, options);

	if (status >= 0)
		return status;
	if (dlopened && request.format != TRACE_JSON)
		return cli_usage("trace", "trace: --dlopened is JSON: it goes "
					  "without --format");
	if (dlopened)
		request.format = TRACE_DLOPENED;
	/* Another format than the table is for somewhere. */
	if (request.format != TRACE_JSON && !request.out)
		request.json = true;
	if (optind == argc)
		return cli_usage("trace", "trace: which CMD?");
	/* The one option that every command takes at its end. CMD gets it too:
	 * what is traced is what was asked for. */
	if (argc - optind > 1 && !request.out &&
	    strcmp(argv[argc - 1], "--json") == 0)
		request.json = true;
	return trace(&request, argv + optind);
}
