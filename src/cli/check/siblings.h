/* SPDX-License-Identifier: MIT */
/*
 * Files beside a plugin, by their SONAMEs: a library that the dynamic linker
 * does not find may lie there, where it does not look.
 */
#ifndef CLI_CHECK_SIBLINGS_H
#define CLI_CHECK_SIBLINGS_H

#include "cli/check/subject.h"

struct sibling {
	char *soname;
	char *file;
};

/* The files of one directory, the one that was asked about last. */
struct siblings {
	char *dir; /* NULL: none yet */
	struct sibling *list;
	size_t count, room;
};

void siblings_clear(struct siblings *siblings);

/* Says of each missing library of a plugin that is beside it that it is, and
 * marks the problem so. */
void siblings_explain(struct siblings *siblings, struct subject *s);

#endif
