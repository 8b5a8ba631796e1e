/* SPDX-License-Identifier: MIT */
/*
 * Linked stubs in this program, as a builder links them. Where a library may be
 * is said at run time, by linked_files().
 */
#ifndef TESTS_UNIT_LINKED_STUBS_H
#define TESTS_UNIT_LINKED_STUBS_H

#include "tests/unit/opened.h"

#ifdef __cplusplus
extern "C" {
#endif

struct linked;

/* Of good-host-constructor ("PNG export", package "libpng16-16"). */
extern struct linked linked_host;
int stub_ready(void);
int stub_runs(void);
int stub_chosen(void);

/* Of linked-real; number 1 of linked_run. Symbols 4 and 5 are data, of which
 * the second is not there; neither is the function "gone". */
extern struct linked linked_real;
int stub_sum(int n, ...);
double stub_double_sum(int n, ...);
int *stub_where(void);
int stub_gone(void);
#define SYMBOL_DATA 4
#define SYMBOL_GONE_DATA 5

/* Of good-plain; number 0 of linked_run. */
extern struct linked linked_plain;
int stub_plain(void);

/* The same, of no run. */
extern struct linked linked_alone;
int stub_alone(void);

/* Of good-versions. */
extern struct linked linked_versions;
int stub_v1(void);
int stub_v2(void);
int stub_default(void);
int stub_v3(void);

/* Of bad-throwing-constructor. */
extern struct linked linked_throwing;
int stub_throwing(void);

/* Where it may be: up to two names, in this order; NULL: none. */
void linked_files(struct linked *l, const char *first, const char *second);

/* The run that two of them are of, with its directory and where it counts. */
struct linked_run;
const struct linked_run *linked_run_of(const char *directory,
				       const char *touched);

#ifdef __cplusplus
}
#endif

#endif
