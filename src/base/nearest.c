/* SPDX-License-Identifier: MIT */
/*
 * Levenshtein's distance; half of the letters must be right.
 */
#include "base/nearest.h"

#include <stddef.h>
#include <string.h>

#define WORD_MAX 24

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned least_two = a < b ? a : b;

	return least_two < c ? least_two : c;
}

/* Levenshtein's distance of two words of at most WORD_MAX letters. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[WORD_MAX + 1];
	size_t n = strlen(b);

	for (unsigned i = 0; i <= n; i++)
		row[i] = i;
	for (unsigned k = 1; *a; a++, k++) {
		unsigned diagonal = row[0];
		row[0] = k;
		for (unsigned i = 1; i <= n; i++) {
			unsigned above = row[i];
			row[i] = least(above + 1, row[i - 1] + 1,
				       diagonal + (*a != b[i - 1]));
			diagonal = above;
		}
	}
	return row[n];
}

void nearest_offer(struct nearest *nearest, const char *typed, const char *word)
{
	size_t longest = strlen(typed), n = strlen(word);

	/* As many letters more, or less, are as many that are wrong. */
	if (longest > WORD_MAX || n > WORD_MAX || n * 2 > longest * 3 ||
	    n * 2 < longest)
		return;
	unsigned d = distance(typed, word);
	/* Half of the letters must be right. */
	if (d * 2 > longest || (nearest->word && d >= nearest->distance))
		return;
	*nearest = (struct nearest){word, d};
}
