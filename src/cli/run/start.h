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

/*
 * Runs `command`, a path or a name to find, as argv says. Returns only if it
 * cannot be run: the exit status, after a message.
 */
int run_start(const struct request *request, const char *command, char **argv);

#endif
