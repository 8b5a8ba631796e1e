/* SPDX-License-Identifier: MIT */
/*
 * Telling rows, and the sides that they compare.
 */
#include "bench/row.h"

#include "base/json.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>

size_t row_rounds = 31;
unsigned row_missed;

static struct json out;
static struct json *json; /* or NULL: for people */

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

void row_tell(const struct row *row)
{
	bool met = row->value <= row->budget;

	row_missed += !isnan(row->budget) && !met;
	if (json)
		tell_json(row, met);
	else
		tell_text(row, met);
}

void row_heading(const char *text)
{
	if (!json)
		printf("\n%s\n", text);
}

void row_begin_json(void)
{
	out = json_to(stdout);
	json = &out;
	json_begin_object(json);
	json_key(json, "rounds");
	json_unsigned(json, row_rounds);
	json_key(json, "rows");
	json_begin_array(json);
}

void row_end_json(void)
{
	json_end_array(json);
	json_key(json, "missed");
	json_unsigned(json, row_missed);
	json_end_object(json);
	json_finish(json);
}

char *row_program(const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", getenv("BENCH_PROGRAMS"), name) < 0)
		err(1, "memory");
	return path;
}

struct side *row_side(const char *name, const char *const *argv)
{
	struct side *s = calloc(1, sizeof(*s));

	if (!s)
		err(1, "memory");
	s->name = name;
	for (size_t i = 0; argv[i]; i++) {
		if (i + 1 == ARGUMENTS_MAX)
			errx(1, "%s: too many arguments", argv[0]);
		s->argv[i] = argv[i];
	}
	return s;
}

void row_measure(struct side *const *sides, size_t count, size_t rounds)
{
	measure_rounds(sides, count, rounds);
	for (size_t i = 0; i < count; i++)
		if (sides[i]->failed)
			errx(1, "%s failed", sides[i]->name);
}
