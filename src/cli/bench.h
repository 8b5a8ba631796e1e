/* SPDX-License-Identifier: MIT */
/*
 * What `dlazy bench` has measured, and how it is told.
 */
#ifndef CLI_BENCH_H
#define CLI_BENCH_H

#include "cli/host.h"
#include "cli/sample.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bench_side {
	struct sample wall_us;
	struct sample cpu_us;
	struct sample pss_kib;
	struct sample maps;
	struct sample faults;
	uint64_t failed; /* plugins that could not be loaded */
};

struct bench {
	const char *subject; /* the directory */
	bool was_fresh;	     /* its catalog; else it was scanned first */
	int cpu;	     /* on which all was measured; -1: any */
	size_t declared;
	size_t touched;
	const char **names; /* of the touched ones */
	struct bench_side sides[HOST_WAYS];
	struct sample ratio; /* eager to lazy wall time, by rounds */
};

/* "eager", as people read it. */
const char *bench_way_name(enum host_way way);

void bench_print_json(const struct bench *b);
void bench_print_text(const struct bench *b);

#endif
