/* SPDX-License-Identifier: MIT */
/*
 * Symbol references: each symbol that an object of a closure imports, and the
 * definition that ld.so would bind it to, at the program's start or later.
 */
#ifndef LINK_RESOLVE_REFERENCES_H
#define LINK_RESOLVE_REFERENCES_H

#include "link/resolve/symtab.h"

struct reference {
	struct name *name;
	const struct definition *from; /* never of the importer itself; NULL:
					  none is of the wanted version */
	bool own;   /* the importer has one of its own, too */
	bool spare; /* which is as good: until the other is there it does
		       without that, and from then on it is everybody's */
};

struct references {
	struct reference *list;
	size_t *first; /* of each object; [closure's count]: all */
};

/* 0 or -DLAZY_ENOMEM. */
int references_build(const struct closure *closure, const struct names *names,
		     struct references *ret);
void references_clear(struct references *references);

#endif
