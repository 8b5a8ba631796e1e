/* SPDX-License-Identifier: MIT */
/*
 * Order statistics of a sample, computed from a sorted copy.
 */
#include "cli/frame/sample.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void sample_add(struct sample *s, double value)
{
	assert(s->count < SAMPLE_MAX);
	s->values[s->count++] = value;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void sort(const struct sample *s, double sorted[SAMPLE_MAX])
{
	memcpy(sorted, s->values, s->count * sizeof(*sorted));
	qsort(sorted, s->count, sizeof(*sorted), compare);
}

double sample_median(const struct sample *s)
{
	double sorted[SAMPLE_MAX];
	size_t middle = s->count / 2;

	sort(s, sorted);
	return s->count % 2 ? sorted[middle]
			    : (sorted[middle - 1] + sorted[middle]) / 2;
}

double sample_min(const struct sample *s)
{
	double sorted[SAMPLE_MAX];

	sort(s, sorted);
	return sorted[0];
}

double sample_max(const struct sample *s)
{
	double sorted[SAMPLE_MAX];

	sort(s, sorted);
	return sorted[s->count - 1];
}

/*
 * The median lies between the k-th least and the k-th greatest value unless
 * fewer than k of n fall on one side of it: a binomial distribution of one
 * half. The greatest k (from 1) that makes that no more likely than 2.5 %.
 */
static size_t rank(size_t n)
{
	double chance = 1, below = 0;
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		chance /= 2;
	while (k < n / 2) {
		below += chance;
		if (below > 0.025)
			break;
		chance *= (double)(n - k) / (double)(k + 1);
		k++;
	}
	return k ? k : 1;
}

bool sample_interval(const struct sample *s, double *ret_low, double *ret_high)
{
	double sorted[SAMPLE_MAX];
	size_t k = rank(s->count);

	sort(s, sorted);
	*ret_low = sorted[k - 1];
	*ret_high = sorted[s->count - k];
	return s->count >= SAMPLE_ENOUGH;
}
