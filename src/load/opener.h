/* SPDX-License-Identifier: MIT */
/*
 * dlopen, as a program of `dlazy run` calls it: what it opens may take data
 * from libraries that were left out at its start, so these come first.
 */
#ifndef LOAD_OPENER_H
#define LOAD_OPENER_H

#include "stub/linked.h"

/* The first call of the stub of dlopen: the address to go on to. */
void *opener_miss(const struct linked *l, linked_slot *slot,
		  const void *caller);

#endif
