/* SPDX-License-Identifier: MIT */
/*
 * Programs, measured side by side: in each round every one runs once, in a
 * fresh process, the order changing from round to round; all on one CPU.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include "cli/frame/sample.h"

#define ARGUMENTS_MAX 32
#define SIDES_MAX 8

struct side {
	const char *name;		 /* for the table */
	const char *argv[ARGUMENTS_MAX]; /* the program first, NULL last */
	const char *variable, *value;	 /* of its environment; or NULL */
	struct sample total_us;		 /* from spawning to its end */
	struct sample ready_us;		 /* as it reports itself */
	double pss_kib, private_kib;	 /* medians of some runs more */
	double maps, fds;
	bool failed;
};

/* Where programs run from now on. */
void measure_pin(void);

/* Runs all sides in rounds; each side's samples are filled. */
void measure_rounds(struct side *const *sides, size_t count, size_t rounds);

/* Some runs more of each, for what they have in memory when ready. */
void measure_memory(struct side *const *sides, size_t count);

/* What a program prints, `columns` numbers a line, into as many samples. */
void measure_output(const char *const *argv, struct sample *const *columns,
		    size_t count);

/* Instructions that a program executes, by callgrind; 0: there is none. */
double measure_instructions(const struct side *side);

/* System calls that it makes, by strace; 0: there is none. */
double measure_system_calls(const struct side *side);

/* The median of a[i] / b[i], of a[i] - b[i]. */
double measure_ratio(const struct sample *a, const struct sample *b);
double measure_difference(const struct sample *a, const struct sample *b);

#endif
