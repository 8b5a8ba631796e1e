/* SPDX-License-Identifier: MIT */
/*
 * Counting the instructions of a process and of those that it starts: a figure
 * that a busy machine does not change.
 */
#ifndef CLI_BENCH_INSTRUCTIONS_H
#define CLI_BENCH_INSTRUCTIONS_H

/*
 * Runs child(data) in a process of its own, which must execute a program. By the
 * CPU's counter, if this process may have one, else step by step, which takes
 * some microseconds for each, and at most a minute. 0 or -DLAZY_ENOSYS.
 */
int bench_instructions_of(void (*child)(void *data), void *data, double *ret);

#endif
