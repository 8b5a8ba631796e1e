/* SPDX-License-Identifier: MIT */
/*
 * Options, by getopt_long(3) from the table of a command, with messages of our own:
 * what was typed, and what may have been meant.
 */
#include "cli/cli.h"

#include "base/nearest.h"

#include <assert.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

/* Of one command. */
#define OPTIONS_MAX 24

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

/* getopt_long(3) that says itself what is wrong: '?' then. */
static int next_option(int argc, char **argv, const char *shorts,
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

static int argument_of(const struct cli_option *o)
{
	if (o->flag && o->text)
		return optional_argument;
	return o->flag ? no_argument : required_argument;
}

/* What getopt_long(3) wants to know. It returns an option's letter, or, of the
 * long ones, FIRST_LONG and the index. */
#define FIRST_LONG 256
struct getopt_tables {
	struct option longs[OPTIONS_MAX + 2];
	char shorts[2 * OPTIONS_MAX + sizeof("+:h")];
};

static char *add_letter(const struct cli_option *o, char *shorts)
{
	*shorts++ = o->letter;
	if (argument_of(o) == required_argument)
		*shorts++ = ':';
	return shorts;
}

static void make_tables(const struct cli_option *options, bool has_help,
			const char *before, struct getopt_tables *ret)
{
	char *shorts = stpcpy(ret->shorts, before);
	struct option *longs = ret->longs;

	for (size_t i = 0; options[i].name; i++) {
		const struct cli_option *o = &options[i];

		assert(i < OPTIONS_MAX);
		if (o->letter)
			shorts = add_letter(o, shorts);
		if (*o->name)
			*longs++ = (struct option){o->name, argument_of(o),
						   NULL, FIRST_LONG + (int)i};
	}
	strcpy(shorts, has_help ? "h" : "");
	if (has_help)
		*longs++ = (struct option){"help", no_argument, NULL, 'h'};
	*longs = (struct option){NULL, 0, NULL, 0};
}

static const struct cli_option *find_option(const struct cli_option *options,
					    int returned)
{
	if (returned >= FIRST_LONG)
		return &options[returned - FIRST_LONG];
	while (options->letter != returned)
		options++;
	return options;
}

static int take_number(const char *command, const struct cli_option *o)
{
	if (cli_number(optarg, o->least, o->most, o->number))
		return -1;
	return cli_usage(command, "%s: --%s=%s: %s%s%s%zu to %zu", command,
			 o->name, optarg, o->unit ? "a number of " : "",
			 o->unit ? o->unit : "", o->unit ? ", " : "", o->least,
			 o->most);
}

static int obey(const char *command, const struct cli_option *o)
{
	if (o->flag)
		*o->flag = true;
	if (o->text)
		*o->text = optarg;
	if (o->number)
		return take_number(command, o);
	return o->take ? o->take(optarg, o->data) : -1;
}

static int obey_options(int argc, char **argv, const char *help,
			const struct cli_option *options, const char *before)
{
	struct getopt_tables tables;
	int option, status = -1;

	make_tables(options, help, before, &tables);
	while (status < 0 && (option = next_option(argc, argv, tables.shorts,
						   tables.longs)) != -1) {
		if (option == '?')
			return CLI_USAGE;
		if (option == 'h' && help)
			return cli_help(help);
		status = obey(argv[0], find_option(options, option));
	}
	return status;
}

int cli_options(int argc, char **argv, const char *help,
		const struct cli_option *options)
{
	return obey_options(argc, argv, help, options, ":");
}

int cli_options_first(int argc, char **argv, const char *help,
		      const struct cli_option *options)
{
	return obey_options(argc, argv, help, options, "+:");
}

bool cli_number(const char *text, size_t least, size_t most, size_t *ret)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || value < least || value > most)
		return false;
	*ret = value;
	return true;
}
