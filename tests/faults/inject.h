/* SPDX-License-Identifier: MIT */
/*
 * Makes a call of the C library fail: the n-th of its kind, or that and all
 * after it. Linked into a test, or preloaded (then the environment arms it:
 * FAULT_CALL, FAULT_N, FAULT_ERRNO, FAULT_ALWAYS=1; FAULT_IN names the program,
 * FAULT_HIT a file that is made when the call has failed).
 *
 * Kinds: those of fault_kinds in inject.c. An error of 0 makes a read or a write
 * short. "malloc" stands for calloc and realloc too; it is not there under a
 * sanitizer or valgrind, which have allocators of their own.
 */
#ifndef TESTS_FAULTS_INJECT_H
#define TESTS_FAULTS_INJECT_H

#include <stdbool.h>

/* From now on the n-th call (1: the next) of that kind fails with `error`. */
void fault_arm(const char *kind, long n, int error, bool always);

/* No call fails any more. Whether one has. */
bool fault_disarm(void);

/* Whether allocations can be made to fail here. */
bool fault_has_malloc(void);

#endif
