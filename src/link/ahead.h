/* SPDX-License-Identifier: MIT */
/*
 * Who is first: libraries can be deferred only if the stub file's dlopen is
 * found before libc's.
 */
#ifndef LINK_AHEAD_H
#define LINK_AHEAD_H

#include "link/names.h"
#include "link/verdict.h"

/* Is dlopen libc's, of the kind that load/opener.c knows (glibc's), and nobody
 * else's in this closure? */
bool ahead_is_possible(const struct closure *closure,
		       const struct names *names);

/* Does ld.so come to a lazy library, whose place is the stub file's, before it
 * comes to libc? false, too, if memory is short. */
bool ahead_of_libc(const struct closure *closure,
		   const struct verdict *verdicts);

/*
 * A learned library that ld.so comes to before libc: the one that would cost
 * least if it were lazy, of those that were not `tried`. CLOSURE_NONE: none.
 */
size_t ahead_cheapest(const struct closure *closure,
		      const struct verdict *verdicts, const bool *tried);

#endif
