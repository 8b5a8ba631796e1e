/* SPDX-License-Identifier: MIT */
/*
 * A sample: the values that one quantity took in the rounds of a measurement,
 * and what can be said of them without supposing how they are distributed.
 */
#ifndef CLI_FRAME_SAMPLE_H
#define CLI_FRAME_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>

#define SAMPLE_MAX 1001

struct sample {
	size_t count;
	double values[SAMPLE_MAX];
};

void sample_add(struct sample *s, double value);

/* The sample has at least one value. */
double sample_median(const struct sample *s);
double sample_min(const struct sample *s);
double sample_max(const struct sample *s);

/* Fewer values cannot make anybody 95 % sure. */
#define SAMPLE_ENOUGH 6

/*
 * The 95 % confidence interval of the median, by order statistics. false: there
 * are not enough values; the interval is then from the least to the greatest.
 */
bool sample_interval(const struct sample *s, double *ret_low, double *ret_high);

#endif
