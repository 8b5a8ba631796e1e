/* SPDX-License-Identifier: MIT */
/*
 * What `dlazy bench` has measured, and how it is told.
 */
#ifndef CLI_BENCH_BENCH_H
#define CLI_BENCH_BENCH_H

#include "cli/bench/baseline.h"
#include "cli/bench/host.h"
#include "cli/frame/sample.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bench_side {
	struct sample wall_us;
	struct sample cpu_us;
	struct sample pss_kib;
	struct sample maps;
	struct sample faults;
	struct sample instructions; /* if they are counted */
	uint64_t failed;	    /* plugins that could not be loaded */
};

struct bench {
	const char *subject; /* the directory, or the command's words */
	char **command;	     /* or NULL */
	const char *plain;   /* why dlazy run leaves the command as it is; NULL:
				it does not, or that is not known */
	bool env;	     /* of a command: by DLAZY in its environment */
	struct baseline baseline;
	bool cold;	/* the page cache was emptied before each */
	bool was_fresh; /* its catalog; else it was scanned first */
	int cpu;	/* on which all was measured; -1: any */
	size_t declared;
	size_t touched;
	const char **names; /* of the touched ones */
	struct bench_side sides[HOST_WAYS];
	struct sample ratio; /* eager to lazy wall time, by rounds */
};

/* "eager", as people read it; of a command, how it was run. */
const char *bench_side_name(enum host_way way, bool command, bool env);

/*
 * Measures a command and prints: plain against `dlazy run`, or, env, DLAZY=off
 * against DLAZY=lazy. Returns the exit status.
 */
int bench_command(char **argv, const struct baseline *baseline, bool env,
		  bool cold, size_t runs, bool json);

/* Prints, and returns the exit status: is it slower than it may be? */
int bench_print(const struct bench *b, bool json);

void bench_print_json(const struct bench *b);
void bench_print_text(const struct bench *b);

#endif
