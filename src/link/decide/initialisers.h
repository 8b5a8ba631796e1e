/* SPDX-License-Identifier: MIT */
/*
 * What a library's initialisers do to others: a lazy library's run at its first
 * call, and an effect on another object would come too late.
 */
#ifndef LINK_DECIDE_INITIALISERS_H
#define LINK_DECIDE_INITIALISERS_H

#include "link/decide/verdict.h"
#include "link/resolve/symtab.h"

/*
 * Why the library at place `i` has to be initialised at the start: it may start
 * a thread or a process (VERDICT_THREADS), or reach into another object
 * (VERDICT_INITIALISER); VERDICT_LAZY: it need not. *ret_symbol: what it
 * reaches, in words if that is not known; borrowed. 0 or -DLAZY_ENOMEM.
 */
int initialisers_judge(const struct closure *closure,
		       const struct symtab *symtab, size_t i,
		       enum verdict_why *ret, const char **ret_symbol);

#endif
