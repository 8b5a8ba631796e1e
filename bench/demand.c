/* SPDX-License-Identifier: MIT */
/*
 * What a host notices of loads that go on meanwhile, by bench/meanwhile.c.
 *
 * In the environment: BENCH_PROGRAMS, and BENCH_DIRS as bench/rows.c has it.
 */
#include "bench/row.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLUGINS "50"
#define STANDIN_US 50
#define ROUNDS_MAX 5 /* as a round takes a second and more */

static struct side *meanwhile(const char *mode, const char *what, const char *n)
{
	return row_side(mode, (const char *[]){row_program("meanwhile"), mode,
					       what, n, NULL});
}

/* Two samples of what it prints. */
static void take(const struct side *side, struct sample *a, struct sample *b)
{
	struct sample *const columns[] = {a, b};
	size_t rounds = row_rounds < ROUNDS_MAX ? row_rounds : ROUNDS_MAX;

	for (size_t i = 0; i < rounds; i++)
		measure_output(side->argv, columns, 2);
	if (b->count == 0)
		errx(1, "meanwhile %s failed", side->name);
}

static void standing_in(void)
{
	static struct sample stub, plain;

	take(meanwhile("standin", row_program("slow.so"), NULL), &stub, &plain);
	row_tell(&(struct row){"the longest call while a fallback stands in",
			       sample_median(&stub), "us", STANDIN_US,
			       "a stub, while a constructor sleeps",
			       "a plain pointer", &stub, &plain, "us"});
}

static void stalling(const char *dir)
{
	static struct sample stall, whole;

	take(meanwhile("stall", dir, PLUGINS), &stall, &whole);
	row_tell(&(struct row){
		"the host's longest stall while " PLUGINS " modules load",
		sample_median(&stall) / 1e3, "ms", BUDGET_NONE,
		"the host's thread", "the loads", &stall, &whole, "us"});
}

static void warming(const char *dir)
{
	static struct sample cold, warm;

	take(meanwhile("cold", dir, PLUGINS), &cold, &warm);
	row_tell(&(struct row){"loads of " PLUGINS
			       " that DLAZY_WARM has read, against cold ones",
			       measure_ratio(&warm, &cold), "x", 0.5,
			       "when a job has read them",
			       "from a cold page cache", &warm, &cold, "us"});
}

void demand_rows(void)
{
	char *dir = strdup(getenv("BENCH_DIRS"));

	if (!dir)
		err(1, "memory");
	row_heading("While modules load");
	standing_in();
	dir[strcspn(dir, ",")] = '\0';
	if (dir[strspn(dir, " ")]) {
		stalling(dir + strspn(dir, " "));
		warming(dir + strspn(dir, " "));
	}
	free(dir);
}
