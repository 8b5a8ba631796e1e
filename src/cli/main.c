/* SPDX-License-Identifier: MIT */
/*
 * dlazy(1): the table of subcommands, and what is done without one.
 */
#include "cli/cli.h"

#include "base/array.h"
#include "base/nearest.h"
#include "cli/bench/host.h"
#include "cli/run/child.h"
#include "cli/run/launcher.h"
#include "hook/follow.h"

#include <signal.h>
#include <string.h>

static const struct command {
	const char *name;
	const char *arguments;
	const char *does;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"scan", "DIR...", "build or refresh their catalogs", cli_scan},
	{"list", "DIR...", "their plugins, one a line", cli_list},
	{"info", "FILE", "all that is known of one file", cli_info},
	{"check", "DIR...|FILE...", "find what a first touch would fail on",
	 cli_check},
	{"call", "FILE SYMBOL SIGNATURE [ARG...]",
	 "call a function and print its result", cli_call},
	{"stub", "LIB -o OUT", "a lazy stub to link instead of a library",
	 cli_stub},
	{"run", "CMD [ARGUMENT...]",
	 "run a program with its libraries made lazy", cli_run},
	{"trace", "CMD [ARGUMENT...]",
	 "run a program and account for its libraries", cli_trace},
	{"advise", "[PROGRAM...]", "which programs run starts sooner",
	 cli_advise},
	{"policy", "LEDGER... [-o FILE]",
	 "a policy file of what runs have touched", cli_policy},
	{"report", "FILE... -o OUT.html", "a page of measurements to look at",
	 cli_report},
	{"bench", "[DIR]", "a host of DIR, eager against lazy", cli_bench},
};

static const char introduction[] =
	"dlazy: declare a thousand plugins, pay for the ones you touch.\n"
	"\n"
	"Usage: dlazy COMMAND [OPTION]... [ARGUMENT]...   all: dlazy help\n"
	"\n"
	"Three to try:\n"
	"  dlazy info libm.so.6                   read a library\n"
	"  dlazy call libm.so.6 pow 'd(dd)' 2 10  call a function of it\n"
	"  dlazy bench                            measure what laziness "
	"saves\n"
	"\n"
	"Manual: man dlazy; for hosts in C: man 3 dlazy, <dlazy/dlazy.h>.\n";

static const struct command *find_command(const char *name)
{
	/* What bench runs, and nobody else. */
	static const struct command host = {.name = "bench-host",
					    .run = cli_bench_host};

	if (strcmp(name, host.name) == 0)
		return &host;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int unknown_command(const char *name)
{
	struct nearest nearest = {NULL, 0};

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		nearest_offer(&nearest, name, commands[i].name);
	if (nearest.word)
		return cli_usage(NULL, "%s: no such command; did you mean %s?",
				 name, nearest.word);
	return cli_usage(NULL, "%s: no such command", name);
}

static int print_help(void)
{
	puts("Usage: dlazy COMMAND [OPTION]... [ARGUMENT]...\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %-6s %-30s %s\n", commands[i].name,
		       commands[i].arguments, commands[i].does);
	puts("\n"
	     "Each takes --json, for one JSON object on standard output, and\n"
	     "--help; \"dlazy help COMMAND\" is the same. dlazy --version "
	     "tells\n"
	     "the version.\n"
	     "\n"
	     "Exit status: 0 done, 1 the subject has problems, 2 usage, 3 "
	     "dlazy\n"
	     "itself failed.");
	return CLI_DONE;
}

static int run_command(int argc, char **argv)
{
	const struct command *command = find_command(argv[0]);

	return command ? command->run(argc, argv) : unknown_command(argv[0]);
}

/* "help COMMAND" is "COMMAND --help". */
static int help(int argc, char **argv)
{
	if (argc == 1)
		return print_help();
	if (argc > 2)
		return cli_usage(NULL, "help: one command at a time");
	return run_command(2, (char *[]){argv[1], (char *)"--help", NULL});
}

static int start(int argc, char **argv)
{
	bool wants_help = false, wants_version = false;
	const struct cli_option options[] = {
		{"help", 'h', .flag = &wants_help},
		{"version", 'V', .flag = &wants_version},
		{.name = NULL},
	};

	if (argc < 2)
		return cli_help(introduction);
	if (strcmp(argv[1], "--launcher") == 0)
		return launcher_start(argc - 1, argv + 1);
	if (strcmp(argv[1], FOLLOW_OPTION) == 0)
		return child_start(argc - 1, argv + 1);
	if (argv[1][0] != '-') {
		if (strcmp(argv[1], "help") == 0)
			return help(argc - 1, argv + 1);
		return run_command(argc - 1, argv + 1);
	}
	argv[0] = NULL;
	/* The first alone: what it asks for is all that is done. */
	if (cli_options_first(2, argv, NULL, options) >= 0)
		return CLI_USAGE;
	if (wants_help)
		return print_help();
	if (!wants_version) /* "--" or "-" */
		return cli_usage(NULL, "which command?");
	puts("dlazy " PACKAGE_VERSION);
	return CLI_DONE;
}

/* What is to take our place gets signals as we got them. */
static bool is_for_another(int argc, char **argv)
{
	return argc > 1 && (strcmp(argv[1], "run") == 0 ||
			    strcmp(argv[1], "--launcher") == 0 ||
			    strcmp(argv[1], FOLLOW_OPTION) == 0);
}

int main(int argc, char **argv)
{
	/* Ignored, as who starts us may have left it, it would let children
	 * end unseen. */
	if (!is_for_another(argc, argv))
		signal(SIGCHLD, SIG_DFL);
	return cli_finish(start(argc, argv));
}
