/* SPDX-License-Identifier: MIT */
/*
 * The host that `dlazy bench` measures: a process of its own, which makes a
 * directory of plugins ready in one of four ways and tells what that cost.
 *
 * It is the tool itself, run as "dlazy bench-host WAY DIR": its plan is read
 * from standard input before the clock starts, the cost is written to
 * descriptor HOST_RESULT_FD.
 */
#ifndef CLI_BENCH_HOST_H
#define CLI_BENCH_HOST_H

#include <stdint.h>

#define HOST_RESULT_FD 3

enum host_way {
	HOST_EMPTY,	  /* nothing is declared */
	HOST_EAGER,	  /* each plugin by dlopen and dlsym */
	HOST_LAZY,	  /* all declared, those that are used touched */
	HOST_ALL_TOUCHED, /* all declared, every one touched */
	HOST_WAYS
};

/* How a plugin is used, beyond being looked up. */
enum host_use {
	HOST_UNUSED = '-',
	HOST_LOAD = '+',   /* loaded */
	HOST_FREI0R = 'f', /* f0r_get_plugin_info() called */
	HOST_LADSPA = 'l', /* ladspa_descriptor(0) called */
};

/*
 * A plan is, for each plugin, in the order in which the directory lists them:
 * its use (one byte), its file, its name, the symbol that a host looks up (""
 * for none), each ended by NUL.
 */

struct host_cost {
	uint64_t wall_ns; /* from main() to being ready */
	uint64_t cpu_ns;  /* of all threads */
	uint64_t pss_kib; /* then, of the whole process */
	uint64_t maps;
	uint64_t faults;
	uint64_t failed; /* plugins that could not be loaded */
};

int cli_bench_host(int argc, char **argv);

#endif
