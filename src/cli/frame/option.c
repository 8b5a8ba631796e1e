/* SPDX-License-Identifier: MIT */
/*
 * Options, by getopt_long(3), with messages of our own: what was typed, and
 * what may have been meant.
 */
#include "cli/cli.h"

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

void cli_nearest_offer(struct cli_nearest *nearest, const char *typed,
		       const char *word)
{
	size_t longest = strlen(typed);

	if (longest > WORD_MAX || strlen(word) > WORD_MAX)
		return;
	unsigned d = distance(typed, word);
	/* Half of the letters must be right. */
	if (d * 2 > longest || (nearest->word && d >= nearest->distance))
		return;
	*nearest = (struct cli_nearest){word, d};
}

static void refuse_long(const char *command, const char *typed,
			const struct option *longs)
{
	struct cli_nearest nearest = {NULL, 0};

	for (; longs->name; longs++)
		cli_nearest_offer(&nearest, typed + 2, longs->name);
	if (nearest.word)
		cli_usage(command, "%s: no such option; did you mean --%s?",
			  typed, nearest.word);
	else
		cli_usage(command, "%s: no such option", typed);
}

static void refuse(const char *command, char **argv, int previous,
		   const struct option *longs)
{
	const char *typed = argv[optind > previous ? optind - 1 : optind];

	if (optopt == 0)
		refuse_long(command, typed, longs);
	else if (strncmp(typed, "--", 2) == 0)
		cli_usage(command, "%s: this option takes no value", typed);
	else
		cli_usage(command, "-%c: no such option", optopt);
}

int cli_option(int argc, char **argv, const char *shorts,
	       const struct option *longs)
{
	int previous = optind;

	opterr = 0;
	int option = getopt_long(argc, argv, shorts, longs, NULL);
	if (option == ':')
		cli_usage(argv[0], "%s: this option needs a value",
			  argv[optind - 1]);
	else if (option == '?')
		refuse(argv[0], argv, previous, longs);
	return option == ':' ? '?' : option;
}
