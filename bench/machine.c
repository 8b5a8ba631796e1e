/* SPDX-License-Identifier: MIT */
/*
 * The whole machine, as `dlazy run` knows it: what the first look costs, and a
 * later one when nothing has changed.
 *
 * In the environment: BENCH_PROGRAMS, and BENCH_KEPT, the file to keep it in.
 */
#include "bench/row.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_MS 5000
#define AGAIN_MS 50
#define ROUNDS_MAX 11 /* as the first look takes long */

static const char *indexer(void)
{
	static char *path;

	if (!path)
		path = row_program("indexer");
	return path;
}

static void tell_facts(const char *kept)
{
	static struct sample facts[6];
	static const char *const names[] = {"ELF files", "directories",
					    "files read", "libraries",
					    "libraries of which data is taken"};
	struct sample *const columns[] = {&facts[0], &facts[1], &facts[2],
					  &facts[3], &facts[4], &facts[5]};

	measure_output((const char *[]){indexer(), "facts", kept, NULL},
		       columns, 6);
	if (facts[5].count == 0)
		errx(1, "indexer failed");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		row_tell(&(struct row){.what = names[i],
				       .value = sample_median(&facts[i]),
				       .unit = "",
				       .budget = BUDGET_NONE});
	row_tell(&(struct row){.what = "kept",
			       .value = sample_median(&facts[5]) / 1024,
			       .unit = "KiB",
			       .budget = BUDGET_NONE});
}

static void tell_time(const struct side *side, double budget_ms)
{
	row_tell(&(struct row){side->name, sample_median(&side->ready_us) / 1e3,
			       "ms", budget_ms, side->name, NULL,
			       &side->ready_us, NULL, "us"});
}

void machine_rows(void)
{
	const char *kept = getenv("BENCH_KEPT");
	struct side *first =
		row_side("the first look",
			 (const char *[]){indexer(), "first", kept, NULL});
	struct side *again =
		row_side("a look when nothing has changed",
			 (const char *[]){indexer(), "again", kept, NULL});
	size_t rounds = row_rounds < ROUNDS_MAX ? row_rounds : ROUNDS_MAX;

	row_heading("The whole machine");
	tell_facts(kept);
	row_measure(&first, 1, rounds);
	row_measure(&again, 1, rounds);
	tell_time(first, FIRST_MS);
	tell_time(again, AGAIN_MS);
}
