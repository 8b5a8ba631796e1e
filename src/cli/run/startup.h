/* SPDX-License-Identifier: MIT */
/*
 * How long a program takes to start, up to its main(), which is not run: plainly,
 * and as `dlazy run` starts it.
 */
#ifndef CLI_RUN_STARTUP_H
#define CLI_RUN_STARTUP_H

#include "cli/run/request.h"

struct program;

struct startup_times {
	double plain_us;
	double lazy_us; /* as plain_us if it is run plainly */
};

/*
 * Medians of fresh processes by turns. Its entry in the cache is made, if there
 * is none. 0, or a status with message: it cannot be measured.
 */
int startup_measure(const struct program *program,
		    const struct request *request, struct startup_times *ret);

#endif
