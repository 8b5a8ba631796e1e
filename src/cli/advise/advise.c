/* SPDX-License-Identifier: MIT */
/*
 * dlazy advise: for people whose program starts slowly, and who have never heard of
 * ELF. One line for each program: how long its start takes, how much of that
 * laziness can avoid, and the command to type; or why there is none.
 */
#include "cli/cli.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/status.h"
#include "cli/advise/commands.h"
#include "cli/advise/kept.h"
#include "cli/frame/progress.h"
#include "cli/frame/table.h"
#include "cli/run/judge.h"
#include "cli/run/launcher.h"
#include "cli/run/startup.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"Usage: dlazy advise [PROGRAM...] [--measure] [--json]\n"
	"\n"
	"Tells of each program whether \"dlazy run\" would start it sooner: "
	"how\n"
	"long its start takes, how much of that can be avoided, and what to\n"
	"type. Without PROGRAM, of all programs in PATH: those that gain. "
	"What\n"
	"was found out is kept: an interrupted search continues where it was.\n"
	"\n"
	"      --measure  time the start of each, plain and lazy, up to "
	"main(),\n"
	"                 which is not run; without it, no time is known\n"
	"      --json     one JSON object on standard output\n"
	"  -h, --help     this text\n";

#define ADVICE_MAX 768
#define SHARE_LEAST 0.02 /* of the start; less is not felt */

struct row {
	char *path;
	size_t libraries, lazy; /* lazy: by dlazy run */
	bool is_measured;
	struct startup_times times;
	bool gains;
	char advice[ADVICE_MAX];
};

struct advising {
	struct judge judge;
	struct kept kept;
	struct row *rows;
	size_t count, room;
	bool measure, all; /* all: those of PATH */
};

static void advising_end(struct advising *a)
{
	for (size_t i = 0; i < a->count; i++)
		free(a->rows[i].path);
	free(a->rows);
	kept_close(&a->kept);
	judge_end(&a->judge);
}

/* ------------------------------------------------------------------ */
/* One program                                                        */

/* What to type: its name is enough where a shell would find just that. */
static void advise_run(struct row *row)
{
	const char *name = file_base_name(row->path);
	_cleanup_program_ struct program found = {.command = NULL};
	bool by_name = program_find(name, &found) == 0 &&
		       strcmp(found.executable, row->path) == 0;

	status_clear();
	row->gains = true;
	snprintf(row->advice, sizeof(row->advice), "dlazy run --install %s",
		 by_name ? name : row->path);
}

static void leave_it(struct row *row, const char *why)
{
	row->gains = false;
	snprintf(row->advice, sizeof(row->advice), "leave it as it is: %s",
		 why);
}

/* Does what was measured agree? */
static void weigh(struct row *row)
{
	double saving = row->times.plain_us - row->times.lazy_us;
	char why[128];

	if (!row->gains || saving >= SHARE_LEAST * row->times.plain_us)
		return;
	snprintf(why, sizeof(why),
		 "started lazily it takes %.1f ms instead of %.1f",
		 row->times.lazy_us / 1e3, row->times.plain_us / 1e3);
	leave_it(row, why);
}

static int judge(struct advising *a, const struct program *program,
		 struct row *row)
{
	_cleanup_judgement_ struct judgement j = {.plain = NULL};
	struct kept_program known;

	if (!a->all || !kept_find(&a->kept, row->path, &known)) {
		int status = judge_program(&a->judge, program, NULL, &j);

		if (status < 0)
			return status;
		known = (struct kept_program){j.libraries, j.lazy, j.plain};
		if (a->all)
			kept_add(&a->kept, row->path, &known);
	}
	row->libraries = known.libraries;
	row->lazy = known.plain ? 0 : known.lazy;
	if (known.plain)
		leave_it(row, known.plain);
	else
		advise_run(row);
	return 0;
}

static void measure(const struct program *program, struct row *row)
{
	static const struct request request = {.stats = true};

	if (startup_measure(program, &request, &row->times) < 0) {
		cli_say("%s", status_message());
		status_clear();
		return;
	}
	row->is_measured = true;
	weigh(row);
}

static int add_program(struct advising *a, const struct program *program)
{
	if (!array_reserve(&a->rows, a->count, &a->room, sizeof(*a->rows)))
		return status_no_memory(NULL);
	struct row row = {.path = strdup(program->executable)};
	int status =
		row.path ? judge(a, program, &row) : status_no_memory(NULL);
	if (status < 0) {
		free(row.path);
		return status;
	}
	/* Of all programs of PATH those that cannot gain are not started. */
	if (a->measure && (!a->all || row.gains))
		measure(program, &row);
	a->rows[a->count++] = row;
	return 0;
}

static int advise_of(struct advising *a, const char *command)
{
	_cleanup_program_ struct program program = {.command = NULL};
	int status = launcher_see_through(command, &program);

	return status < 0 ? status : add_program(a, &program);
}

/* ------------------------------------------------------------------ */
/* All of PATH                                                        */

static int advise_of_path(struct advising *a)
{
	struct commands commands = {.list = NULL};
	int status = commands_of_path(&commands);
	struct progress progress = progress_begin("programs");

	kept_open(&a->kept, a->judge.cache);
	for (size_t i = 0; i < commands.count && status == 0; i++) {
		char *path = commands.list[i];
		const struct program program = {.command = path,
						.executable = path};

		progress_update(i, commands.count, &progress);
		/* One that cannot be read is no reason to end. */
		if (add_program(a, &program) == -DLAZY_ENOMEM)
			status = -DLAZY_ENOMEM;
	}
	progress_end(&progress);
	commands_clear(&commands);
	if (status == 0)
		status_clear();
	return status;
}

/* ------------------------------------------------------------------ */
/* Telling                                                            */

static void print_json_row(struct json *j, const struct row *row)
{
	json_begin_object(j);
	json_string_at(j, "path", row->path);
	json_unsigned_at(j, "libraries", row->libraries);
	json_unsigned_at(j, "lazy", row->lazy);
	json_double_at(j, "start_us",
		       row->is_measured ? row->times.plain_us : NAN);
	json_double_at(j, "saving_us",
		       row->is_measured
			       ? row->times.plain_us - row->times.lazy_us
			       : NAN);
	json_string_at(j, "advice", row->advice);
	json_end_object(j);
}

static void advise_print_json(const struct advising *a)
{
	struct json j = json_to(stdout);

	cli_json_begin(&j);
	json_begin_array_at(&j, "programs");
	for (size_t i = 0; i < a->count; i++)
		print_json_row(&j, &a->rows[i]);
	json_end_array(&j);
	json_end_object(&j);
	json_finish(&j);
}

static bool add_table_row(struct table *t, const struct row *row)
{
	char start[32] = "?", share[64];
	double saving = row->times.plain_us - row->times.lazy_us;

	if (row->is_measured)
		snprintf(start, sizeof(start), "%.1f",
			 row->times.plain_us / 1e3);
	if (!row->lazy)
		strcpy(share, "-");
	else if (row->is_measured && row->times.plain_us > 0)
		snprintf(share, sizeof(share), "%.0f %%",
			 saving > 0 ? 100 * saving / row->times.plain_us : 0);
	else
		snprintf(share, sizeof(share), "%zu of %zu libraries",
			 row->lazy, row->libraries);
	return table_add(t, (const char *[]){file_base_name(row->path), start,
					     share, row->advice});
}

static int compare_lazy(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	double m = x->times.plain_us - x->times.lazy_us;
	double n = y->times.plain_us - y->times.lazy_us;

	if (m != n)
		return (m < n) - (m > n);
	if (x->lazy != y->lazy)
		return (x->lazy < y->lazy) - (x->lazy > y->lazy);
	return strcmp(x->path, y->path);
}

static int advise_print_text(struct advising *a)
{
	_cleanup_(table_free) struct table t = {.columns = 4};
	size_t gaining = 0;
	bool fits = table_add(&t, (const char *[]){"PROGRAM", ">START ms",
						   ">AVOIDABLE", "ADVICE"});

	if (a->all && a->count > 1)
		qsort(a->rows, a->count, sizeof(*a->rows), compare_lazy);
	for (size_t i = 0; i < a->count && fits; i++) {
		gaining += a->rows[i].gains;
		if (!a->all || a->rows[i].gains)
			fits = add_table_row(&t, &a->rows[i]);
	}
	if (!fits) {
		cli_say("advise: out of memory");
		return CLI_FAILED;
	}
	if (t.count > t.columns)
		table_print(&t, stdout);
	if (a->all)
		printf("%zu of %zu programs %s sooner by dlazy run%s\n",
		       gaining, a->count, a->measure ? "start" : "may start",
		       a->measure ? "" : "; --measure tells how much");
	return CLI_DONE;
}

/* ------------------------------------------------------------------ */

static int advise(char **programs, bool is_measured, bool json)
{
	_cleanup_(advising_end) struct advising a = {
		.measure = is_measured,
		.all = !*programs,
	};
	int exit = CLI_DONE, status = judge_begin(&a.judge);

	if (status == 0 && a.all)
		status = advise_of_path(&a);
	if (status < 0)
		return cli_fail(status, json);
	for (; *programs; programs++) {
		status = advise_of(&a, *programs);
		if (status < 0)
			/* One object on standard output is enough. */
			exit = cli_fail(status, false);
	}
	if (json)
		advise_print_json(&a);
	else if (advise_print_text(&a) != CLI_DONE)
		return CLI_FAILED;
	return exit;
}

int cli_advise(int argc, char **argv)
{
	bool is_measured = false, json = false;
	const struct cli_option options[] = {
		{"measure", .flag = &is_measured},
		{"json", .flag = &json},
		{.name = NULL},
	};
	int status = cli_options(argc, argv, help, options);

	return status < 0 ? advise(argv + optind, is_measured, json) : status;
}
