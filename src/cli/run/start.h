/* SPDX-License-Identifier: MIT */
/*
 * One run of a command: what `dlazy run`, launchers and children do with a
 * request.
 */
#ifndef CLI_RUN_START_H
#define CLI_RUN_START_H

#include "cli/run/request.h"

/* env(1)'s exit statuses, for what comes before the command. */
enum run_exit {
	RUN_FAILED = 125,
	RUN_NOT_EXECUTABLE = 126,
	RUN_NOT_FOUND = 127,
};

struct program;
struct program_start;

/* What a run of it takes (link/cache/program.h). Without request->wait, what is
 * missing is made beside. 0 or a status with message. */
int run_prepare(const struct request *request, const struct program *program,
		struct program_start *ret);

/* The entry of the environment that has the dynamic linker look into this
 * directory first; NULL: out of memory. */
char *run_library_path(const char *directory);

/*
 * Runs `command`, a path or a name to find, as argv says. Returns only if it
 * cannot be run: the exit status, after a message.
 */
int run_start(const struct request *request, const char *command, char **argv);

/* Makes what running each of `commands` (NULL-ended) lazily takes, as --prepare
 * asks, and says of each what came of it. An exit status. */
int run_prepare_all(const struct request *request, char **commands);

#endif
