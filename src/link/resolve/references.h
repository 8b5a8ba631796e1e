/* SPDX-License-Identifier: MIT */
/*
 * Symbol references: each symbol that an object of a closure imports, and the
 * definition that ld.so would bind it to, at the program's start or later.
 */
#ifndef LINK_RESOLVE_REFERENCES_H
#define LINK_RESOLVE_REFERENCES_H

#include "link/resolve/symtab.h"

struct reference {
	struct symtab_name *name;
	const struct definition *from; /* never of the importer itself; NULL:
					  none is of the version asked for */
	bool own;   /* the importer has one of its own, too */
	bool vague; /* and both have vague linkage: the importer uses its own
		       until the other is there, and that one from then on */
};

struct references {
	struct reference *list;
	size_t *first; /* of each object; [closure's count]: all */
};

/* 0 or -DLAZY_ENOMEM. */
int references_build(const struct closure *closure, const struct symtab *symtab,
		     struct references *ret);
void references_clear(struct references *references);

#endif
