/* SPDX-License-Identifier: MIT */
/*
 * Comparing a measurement with an earlier one, to find the change that made a
 * program slower.
 */
#ifndef CLI_BENCH_BASELINE_H
#define CLI_BENCH_BASELINE_H

#include <stdbool.h>

struct bench;

struct baseline {
	const char
		*path; /* JSON of an earlier bench; NULL: nothing is compared */
	double fail_over;  /* percent; negative: nothing fails */
	bool instructions; /* compared, in place of times */
	double value;	   /* its lazy side's median; by baseline_read() */
};

/* 0; the status of opening, -DLAZY_EFORMAT: it is none, or lacks the value. */
int baseline_read(struct baseline *baseline);

/* By how many percent the lazy side takes more than it did. */
double baseline_change(const struct baseline *baseline, const struct bench *b);

/* Is that more than it may be? */
bool baseline_is_missed(const struct baseline *baseline, const struct bench *b);

#endif
