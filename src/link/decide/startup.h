/* SPDX-License-Identifier: MIT */
/*
 * The startup link map: the objects that ld.so maps at the program's start
 * when its lazy libraries are away, and those that must be added to them.
 */
#ifndef LINK_DECIDE_STARTUP_H
#define LINK_DECIDE_STARTUP_H

#include "link/resolve/references.h"
#include "link/decide/verdict.h"

struct copy;

/*
 * Goes on from verdicts in which each object is lazy or not, and `mapped` is
 * set where an object has to be there for its own sake. Sets `mapped` of the
 * others that are there and `kept_edge`, and at_start of the symbols. 0 or
 * -DLAZY_ENOMEM.
 */
int startup_settle(const struct closure *closure, const struct symtab *symtab,
		   const struct references *references,
		   const struct copy *copies, struct verdict *verdicts);

#endif
