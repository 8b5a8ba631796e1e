/* SPDX-License-Identifier: MIT */
/* Adding directories; what the host adds is in registry.h. */
#ifndef REGISTRY_ADD_H
#define REGISTRY_ADD_H

#include "registry/source.h"

/* Called for each source that was added, under registry_lock. */
typedef void added_fn(struct dlazy_registry *r, size_t source, int dirfd);

/* Those below a directory that have plugins and are not there yet, with the flags of
 * `like`. One that has gone meanwhile, or may not be read, is passed over. `added` may
 * be NULL. */
int add_below(struct dlazy_registry *r, const char *dir,
	      const struct source *like, added_fn *added);

#endif
