/* SPDX-License-Identifier: MIT */
/*
 * dlazy run: its options. Running (start.h) and launchers (launcher.h) know
 * nothing of them.
 */
#include "cli/cli.h"
#include "cli/run/launcher.h"
#include "cli/run/list.h"
#include "cli/run/start.h"
#include "link/cache/program.h"

#include <string.h>

static const char help[] =
	"Usage: dlazy run [OPTION]... [--] CMD [ARGUMENT]...\n"
	"       dlazy run --prepare [--system] CMD...\n"
	"       dlazy run --install|--uninstall CMD [--dir=DIR]\n"
	"       dlazy run --list [--dir=DIR] [--json]\n"
	"\n"
	"Runs a program as it is, but with its libraries loaded when they are\n"
	"first called. What it does, prints and returns is the same.\n"
	"\n"
	"      --wait            prepare first, then run lazily. Without it "
	"the\n"
	"                        first run is plain, and a process in the\n"
	"                        background prepares the next\n"
	"      --eager=GLOB      libraries to leave as they are; repeatable\n"
	"      --lazy=GLOB       libraries to make lazy even if every run "
	"used\n"
	"                        them, or if another program's plugin may\n"
	"                        need their data; repeatable\n"
	"      --children        run what CMD starts lazily, too\n"
	"      --learn           from now on, load what the last run needed\n"
	"                        at the start\n"
	"      --stats           tell afterwards, on standard error, what was\n"
	"                        lazy, what was needed, and why\n"
	"      --json            with --stats, --list: as one JSON object\n"
	"      --prepare         make what running each CMD takes; run "
	"nothing\n"
	"      --system          with --prepare: in " PROGRAM_SYSTEM_CACHE
	", for\n"
	"                        every user\n"
	"      --install         write a launcher that does this each time\n"
	"      --uninstall       remove it\n"
	"      --list            the launchers, and what each gains\n"
	"      --dir=DIR         where launchers lie (default ~/.local/bin)\n"
	"  -h, --help            this text\n"
	"\n"
	"Exit status: CMD's own; else 127 not found, 126 not executable,\n"
	"125 dlazy failed, 2 usage.\n";

static int add_glob(const char *option, char *glob, struct request_globs *globs)
{
	if (request_add_glob(globs, glob))
		return -1;
	return cli_usage("run", "run: --%s: at most %d of them", option,
			 REQUEST_GLOBS_MAX);
}

static int add_eager(char *glob, void *data)
{
	return add_glob("eager", glob, data);
}

static int add_lazy(char *glob, void *data)
{
	return add_glob("lazy", glob, data);
}

static int parse_options(int argc, char **argv, struct request *request)
{
	const struct cli_option options[] = {
		{"wait", .flag = &request->wait},
		{"eager", .take = add_eager, .data = &request->eager},
		{"lazy", .take = add_lazy, .data = &request->lazy},
		{"children", .flag = &request->children},
		{"learn", .flag = &request->learn},
		{"stats", .flag = &request->stats},
		{"prepare", .flag = &request->prepare},
		{"system", .flag = &request->system},
		{"install", .flag = &request->install},
		{"uninstall", .flag = &request->uninstall},
		{"list", .flag = &request->list},
		{"dir", .text = &request->dir},
		{"json", .flag = &request->json},
		{.name = NULL},
	};

	return cli_options_first(argc, argv, help, options);
}

/* Behind CMD, where its own options would be when it is run. */
static int parse_behind(int argc, char **argv, struct request *request)
{
	char *command = argv[optind++];
	int status = parse_options(argc, argv, request);

	if (status >= 0)
		return status;
	if (optind < argc)
		return cli_usage("run", "run: %s: one CMD at a time",
				 argv[optind]);
	return request->install ? launcher_install(request, command)
				: launcher_uninstall(request, command);
}

int cli_run(int argc, char **argv)
{
	static struct request request;
	int status = parse_options(argc, argv, &request);

	if (status >= 0)
		return status;
	if (request.list)
		return optind == argc
			       ? launchers_list(&request)
			       : cli_usage("run", "run: --list takes no CMD");
	if (optind == argc)
		return cli_usage("run", "run: which CMD?");
	if (request.install && request.uninstall)
		return cli_usage("run", "run: --install or --uninstall?");
	if (request.prepare && (request.install || request.uninstall ||
				request.stats || request.children))
		return cli_usage("run", "run: --prepare goes with --eager, "
					"--lazy, --learn and --wait alone");
	if (request.system && !request.prepare)
		return cli_usage("run", "run: --system goes with --prepare");
	if (request.install || request.uninstall)
		return parse_behind(argc, argv, &request);
	if (request.dir)
		return cli_usage("run",
				 "run: --dir is for --install and --list");
	/* Alone it would leave the command no place for its own. */
	if (request.json && !request.stats)
		return cli_usage("run", "run: --json goes with --stats");
	if (request.prepare)
		return run_prepare_all(&request, argv + optind);
	return run_start(&request, argv[optind], argv + optind);
}
