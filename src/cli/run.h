/* SPDX-License-Identifier: MIT */
/*
 * One run of a command: what was asked for, and what `dlazy run` and launchers
 * do with it.
 */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include "link/program.h"

#include <stdbool.h>

/* env(1)'s exit statuses, for what comes before the command. */
enum run_exit {
	RUN_FAILED = 125,
	RUN_NOT_EXECUTABLE = 126,
	RUN_NOT_FOUND = 127,
};

#define RUN_GLOBS_MAX 64

struct run_globs {
	char *list[RUN_GLOBS_MAX + 1]; /* NULL-ended */
	size_t count;
};

struct run_request {
	bool program_scope;
	struct run_globs eager, lazy;
	bool learn;
	bool stats;
	bool json;
	bool children;
	/* instead of running: */
	bool install, uninstall;
	const char *dir;
};

/* Adds one; false: there are too many. */
bool run_globs_add(struct run_globs *globs, char *glob);

/*
 * Runs `command`, a path or a name to find, as argv says. Returns only if it
 * cannot be run: the exit status, after a message.
 */
int run_start(const struct run_request *request, const char *command,
	      char **argv);

/*
 * The account of a run: one object on standard error, or a table. touched: the
 * record of this one run, or NULL if there is none.
 */
struct runs;
void run_account(const struct program_start *start, const struct runs *touched,
		 bool json);

#endif
