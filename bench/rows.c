/* SPDX-License-Identifier: MIT */
/*
 * The rows of doc/performance.md's budgets, each beside its baseline.
 *
 *   rows [--json] [--rounds=N]
 *        [--cold | --discard | --dlfcn | --examples | --first | --standalone |
 *         --machine | --programs]
 *
 * bench/run prepares what they are measured on, and says where it is in the
 * environment: BENCH_PROGRAMS, BENCH_100 and BENCH_10000 (directories of so
 * many least plugins), BENCH_DIRS (real ones: "DIR,SYMBOL,NAME,..." by spaces,
 * NAME a plugin that needs little), BENCH_STANDALONE ("BYTES MOST FUNCTIONS"),
 * DLAZY_TOOL; for bench/programs.c BENCH_INPUTS; bench/examples.c has its own; for bench/machine.c BENCH_KEPT.
 * Catalogs are fresh.
 */
#include "bench/row.h"

#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a resolved PLT costs above a plain pointer (doc/performance.md): taken
 * where this CPU hides it, as twice nothing is no budget. */
#define PLT_NS 0.4

/* What a linked stub may cost above a resolved PLT. */
#define LINKED_NS 0.3
#define CLOCK_NOISE_NS 0.1

/* ------------------------------------------------------------------ */
/* Sides                                                              */

static struct side *side(const char *name, const char *file, const char *mode,
			 const char *a, const char *b, const char *c)
{
	return row_side(name, (const char *[]){file, mode, a, b, c, NULL});
}

static struct side *plain(const char *name, const char *mode, const char *a,
			  const char *b)
{
	return side(name, row_program("plain"), mode, a, b, NULL);
}

static struct side *lazy(const char *name, const char *mode, const char *a,
			 const char *b, const char *c)
{
	return side(name, row_program("lazy"), mode, a, b, c);
}

/* ------------------------------------------------------------------ */
/* Rows                                                               */

static void tell_ratio(const char *what, const struct side *a,
		       const struct side *b, double budget)
{
	row_tell(&(struct row){what, measure_ratio(&a->ready_us, &b->ready_us),
			       "x", budget, a->name, b->name, &a->ready_us,
			       &b->ready_us, "us"});
}

static void tell_more(const char *what, const struct sample *a,
		      const char *a_name, const struct sample *b,
		      const char *b_name, double budget)
{
	row_tell(&(struct row){what, measure_difference(a, b), "us", budget,
			       a_name, b_name, a, b, "us"});
}

static void declaring(void)
{
	const char *few = getenv("BENCH_100"), *many = getenv("BENCH_10000");
	struct side *none = plain("process without it", "none", NULL, NULL);
	struct side *linked =
		lazy("linked to libdlazy", "none", NULL, NULL, NULL);
	struct side *d100 = lazy("declare 100", "declare", few, NULL, NULL);
	struct side *d10000 =
		lazy("declare 10,000", "declare", many, NULL, NULL);
	struct side *list = plain("opendir and stat of 100", "list", few, NULL);
	struct side *list_many =
		plain("opendir and stat of 10,000", "list", many, NULL);

	row_heading("Declaring a directory with a fresh catalog");
	ROW_MEASURE(ROW_OFTEN, true, none, linked, d100, d10000);
	ROW_MEASURE(1, false, list, list_many);
	tell_more("linking libdlazy: whole process, more than",
		  &linked->total_us, linked->name, &none->total_us, none->name,
		  80);
	tell_more("declare 100: whole process, more than", &d100->total_us,
		  d100->name, &linked->total_us, linked->name, 100);
	tell_more("declare 10,000: whole process, more than", &d10000->total_us,
		  d10000->name, &linked->total_us, linked->name, 100);
	tell_ratio("declare 100, in the process, against", d100, list,
		   BUDGET_NONE);
	tell_ratio("declare 10,000, in the process, against", d10000, list_many,
		   BUDGET_NONE);
	double base = measure_instructions(linked);
	if (base > 0) {
		double m = measure_instructions(d100) - base;
		double n = measure_instructions(d10000) - base;

		row_tell(&(struct row){.what = "declare 100: instructions",
				       .value = m,
				       .unit = "",
				       .budget = 50000});
		row_tell(&(struct row){.what = "declare 10,000: instructions",
				       .value = n,
				       .unit = "",
				       .budget = 50000});
		row_tell(&(struct row){
			.what = "10,000 against 100: instructions",
			.value = n / m,
			.unit = "x",
			.budget = 1.05});
	}
	row_tell(&(struct row){
		.what = "9,900 plugins more: private memory",
		.value = fmax(d10000->private_kib - d100->private_kib, 0),
		.unit = "KiB",
		.budget = 0});
	row_tell(&(struct row){.what = "9,900 plugins more: mappings",
			       .value = d10000->maps - d100->maps,
			       .unit = "",
			       .budget = 0});
	row_tell(&(struct row){.what = "9,900 plugins more: descriptors",
			       .value = d10000->fds - d100->fds,
			       .unit = "",
			       .budget = 0});
}

enum way {
	WAY_PLAIN,
	WAY_PLT,
	WAY_BOUND,
	WAY_STUB,
	WAY_LINKED,
	WAY_DLSYM,
	WAY_OFFSET
};

static void calling(void)
{
	static struct sample ways[7];
	struct sample *const columns[] = {&ways[0], &ways[1], &ways[2],
					  &ways[3], &ways[4], &ways[5],
					  &ways[6]};
	static const char *const names[] = {
		"a plain pointer", "the PLT",	    "a bound pointer",
		"a run-time stub", "a linked stub", "dlsym each time",
		"base + offset"};
	char file[4096], count[32];

	snprintf(file, sizeof(file), "%s/p0.so", getenv("BENCH_100"));
	snprintf(count, sizeof(count), "%zu", row_rounds);
	measure_output(
		(const char *[]){row_program("calls"), file, count, NULL},
		columns, 7);
	if (ways[WAY_OFFSET].count == 0)
		errx(1, "calls failed");
	row_heading("A call, more than through a plain pointer");
	double plt = measure_difference(&ways[WAY_PLT], &ways[WAY_PLAIN]);
	for (size_t i = WAY_PLT; i <= WAY_OFFSET; i++) {
		char what[64];
		double budget = i == WAY_BOUND	? CLOCK_NOISE_NS
				: i == WAY_STUB ? 2 * fmax(plt, PLT_NS)
				: i == WAY_LINKED
					? fmax(plt, PLT_NS) + LINKED_NS
					: BUDGET_NONE;

		snprintf(what, sizeof(what), "through %s", names[i]);
		row_tell(&(struct row){
			what, measure_difference(&ways[i], &ways[WAY_PLAIN]),
			"ns", budget, names[i], names[WAY_PLAIN], &ways[i],
			&ways[WAY_PLAIN], "ns"});
	}
}

static void touching_tiny(void)
{
	static struct sample hand, stub;
	struct sample *const columns[] = {&hand, &stub};
	const char *dir = getenv("BENCH_100");
	char file[4096];

	snprintf(file, sizeof(file), "%s/p0.so", dir);
	struct side *first =
		lazy("the first call of a stub", "touch", dir, "p0", "f");
	struct side *by_hand = plain("dlopen, dlsym, call", "open", file, "f");

	row_heading("First touch of a least plugin");
	ROW_MEASURE(ROW_OFTEN, false, first, by_hand);
	tell_more("the first in a process, more than", &first->ready_us,
		  first->name, &by_hand->ready_us, by_hand->name, 2);
	measure_output(
		(const char *[]){row_program("lazy"), "pairs", dir, NULL},
		columns, 2);
	if (stub.count == 0)
		errx(1, "pairs failed");
	row_tell(&(struct row){"each later one, more than",
			       measure_difference(&stub, &hand) / 1e3, "us", 2,
			       "the first call of a stub",
			       "dlopen, dlsym, call", &stub, &hand, "ns"});
}

/* Columns that `lazy MODE DIR ROUNDS` prints. */
static void measure_lazy(const char *mode, struct sample *const *columns,
			 size_t count)
{
	char rounds[32];

	snprintf(rounds, sizeof(rounds), "%zu", ROW_OFTEN * row_rounds);
	measure_output((const char *[]){row_program("lazy"), mode,
					getenv("BENCH_100"), rounds, NULL},
		       columns, count);
	if (columns[count - 1]->count == 0)
		errx(1, "%s failed", mode);
}

static void discarding(void)
{
	static struct sample hand, back, called, pinned, seen;
	struct sample *const backs[] = {&hand, &back};
	struct sample *const uses[] = {&called, &pinned, &seen};

	row_heading("Plugins that come and go");
	measure_lazy("back", backs, 2);
	row_tell(&(struct row){"one that was discarded comes back, against",
			       measure_ratio(&back, &hand), "x", BUDGET_NONE,
			       "a call of its stub", "dlopen, dlsym, call",
			       &back, &hand, "ns"});
	measure_lazy("uses", uses, 3);
	row_tell(&(struct row){"a call with a pin, more than without",
			       measure_difference(&pinned, &called) / 1e3, "ns",
			       BUDGET_NONE, "dlazy_pin, call, dlazy_unpin",
			       "a call", &pinned, &called, "ps"});
	row_tell(&(struct row){
		"the one call of a plugin after a trim that is seen, more",
		measure_difference(&seen, &called) / 1e3, "ns", BUDGET_NONE,
		"that call", "a call", &seen, &called, "ps"});
}

/* A row of what a first call takes more than an empty process, where there is
 * the tool that counts it. */
static void counting_first(const char *what, const char *unit, bool is_ratio,
			   double budget, double none, double stub, double hand)
{
	if (none > 0)
		row_tell(&(struct row){.what = what,
				       .value = is_ratio ? (stub - none) /
								   (hand - none)
							 : stub - hand,
				       .unit = unit,
				       .budget = budget});
}

static void calling_first(void)
{
	const char *file = row_program("first");

	if (access(file, X_OK) < 0) {
		fprintf(stderr, "first: not built, skipped\n");
		return;
	}
	struct side *none =
		side("empty process", file, "none", NULL, NULL, NULL);
	struct side *stub = side("the first call of a linked stub", file,
				 "stub", NULL, NULL, NULL);
	struct side *hand =
		side("dlopen, dlsym, call", file, "hand", NULL, NULL, NULL);
	struct side *again =
		side("the same again", file, "hand", NULL, NULL, NULL);

	row_heading("First call of a function of libpng");
	ROW_MEASURE(ROW_OFTEN, false, stub, hand, again);
	tell_ratio("through a linked stub, against", stub, hand, 1.05);
	tell_ratio("    by hand, against", again, hand, BUDGET_NONE);
	counting_first("    instructions, against by hand", "x", true, 1.2,
		       measure_instructions(none), measure_instructions(stub),
		       measure_instructions(hand));
	counting_first("    system calls, more than by hand", "", false, 10,
		       measure_system_calls(none), measure_system_calls(stub),
		       measure_system_calls(hand));
}

/* The same without libdlazy, and what such stubs take of a program: bench/run
 * has linked all of libpng's into one, and says how many bytes more it has, and
 * how many it may have. */
static void standing_alone(void)
{
	const char *file = row_program("first-alone");
	const char *size = getenv("BENCH_STANDALONE");
	double bytes, most;
	int functions;

	if (!size || access(file, X_OK) < 0 ||
	    sscanf(size, "%lf %lf %d", &bytes, &most, &functions) != 3) {
		fprintf(stderr, "first-alone: not built, skipped\n");
		return;
	}
	struct side *stub = side("the first call of a standalone stub", file,
				 "stub", NULL, NULL, NULL);
	struct side *hand =
		side("dlopen, dlsym, call", file, "hand", NULL, NULL, NULL);
	char *what;

	if (asprintf(&what, "%d functions of libpng take", functions) < 0)
		err(1, "memory");
	row_heading("Standalone stubs");
	row_tell(&(struct row){
		.what = what, .value = bytes, .unit = "bytes", .budget = most});
	free(what);
	ROW_MEASURE(ROW_OFTEN, false, stub, hand);
	tell_ratio("first call through one, against", stub, hand, BUDGET_NONE);
}

/* "DIR,SYMBOL,NAME", taken apart in place; NULL for an empty part. */
static char *part(char **rest)
{
	char *found = strsep(rest, ",");

	return found && *found ? found : NULL;
}

static void touching_one(const char *dir, const char *symbol, const char *name)
{
	char file[4096];

	snprintf(file, sizeof(file), "%s/%s.so", dir, name);
	struct side *touch =
		lazy("the first call of a stub", "touch", dir, name, symbol);
	struct side *by_hand =
		plain("dlopen, dlsym, call", "open", file, symbol);
	struct side *none = plain("empty process", "none", NULL, NULL);
	struct side *one =
		lazy("declare all, use one", "one", dir, name, symbol);
	struct side *eager = plain("dlopen all", "eager", dir, symbol);

	ROW_MEASURE(ROW_OFTEN, false, touch, by_hand);
	ROW_MEASURE(1, true, none, one, eager);
	tell_ratio("first touch of one, against", touch, by_hand, 1.02);
	row_tell(&(struct row){
		"start-up, whole process above an empty one",
		measure_difference(&one->total_us, &none->total_us) /
			measure_difference(&eager->total_us, &none->total_us),
		"x", 1. / 30, one->name, eager->name, &one->total_us,
		&eager->total_us, "us"});
	row_tell(&(struct row){.what = "PSS above an empty process",
			       .value = (one->pss_kib - none->pss_kib) /
					(eager->pss_kib - none->pss_kib),
			       .unit = "x",
			       .budget = 0.1});
	row_tell(&(struct row){.what = "    of one / of all",
			       .value = one->pss_kib - none->pss_kib,
			       .unit = "KiB",
			       .budget = BUDGET_NONE});
}

static void other_loaders(const char *dir, const struct side *one)
{
	static const char *const names[] = {"ltdl", "gmodule"};

	for (size_t i = 0; i < 2; i++) {
		const char *file = row_program(names[i]);
		if (access(file, X_OK) < 0) {
			fprintf(stderr, "%s: not installed, skipped\n",
				names[i]);
			continue;
		}
		struct side *other =
			side(names[i], file, dir, NULL, NULL, NULL);
		struct side *lazily =
			lazy(one->name, one->argv[1], dir, NULL, NULL);
		ROW_MEASURE(1, false, lazily, other);
		tell_ratio("declare, against opening all with", lazily, other,
			   BUDGET_NONE);
	}
}

/* Asking all of a directory's plugins what they are, each time anew, in a child
 * process. With the tool, the scan and the shell. */
static void probing(const char *dir, struct side *eager)
{
	char *command;

	if (asprintf(&command,
		     "rm -f '%s' && exec '%s' scan --probe -o '%s' '%s'",
		     row_program("probed.catalog"), getenv("DLAZY_TOOL"),
		     row_program("probed.catalog"), dir) < 0)
		err(1, "memory");
	struct side *probe =
		side("scan --probe", "/bin/sh", "-c", command, NULL, NULL);
	ROW_MEASURE(1, false, probe, eager);
	row_tell(
		&(struct row){"probe every plugin, whole process, against",
			      measure_ratio(&probe->total_us, &eager->total_us),
			      "x", 2, probe->name, eager->name,
			      &probe->total_us, &eager->total_us, "us"});
}

/* The same host, built with <dlazy/dlfcn.h>. The plugins of GStreamer have a
 * budget. */
static void adopting(const char *dir)
{
	struct side *lazily =
		side("dlopen all through <dlazy/dlfcn.h>", row_program("dlfcn"),
		     "eager", dir, NULL, NULL);
	struct side *plainly = plain("dlopen all", "eager", dir, NULL);

	ROW_MEASURE(1, false, lazily, plainly);
	tell_ratio("dlopen all through <dlazy/dlfcn.h>, against", lazily,
		   plainly, strstr(dir, "gstreamer") ? 0.25 : BUDGET_NONE);
}

static void asking_for_absent(void)
{
	char file[4096];

	snprintf(file, sizeof(file), "%s/p0.so", getenv("BENCH_100"));
	struct side *lazily =
		side("through <dlazy/dlfcn.h>", row_program("dlfcn"), "absent",
		     file, NULL, NULL);
	struct side *plainly = plain("dlsym", "absent", file, NULL);

	row_heading("A symbol that is absent, 10,000 times");
	ROW_MEASURE(1, false, lazily, plainly);
	tell_ratio("through <dlazy/dlfcn.h>, against dlsym", lazily, plainly,
		   2);
}

static void directory(char *description)
{
	const char *dir = part(&description), *symbol = part(&description);
	const char *name = part(&description);
	struct side *all = lazy("declare, touch all", "all", dir, symbol, NULL);
	struct side *eager = plain("dlopen all", "eager", dir, symbol);
	struct side *declare = lazy("declare", "declare", dir, NULL, NULL);

	row_heading(dir);
	if (name)
		touching_one(dir, symbol, name);
	ROW_MEASURE(1, false, all, eager);
	tell_ratio("touch every plugin, against", all, eager, 1.02);
	adopting(dir);
	probing(dir, eager);
	other_loaders(dir, declare);
}

static void adopting_all(void)
{
	char *dirs = strdup(getenv("BENCH_DIRS")), *dir;

	asking_for_absent();
	while (dirs && (dir = strsep(&dirs, " "))) {
		const char *path = part(&dir);

		if (!path)
			continue;
		row_heading(path);
		adopting(path);
	}
}

static void tool(void)
{
	struct side *version = side("dlazy --version", getenv("DLAZY_TOOL"),
				    "--version", NULL, NULL, NULL);
	struct side *nothing =
		side("/bin/true", "/bin/true", NULL, NULL, NULL, NULL);

	row_heading("The tool");
	ROW_MEASURE(ROW_OFTEN, false, version, nothing);
	row_tell(&(struct row){
		"dlazy --version against",
		measure_ratio(&version->total_us, &nothing->total_us), "x", 1.5,
		version->name, nothing->name, &version->total_us,
		&nothing->total_us, "us"});
}

/* The example program, linked with stubs and plainly. */
static void example(void)
{
	const char *lazy = row_program("../examples/convert/dlazy-convert");
	const char *plain = row_program("../examples/convert/plain-convert");

	if (access(lazy, X_OK) < 0) {
		fprintf(stderr, "dlazy-convert: not built, skipped\n");
		return;
	}
	row_heading("Start-up of the example program (--help)");
	struct side *stubs =
		side("linked with stubs", lazy, "--help", NULL, NULL, NULL);
	struct side *libraries =
		side("linked plainly", plain, "--help", NULL, NULL, NULL);
	ROW_MEASURE(1, false, stubs, libraries);
	row_tell(&(struct row){
		"whole process, against linked plainly",
		measure_ratio(&stubs->total_us, &libraries->total_us), "x",
		BUDGET_NONE, stubs->name, libraries->name, &stubs->total_us,
		&libraries->total_us, "us"});
}

static void all_rows(void)
{
	char *dirs = strdup(getenv("BENCH_DIRS")), *dir;

	declaring();
	calling();
	touching_tiny();
	calling_first();
	standing_alone();
	discarding();
	asking_for_absent();
	while (dirs && (dir = strsep(&dirs, " ")))
		if (*dir)
			directory(dir);
	demand_rows();
	tool();
	example();
	examples_rows();
	many_rows();
	machine_rows();
	programs_rows();
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{"cold", no_argument, NULL, 'c'},
		{"discard", no_argument, NULL, 'd'},
		{"dlfcn", no_argument, NULL, 'a'},
		{"examples", no_argument, NULL, 'e'},
		{"first", no_argument, NULL, 'f'},
		{"json", no_argument, NULL, 'j'},
		{"machine", no_argument, NULL, 'm'},
		{"many", no_argument, NULL, 'n'},
		{"programs", no_argument, NULL, 'p'},
		{"rounds", required_argument, NULL, 'r'},
		{"standalone", no_argument, NULL, 's'},
		{NULL, 0, NULL, 0},
	};
	void (*which)(void) = all_rows;
	bool as_json = false;
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (option == 'j')
			as_json = true;
		else if (option == 'c')
			which = demand_rows;
		else if (option == 'd')
			which = discarding;
		else if (option == 'a')
			which = adopting_all;
		else if (option == 'e')
			which = examples_rows;
		else if (option == 'f')
			which = calling_first;
		else if (option == 'm')
			which = machine_rows;
		else if (option == 'n')
			which = many_rows;
		else if (option == 'p')
			which = programs_rows;
		else if (option == 's')
			which = standing_alone;
		else if (option == 'r')
			row_rounds = strtoul(optarg, NULL, 10);
		else
			return 2;
	}
	if (row_rounds < 1 || row_rounds > SAMPLE_MAX / ROW_OFTEN)
		errx(2, "--rounds: 1 to %d", SAMPLE_MAX / ROW_OFTEN);
	measure_pin();
	if (as_json) {
		row_begin_json();
		which();
		row_end_json();
		return 0;
	}
	printf("Medians of %zu alternated rounds of fresh processes on one CPU "
	       "(least to most);\n%d times as many rounds where they are "
	       "short.\n",
	       row_rounds, ROW_OFTEN);
	which();
	printf("\n%u budget%s not met\n", row_missed,
	       row_missed == 1 ? "" : "s");
	return 0;
}
