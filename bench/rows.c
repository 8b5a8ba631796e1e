/* SPDX-License-Identifier: MIT */
/*
 * The rows of doc/design.md's table of budgets, each beside its baseline.
 *
 *   rows [--json] [--rounds=N]
 *
 * bench/run prepares what they are measured on, and says where it is in the
 * environment: BENCH_PROGRAMS, BENCH_100 and BENCH_10000 (directories of so
 * many least plugins), BENCH_DIRS (real ones: "DIR,SYMBOL,NAME,..." by spaces,
 * NAME a plugin that needs little), DLAZY_TOOL. Catalogs are fresh.
 */
#include "bench/measure.h"

#include "base/json.h"

#include <err.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS_DEFAULT 31
#define BUDGET_NONE NAN
#define CLOCK_NOISE_NS 0.1

/* What a resolved PLT costs above a plain pointer, by doc/design.md: taken
 * where this CPU hides it, as twice nothing is no budget. */
#define PLT_NS 0.4

static size_t rounds = ROUNDS_DEFAULT;
static struct json *json; /* or NULL: for people */
static unsigned missed;

struct row {
	const char *what;
	double value;
	const char *unit;
	double budget; /* the most that is good; BUDGET_NONE: a baseline */
	/* What was measured, and against what; either may be NULL. */
	const char *side_name, *base_name;
	const struct sample *side, *base;
	const char *sample_unit;
};

/* ------------------------------------------------------------------ */
/* Telling                                                            */

static void json_sample(const char *key, const char *name,
			const struct sample *s)
{
	json_key(json, key);
	json_begin_object(json);
	json_key(json, "name");
	json_string(json, name);
	json_key(json, "median");
	json_double(json, sample_median(s));
	json_key(json, "min");
	json_double(json, sample_min(s));
	json_key(json, "max");
	json_double(json, sample_max(s));
	json_end_object(json);
}

static void tell_json(const struct row *row, bool met)
{
	json_begin_object(json);
	json_key(json, "what");
	json_string(json, row->what);
	json_key(json, "value");
	json_double(json, row->value);
	json_key(json, "unit");
	json_string(json, row->unit);
	json_key(json, "budget");
	json_double(json, row->budget);
	json_key(json, "met");
	if (isnan(row->budget))
		json_null(json);
	else
		json_bool(json, met);
	if (row->side)
		json_sample("side", row->side_name, row->side);
	if (row->base)
		json_sample("baseline", row->base_name, row->base);
	if (row->sample_unit) {
		json_key(json, "sample_unit");
		json_string(json, row->sample_unit);
	}
	json_end_object(json);
}

static void tell_sample(const char *name, const struct sample *s,
			const char *unit)
{
	if (s)
		printf("    %-36s %.5g (%.5g to %.5g) %s\n", name,
		       sample_median(s), sample_min(s), sample_max(s), unit);
}

static void tell_text(const struct row *row, bool met)
{
	char budget[32] = "";

	if (!isnan(row->budget))
		snprintf(budget, sizeof(budget), "<= %.5g", row->budget);
	printf("%-46s %9.4g %-8s %-9s %s\n", row->what, row->value, row->unit,
	       budget,
	       isnan(row->budget) ? ""
	       : met		  ? "met"
				  : "NOT MET");
	tell_sample(row->side_name, row->side, row->sample_unit);
	tell_sample(row->base_name, row->base, row->sample_unit);
	fflush(stdout);
}

static void tell(const struct row *row)
{
	bool met = row->value <= row->budget;

	missed += !isnan(row->budget) && !met;
	if (json)
		tell_json(row, met);
	else
		tell_text(row, met);
}

static void heading(const char *text)
{
	if (!json)
		printf("\n%s\n", text);
}

/* ------------------------------------------------------------------ */
/* Sides                                                              */

static const char *program(const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", getenv("BENCH_PROGRAMS"), name) < 0)
		err(1, "memory");
	return path;
}

/* Lives as long as this program, as its samples are big. */
static struct side *side(const char *name, const char *file, const char *mode,
			 const char *a, const char *b, const char *c)
{
	struct side *s = calloc(1, sizeof(*s));

	if (!s)
		err(1, "memory");
	*s = (struct side){.name = name, .argv = {file, mode, a, b, c, NULL}};
	return s;
}

static struct side *plain(const char *name, const char *mode, const char *a,
			  const char *b)
{
	return side(name, program("plain"), mode, a, b, NULL);
}

static struct side *lazy(const char *name, const char *mode, const char *a,
			 const char *b, const char *c)
{
	return side(name, program("lazy"), mode, a, b, c);
}

#define MEASURE(times, memory, ...)                                        \
	do {                                                               \
		struct side *const sides_[] = {__VA_ARGS__};               \
		size_t count_ = sizeof(sides_) / sizeof(sides_[0]);        \
		measure_rounds(sides_, count_, (times)*rounds);            \
		if (memory)                                                \
			measure_memory(sides_, count_);                    \
		for (size_t i_ = 0; i_ < count_; i_++)                     \
			if (sides_[i_]->failed)                            \
				errx(1, "%s failed", sides_[i_]->argv[0]); \
	} while (0)

/* So many times the rounds where a process is over in a millisecond and what
 * is looked for is a few microseconds of it. */
#define OFTEN 8

/* ------------------------------------------------------------------ */
/* Rows                                                               */

static void tell_ratio(const char *what, const struct side *a,
		       const struct side *b, double budget)
{
	tell(&(struct row){what, measure_ratio(&a->ready_us, &b->ready_us), "x",
			   budget, a->name, b->name, &a->ready_us, &b->ready_us,
			   "us"});
}

static void tell_more(const char *what, const struct sample *a,
		      const char *a_name, const struct sample *b,
		      const char *b_name, double budget)
{
	tell(&(struct row){what, measure_difference(a, b), "us", budget, a_name,
			   b_name, a, b, "us"});
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

	heading("Declaring a directory with a fresh catalog");
	MEASURE(OFTEN, true, none, linked, d100, d10000);
	MEASURE(1, false, list, list_many);
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

		tell(&(struct row){.what = "declare 100: instructions",
				   .value = m,
				   .unit = "",
				   .budget = 50000});
		tell(&(struct row){.what = "declare 10,000: instructions",
				   .value = n,
				   .unit = "",
				   .budget = 50000});
		tell(&(struct row){.what = "10,000 against 100: instructions",
				   .value = n / m,
				   .unit = "x",
				   .budget = 1.05});
	}
	tell(&(struct row){
		.what = "9,900 plugins more: private memory",
		.value = fmax(d10000->private_kib - d100->private_kib, 0),
		.unit = "KiB",
		.budget = 0});
	tell(&(struct row){.what = "9,900 plugins more: mappings",
			   .value = d10000->maps - d100->maps,
			   .unit = "",
			   .budget = 0});
	tell(&(struct row){.what = "9,900 plugins more: descriptors",
			   .value = d10000->fds - d100->fds,
			   .unit = "",
			   .budget = 0});
}

enum way { WAY_PLAIN, WAY_PLT, WAY_BOUND, WAY_STUB, WAY_DLSYM, WAY_OFFSET };

static void calling(void)
{
	static struct sample ways[6];
	struct sample *const columns[] = {&ways[0], &ways[1], &ways[2],
					  &ways[3], &ways[4], &ways[5]};
	static const char *const names[] = {
		"a plain pointer", "the PLT",	      "a bound pointer",
		"a run-time stub", "dlsym each time", "base + offset"};
	char file[4096], count[32];

	snprintf(file, sizeof(file), "%s/p0.so", getenv("BENCH_100"));
	snprintf(count, sizeof(count), "%zu", rounds);
	measure_output((const char *[]){program("calls"), file, count, NULL},
		       columns, 6);
	if (ways[WAY_OFFSET].count == 0)
		errx(1, "calls failed");
	heading("A call, more than through a plain pointer");
	double plt = measure_difference(&ways[WAY_PLT], &ways[WAY_PLAIN]);
	for (size_t i = WAY_PLT; i <= WAY_OFFSET; i++) {
		char what[64];
		double budget = i == WAY_BOUND	? CLOCK_NOISE_NS
				: i == WAY_STUB ? 2 * fmax(plt, PLT_NS)
						: BUDGET_NONE;

		snprintf(what, sizeof(what), "through %s", names[i]);
		tell(&(struct row){
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

	heading("First touch of a least plugin");
	MEASURE(OFTEN, false, first, by_hand);
	tell_more("the first in a process, more than", &first->ready_us,
		  first->name, &by_hand->ready_us, by_hand->name, 2);
	measure_output((const char *[]){program("lazy"), "pairs", dir, NULL},
		       columns, 2);
	if (stub.count == 0)
		errx(1, "pairs failed");
	tell(&(struct row){"each later one, more than",
			   measure_difference(&stub, &hand) / 1e3, "us", 2,
			   "the first call of a stub", "dlopen, dlsym, call",
			   &stub, &hand, "ns"});
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

	MEASURE(OFTEN, false, touch, by_hand);
	MEASURE(1, true, none, one, eager);
	tell_ratio("first touch of one, against", touch, by_hand, 1.02);
	tell(&(struct row){
		"start-up, whole process above an empty one",
		measure_difference(&one->total_us, &none->total_us) /
			measure_difference(&eager->total_us, &none->total_us),
		"x", 1. / 30, one->name, eager->name, &one->total_us,
		&eager->total_us, "us"});
	tell(&(struct row){.what = "PSS above an empty process",
			   .value = (one->pss_kib - none->pss_kib) /
				    (eager->pss_kib - none->pss_kib),
			   .unit = "x",
			   .budget = 0.1});
	tell(&(struct row){.what = "    of one / of all",
			   .value = one->pss_kib - none->pss_kib,
			   .unit = "KiB",
			   .budget = BUDGET_NONE});
}

static void other_loaders(const char *dir, const struct side *one)
{
	static const char *const names[] = {"ltdl", "gmodule"};

	for (size_t i = 0; i < 2; i++) {
		const char *file = program(names[i]);
		if (access(file, X_OK) < 0) {
			if (!json)
				printf("%s: not installed, skipped\n",
				       names[i]);
			continue;
		}
		struct side *other =
			side(names[i], file, dir, NULL, NULL, NULL);
		struct side *lazily =
			lazy(one->name, one->argv[1], dir, NULL, NULL);
		MEASURE(1, false, lazily, other);
		tell_ratio("declare, against opening all with", lazily, other,
			   BUDGET_NONE);
	}
}

static void directory(char *description)
{
	const char *dir = part(&description), *symbol = part(&description);
	const char *name = part(&description);
	struct side *all = lazy("declare, touch all", "all", dir, symbol, NULL);
	struct side *eager = plain("dlopen all", "eager", dir, symbol);
	struct side *declare = lazy("declare", "declare", dir, NULL, NULL);

	heading(dir);
	if (name)
		touching_one(dir, symbol, name);
	MEASURE(1, false, all, eager);
	tell_ratio("touch every plugin, against", all, eager, 1.02);
	other_loaders(dir, declare);
}

static void tool(void)
{
	struct side *version = side("dlazy --version", getenv("DLAZY_TOOL"),
				    "--version", NULL, NULL, NULL);
	struct side *nothing =
		side("/bin/true", "/bin/true", NULL, NULL, NULL, NULL);

	heading("The tool");
	MEASURE(OFTEN, false, version, nothing);
	tell(&(struct row){
		"dlazy --version against",
		measure_ratio(&version->total_us, &nothing->total_us), "x", 1.5,
		version->name, nothing->name, &version->total_us,
		&nothing->total_us, "us"});
}

static void all_rows(void)
{
	char *dirs = strdup(getenv("BENCH_DIRS")), *dir;

	declaring();
	calling();
	touching_tiny();
	while (dirs && (dir = strsep(&dirs, " ")))
		if (*dir)
			directory(dir);
	tool();
}

static void all_rows_json(void)
{
	struct json j = json_to(stdout);

	json = &j;
	json_begin_object(&j);
	json_key(&j, "rounds");
	json_unsigned(&j, rounds);
	json_key(&j, "rows");
	json_begin_array(&j);
	all_rows();
	json_end_array(&j);
	json_key(&j, "missed");
	json_unsigned(&j, missed);
	json_end_object(&j);
	json_finish(&j);
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{"json", no_argument, NULL, 'j'},
		{"rounds", required_argument, NULL, 'r'},
		{NULL, 0, NULL, 0},
	};
	bool as_json = false;
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (option == 'j')
			as_json = true;
		else if (option == 'r')
			rounds = strtoul(optarg, NULL, 10);
		else
			return 2;
	}
	if (rounds < 1 || rounds > SAMPLE_MAX / OFTEN)
		errx(2, "--rounds: 1 to %d", SAMPLE_MAX / OFTEN);
	measure_pin();
	if (as_json) {
		all_rows_json();
		return 0;
	}
	printf("Medians of %zu alternated rounds of fresh processes on one CPU "
	       "(least to most);\n%d times as many rounds where they are "
	       "short.\n",
	       rounds, OFTEN);
	all_rows();
	printf("\n%u budget%s not met\n", missed, missed == 1 ? "" : "s");
	return 0;
}
