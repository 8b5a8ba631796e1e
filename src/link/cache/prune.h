/* SPDX-License-Identifier: MIT */
/*
 * Removing entries of the cache that no run has used for long. It is done when
 * another entry is made, so that the cache does not grow for ever.
 */
#ifndef LINK_CACHE_PRUNE_H
#define LINK_CACHE_PRUNE_H

#include "link/cache/generation.h"

/* Days. One that is needed after all is made anew. */
#define PRUNE_DAYS 90

/* Looks at the entries beside that of `place`. */
void prune_entries(const struct place *place);

#endif
