/* SPDX-License-Identifier: MIT */
/*
 * Who takes what from whom: each reference of each object of a closure to a
 * name that others define, and to whose definition ld.so would bind it, at the
 * program's start or later.
 */
#ifndef LINK_RESOLVE_REFERENCES_H
#define LINK_RESOLVE_REFERENCES_H

#include "link/resolve/symtab.h"

struct take {
	struct name *name;
	const struct definition *from; /* never of the importer itself; NULL:
					  none is of the wanted version */
	bool own;   /* the importer has one of its own, too */
	bool spare; /* which is as good: until the other is there it does
		       without that, and from then on it is everybody's */
};

struct takes {
	struct take *list;
	size_t *first; /* of each object; [closure's count]: all */
};

/* 0 or -DLAZY_ENOMEM. */
int takes_build(const struct closure *closure, const struct names *names,
		struct takes *ret);
void takes_clear(struct takes *takes);

#endif
