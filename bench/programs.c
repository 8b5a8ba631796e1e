/* SPDX-License-Identifier: MIT */
/*
 * Programs as they are, plainly and under `dlazy run`, each from its spawning to
 * its end. Each has run often enough before that what `run` learns is learned.
 *
 * In the environment: DLAZY_TOOL, BENCH_INPUTS (a directory that
 * tests/real/inputs made), and BENCH_STARTED, the directory that `dlazy run` has
 * in LD_LIBRARY_PATH for ffmpeg, for what `run` itself costs.
 */
#include "bench/row.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORDS_MAX 16
#define WARMING 32 /* runs: what is learned after 30 is steady */
#define LAUNCHER_MOST 0.35
#define RUN_US 1500 /* the most that `dlazy run` itself may add */

#define FFMPEG "/usr/bin/ffmpeg"

struct program {
	const char *name;
	/* The command; "IN/" at a word's beginning is the inputs' directory. */
	const char *argv[WORDS_MAX];
	double most; /* against plain */
	bool small;  /* must not be hurt: at most RUN_US more */
};

static const struct program list[] = {
	{"ffmpeg -version", {FFMPEG, "-version"}, 1. / 5, false},
	{"ffmpeg, x264 of 1 s",
	 {FFMPEG, "-nostdin", "-v", "error", "-f", "lavfi", "-i",
	  "testsrc2=s=320x240:r=25:d=1", "-c:v", "libx264", "-f", "null", "-"},
	 BUDGET_NONE,
	 false},
	{"mpv --version", {"/usr/bin/mpv", "--version"}, BUDGET_NONE, false},
	{"gdalinfo --version",
	 {"/usr/bin/gdalinfo", "--version"},
	 BUDGET_NONE,
	 false},
	{"gdalinfo of a file",
	 {"/usr/bin/gdalinfo", "IN/grid.asc"},
	 BUDGET_NONE,
	 false},
	{"inkscape --version",
	 {"/usr/bin/inkscape", "--version"},
	 BUDGET_NONE,
	 false},
	{"melt -version", {"/usr/bin/melt", "-version"}, BUDGET_NONE, false},
	{"git --version", {"/usr/bin/git", "--version"}, BUDGET_NONE, true},
	{"openssl version", {"/usr/bin/openssl", "version"}, BUDGET_NONE, true},
	{"true", {"/bin/true"}, BUDGET_NONE, true},
};

/* The command's words, behind those that run it lazily. */
static struct side *side_of(const struct program *p, bool lazily)
{
	const char *argv[ARGUMENTS_MAX] = {NULL};
	size_t n = 0;

	if (lazily) {
		argv[n++] = getenv("DLAZY_TOOL");
		argv[n++] = "run";
		argv[n++] = "--wait";
		argv[n++] = "--";
	}
	for (size_t i = 0; i < WORDS_MAX && p->argv[i]; i++) {
		const char *word = p->argv[i];
		char *path = NULL;

		if (strncmp(word, "IN/", 3) == 0 &&
		    asprintf(&path, "%s/%s", getenv("BENCH_INPUTS"), word + 3) <
			    0)
			err(1, "memory");
		argv[n++] = path ? path : word;
	}
	return row_side(lazily ? "lazily" : "plainly", argv);
}

static void tell_against(const struct side *run, const struct side *plain,
			 double budget)
{
	row_tell(&(struct row){"run, against plainly",
			       measure_ratio(&run->total_us, &plain->total_us),
			       "x", budget, run->name, plain->name,
			       &run->total_us, &plain->total_us, "us"});
}

static void tell_more(const char *what, const struct side *a,
		      const struct side *b, double budget)
{
	row_tell(&(struct row){
		what, measure_difference(&a->total_us, &b->total_us), "us",
		budget, a->name, b->name, &a->total_us, &b->total_us, "us"});
}

static void one_program(const struct program *p)
{
	struct side *plain = side_of(p, false);
	struct side *lazy = side_of(p, true);
	struct side *warming = side_of(p, true);
	struct side *both[] = {plain, lazy};

	row_heading(p->name);
	row_measure(&warming, 1, WARMING);
	row_measure(both, 2, row_rounds * (p->small ? ROW_OFTEN : 1));
	tell_against(lazy, plain, p->most);
	if (p->small)
		tell_more("run, more than plainly", lazy, plain, RUN_US);
}

/* `dlazy run` against its own last step done by hand. */
static void own_cost(void)
{
	struct side *run = side_of(&list[0], true);
	struct side *by_hand = side_of(&list[0], false);

	by_hand->name = "LD_LIBRARY_PATH by hand";
	by_hand->variable = "LD_LIBRARY_PATH";
	by_hand->value = getenv("BENCH_STARTED");
	if (access(FFMPEG, X_OK) < 0 || !by_hand->value || !*by_hand->value)
		return;
	row_heading("What dlazy run itself costs");
	ROW_MEASURE(ROW_OFTEN, false, run, by_hand);
	tell_more("ffmpeg -version, more than by hand", run, by_hand, RUN_US);
}

/* What starting /bin/true by an installed launcher takes beyond it, in starts of that
 * same process, which does nothing. BENCH_LAUNCHER is one; it has been started before. */
static void launcher_cost(void)
{
	const char *path = getenv("BENCH_LAUNCHER");

	if (!path || !*path || access(path, X_OK) < 0)
		return;
	struct side *by =
		row_side("by a launcher", (const char *[]){path, NULL});
	struct side *plain =
		row_side("plainly", (const char *[]){"/bin/true", NULL});
	struct side *again =
		row_side("plainly again", (const char *[]){"/bin/true", NULL});

	row_heading("What a launcher costs of a program that gains nothing");
	ROW_MEASURE(ROW_OFTEN, false, by, plain, again);
	tell_more("true, by a launcher, more than plainly", by, plain,
		  BUDGET_NONE);
	tell_more("true, plainly, more than plainly", again, plain,
		  BUDGET_NONE);
	row_tell(&(struct row){
		"that, of a process that does nothing",
		measure_difference(&by->total_us, &plain->total_us) /
			sample_median(&plain->total_us),
		"x", LAUNCHER_MOST, by->name, plain->name, &by->total_us,
		&plain->total_us, "us"});
}

void programs_rows(void)
{
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (access(list[i].argv[0], X_OK) == 0)
			one_program(&list[i]);
		else
			fprintf(stderr, "%s: not installed, skipped\n",
				list[i].argv[0]);
	own_cost();
	launcher_cost();
}
