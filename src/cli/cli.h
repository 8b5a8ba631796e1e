/* SPDX-License-Identifier: MIT */
/*
 * What the subcommands of dlazy(1) share: exit statuses, messages, options.
 *
 * A subcommand is one function, cli_NAME(), in a folder. It parses its options with
 * cli_options(), writes its answer to standard output, as one JSON object if
 * --json was given, and everything else to standard error; it returns an exit
 * status. Nothing here reads the locale or runs before main: `dlazy --version`
 * costs what /bin/true costs.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h> /* optind */

enum cli_exit {
	CLI_DONE = 0,	  /* done */
	CLI_PROBLEMS = 1, /* what was asked about has problems */
	CLI_USAGE = 2,	  /* what was asked makes no sense */
	CLI_FAILED = 3,	  /* dlazy itself failed */
};

/* Subcommands; argv[0] is the name. */
int cli_advise(int argc, char **argv);
int cli_bench(int argc, char **argv);
int cli_call(int argc, char **argv);
int cli_check(int argc, char **argv);
int cli_info(int argc, char **argv);
int cli_list(int argc, char **argv);
int cli_policy(int argc, char **argv);
int cli_report(int argc, char **argv);
int cli_run(int argc, char **argv);
int cli_scan(int argc, char **argv);
int cli_stub(int argc, char **argv);
int cli_trace(int argc, char **argv);

/* ------------------------------------------------------------------ */
/* Messages (message.c)                                               */

/* "dlazy: ..." and a newline on standard error, as cli_put() writes it. */
void cli_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says what is wrong with the arguments and where help is; CLI_USAGE. */
int cli_usage(const char *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Prints a help text; CLI_DONE. */
int cli_help(const char *text);

/*
 * Says this thread's message (base/status.h), with --json also as an object
 * {"error", "status"} on standard output. Returns the exit status: whose
 * problem is it?
 */
int cli_fail(int status, bool json);

/* Escape sequences, or "" where colours are not wanted: on a terminal they are,
 * but for NO_COLOR. */
const char *cli_bold(FILE *out);
const char *cli_plain(FILE *out);

/* Writes text of others, with '?' for what a terminal would obey or not show
 * (base/utf8.h). */
void cli_put(const char *text, FILE *out);

/* The same as a sentence, in lines that fit a terminal, behind so many columns. */
void cli_put_sentence(const char *text, size_t column, FILE *out);

/* Begins an answer: one object, with what each has, "format" (1) and "dlazy",
 * the version. (Of the three that doc/trace-format.md tells of, "format" says
 * which of them it is.) */
void cli_json_begin(struct json *j);
/* Its second key alone. */
void cli_json_version(struct json *j);

/* Ends standard output: `status`, or CLI_FAILED if it could not be written. */
int cli_finish(int status);

/* ------------------------------------------------------------------ */
/* Options (option.c)                                                 */

/*
 * An option, and what it sets: `flag` becomes true, `text` is the value. With both,
 * the value may be left out. `number` is the value as a number from `least` to
 * `most`; any other value is refused. `take` is given the value, and returns -1, or
 * an exit status after a message, which ends the command.
 */
struct cli_option {
	const char *name; /* as behind "--"; "": it has a letter alone */
	char letter;	  /* as behind "-"; 0: none */
	bool *flag;
	const char **text;
	size_t *number;
	size_t least, most;
	const char *unit; /* of the number, as "seconds"; NULL: none */
	int (*take)(char *value, void *data);
	void *data;
};

/*
 * Obeys the options from optind on, as getopt_long(3) does, and --help, which
 * prints `help` (NULL: it is in the table, if anywhere). `options` ends with one
 * without a name. Returns -1, with optind at the operands; or an exit status: help
 * was printed, or it was said what is wrong, and what may have been meant.
 */
int cli_options(int argc, char **argv, const char *help,
		const struct cli_option *options);

/* The same, of options before the first operand alone. */
int cli_options_first(int argc, char **argv, const char *help,
		      const struct cli_option *options);

/* Whether text is a number from least to most, in decimal digits. */
bool cli_number(const char *text, size_t least, size_t most, size_t *ret);

#endif
