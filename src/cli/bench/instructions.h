/* SPDX-License-Identifier: MIT */
/*
 * Counting the instructions of a process and of those that it starts: a figure
 * that a busy machine does not change.
 */
#ifndef CLI_BENCH_INSTRUCTIONS_H
#define CLI_BENCH_INSTRUCTIONS_H

#include <stdbool.h>

/*
 * Runs child(data) in a process of its own, which must execute a program. By the
 * CPU's counter, if this process may have one, else step by step, which takes
 * some microseconds for each. false: neither can be had, or it did not end well.
 */
bool bench_instructions_of(void (*child)(void *data), void *data, double *ret);

#endif
