/* SPDX-License-Identifier: MIT */
/*
 * Running a command with the audit object in its dynamic linker: it leaves a
 * trace buffer for each process in a directory, which trace.h reads afterwards.
 */
#ifndef CLI_TRACE_START_H
#define CLI_TRACE_START_H

#include "cli/frame/standin.h"
#include "cli/trace/trace.h"
#include "link/cache/program.h"

#include <stdbool.h>

struct trace_run {
	int how;	 /* as waitpid(2) */
	bool failed;	 /* it could not be executed, and this was said */
	char *directory; /* of the trace buffers */
	struct trace_span span;
};

struct trace_options {
	bool children;		/* trace what it executes, too */
	enum standin_open open; /* something follows */
	int keep; /* leave this descriptor open, if it is not -1 */
};

/* Whether the dynamic linker of this command will take an auditor: 0, or a
 * status with message. */
int trace_check(const struct program *program);

/* Runs it, with trace buffers in a new directory. 0 or negated status. */
int trace_start(const struct program *program, char **argv,
		const struct trace_options *options, struct trace_run *ret);
/* Removes the directory. */
void trace_run_clear(struct trace_run *run);

#endif
