/* SPDX-License-Identifier: MIT */
/*
 * The program's start when its lazy libraries are away: which objects are
 * there, and which more have to be.
 */
#ifndef LINK_DECIDE_STARTUP_H
#define LINK_DECIDE_STARTUP_H

#include "link/resolve/references.h"
#include "link/decide/verdict.h"

struct mirror;

/*
 * Goes on from verdicts in which each object is lazy or not, and `mapped` is
 * set where an object has to be there for its own sake. Sets `mapped` of the
 * others that are there and `kept_edge`, and at_start of the names. 0 or
 * -DLAZY_ENOMEM.
 */
int start_settle(const struct closure *closure, const struct names *names,
		 const struct references *references,
		 const struct mirror *mirrors, struct verdict *verdicts);

#endif
