/* SPDX-License-Identifier: MIT */
/*
 * Options, by getopt_long(3), with messages of our own: what was typed, and
 * what may have been meant.
 */
#include "cli/cli.h"

#include "base/nearest.h"

#include <string.h>

static void refuse_long(const char *command, const char *typed,
			const struct option *longs)
{
	struct nearest nearest = {NULL, 0};

	for (; longs->name; longs++)
		nearest_offer(&nearest, typed + 2, longs->name);
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
