/* SPDX-License-Identifier: MIT */
/*
 * What the example hosts (plugins/hosts) gain by a catalog that says what plugins
 * are: a LADSPA host lists all with their ports, a picture viewer opens one file.
 *
 * In the environment: BENCH_HOSTS, where they are; BENCH_PORTS, a directory of
 * LADSPA plugins that were probed; BENCH_CODECS_10 and BENCH_CODECS_1000, and
 * BENCH_PICTURE.
 */
#include "bench/row.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A host, or NULL: it is not built. */
static const char *host(const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", getenv("BENCH_HOSTS"), name) < 0)
		err(1, "memory");
	if (access(path, X_OK) == 0)
		return path;
	fprintf(stderr, "%s: not built, skipped\n", name);
	free(path);
	return NULL;
}

static void tell_instructions(const char *what, const struct side *a,
			      const struct side *b, double budget)
{
	double base = measure_instructions(b);

	if (base > 0)
		row_tell(&(struct row){.what = what,
				       .value = measure_instructions(a) / base,
				       .unit = "x",
				       .budget = budget});
}

static void listing(void)
{
	const char *file = host("ladspa-host"), *dir = getenv("BENCH_PORTS");

	if (!file)
		return;
	struct side *known = row_side("out of the catalog",
				      (const char *[]){file, dir, NULL});
	struct side *eager =
		row_side("dlopen all, ask their descriptors",
			 (const char *[]){file, "--eager", dir, NULL});

	row_heading("A LADSPA host lists all plugins with their ports");
	ROW_MEASURE(1, true, known, eager);
	row_tell(
		&(struct row){"whole process, against eagerly",
			      measure_ratio(&known->total_us, &eager->total_us),
			      "x", BUDGET_NONE, known->name, eager->name,
			      &known->total_us, &eager->total_us, "us"});
	tell_instructions("    instructions", known, eager, BUDGET_NONE);
}

static void viewing(void)
{
	const char *file = host("viewer"), *picture = getenv("BENCH_PICTURE");

	if (!file)
		return;
	struct side *few =
		row_side("with 10 codecs declared",
			 (const char *[]){file, getenv("BENCH_CODECS_10"),
					  picture, "/dev/null", NULL});
	struct side *many =
		row_side("with 1,000",
			 (const char *[]){file, getenv("BENCH_CODECS_1000"),
					  picture, "/dev/null", NULL});

	row_heading("A picture viewer opens a file by its first bytes");
	ROW_MEASURE(1, false, many, few);
	row_tell(&(struct row){"whole process, 1,000 codecs against 10",
			       measure_ratio(&many->total_us, &few->total_us),
			       "x", BUDGET_NONE, many->name, few->name,
			       &many->total_us, &few->total_us, "us"});
	tell_instructions("    instructions", many, few, 1.2);
}

void examples_rows(void)
{
	listing();
	viewing();
}
