/* SPDX-License-Identifier: MIT */
/*
 * A row: one figure of the bench, with what it was measured on, its baseline and
 * its budget; for people or, within row_begin_json() and row_end_json(), as JSON.
 */
#ifndef BENCH_ROW_H
#define BENCH_ROW_H

#include "bench/measure.h"

#include <math.h>

#define BUDGET_NONE NAN

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

void row_tell(const struct row *row);
void row_heading(const char *text);
void row_begin_json(void);
void row_end_json(void);

extern size_t row_rounds;   /* of each measurement */
extern unsigned row_missed; /* budgets, so far */

/* The path of a program of the bench, in BENCH_PROGRAMS. As a side keeps it, it is
 * not freed. */
char *row_program(const char *name);

/* NULL-ended arguments, the program first; they are not copied. Lives as long as
 * this program, as its samples are big. */
struct side *row_side(const char *name, const char *const *argv);

/* Rounds of all; ends this program if one of them fails. */
void row_measure(struct side *const *sides, size_t count, size_t rounds);

#define ROW_MEASURE(times, memory, ...)                             \
	do {                                                        \
		struct side *const sides_[] = {__VA_ARGS__};        \
		size_t count_ = sizeof(sides_) / sizeof(sides_[0]); \
		row_measure(sides_, count_, (times)*row_rounds);    \
		if (memory)                                         \
			measure_memory(sides_, count_);             \
	} while (0)

/* So many times the rounds where a process is over in a millisecond and what
 * is looked for is a few microseconds of it. */
#define ROW_OFTEN 8

/* Rows of programs as they are, plainly and under `dlazy run`. */
void programs_rows(void);

/* Of a directory of 100,000 plugins. */
void many_rows(void);

/* What a host notices of loads that go on meanwhile. */
void demand_rows(void);

/* Of the example hosts, which know their plugins without loading them. */
void examples_rows(void);

/* Of what is known of the whole machine. */
void machine_rows(void);

#endif
