/* SPDX-License-Identifier: MIT */
/*
 * Of a world (world.h) or a program of this machine: which libraries may be lazy;
 * and does every reference bind as it does without dlazy? A second, plainer model of
 * the lazy start says so, whenever something is decided.
 */
#ifndef TESTS_UNIT_LAZY_START_H
#define TESTS_UNIT_LAZY_START_H

#include "tests/unit/world.h"

#include "link/decide/verdict.h"

/* The index, as the tests want it: by default nobody imports data. */
struct index {
	const char
		*library; /* from it, somebody imports ...; NULL: see below */
	const char *symbol, *importer;
	unsigned share, turn; /* from each library whose path's hash is `turn`
				 modulo `share` */
};

/* What was read and decided last. */
extern struct closure closure;
extern struct verdicts verdicts;

/* Of a program; of the world's, "program" (NULL: no rules). */
void decide_of(const char *program, const struct verdict_rules *rules);
void decide(const struct verdict_rules *rules);

/* By a name in DT_NEEDED. */
size_t place_of(const char *name);
const struct verdict *verdict_of(const char *name);

void check_why(const char *name, enum verdict_why why);
void check_lazy(const char *name);
/* Eager for that symbol, which the importer imports (or has first). */
void check_eager(const char *name, enum verdict_why why, const char *symbol,
		 const char *importer);

/* Whether the stub file has a library's symbol, and as its default version. */
bool is_exported(const char *library, const char *name);
bool is_default(const char *library, const char *name);

#endif
