/* SPDX-License-Identifier: MIT */
/*
 * A child of a run with --children: it is run with the request of that run,
 * which children.c wrote into a variable.
 */
#include "cli/run/child.h"

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/run/start.h"
#include "hook/follow.h"

#include <stdlib.h>
#include <string.h>

/* The lines behind the number and dlazy's path. */
static void read_request(char *value, struct request *request)
{
	char *line = value;

	for (int i = 0; line; i++) {
		char *next = strchr(line, FOLLOW_SEPARATOR);

		if (next)
			*next++ = '\0';
		if (i >= 2 && *line)
			request_read_line(line, request);
		line = next;
	}
}

int child_start(int argc, char **argv)
{
	static struct request request;
	const char *value = getenv(FOLLOW_VARIABLE);
	_cleanup_free_ char *text = value ? strdup(value) : NULL;

	if (argc < 3 || !text)
		return cli_usage(NULL, "%s: is for dlazy run --children",
				 FOLLOW_OPTION);
	read_request(text, &request);
	request.child = true;
	return run_start(&request, argv[1], argv + 2);
}
