/* SPDX-License-Identifier: MIT */
/*
 * The cache does not grow for ever: entries that no run has used for long go
 * when another is made.
 */
#ifndef LINK_CACHE_PRUNE_H
#define LINK_CACHE_PRUNE_H

#include "link/cache/generation.h"

/* Days. One that is needed after all is made anew. */
#define PRUNE_DAYS 90

/* Looks at the entries beside that of `place`. */
void prune_entries(const struct place *place);

#endif
