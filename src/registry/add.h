/* SPDX-License-Identifier: MIT */
/* Adding directories; what the host adds is in registry.h. */
#ifndef REGISTRY_ADD_H
#define REGISTRY_ADD_H

#include "registry/source.h"

/* Those below a directory that have plugins and are not there yet, with the flags of
 * `like`. One that has gone meanwhile, or may not be read, is passed over. */
int add_below(struct dlazy_registry *r, const char *dir,
	      const struct source *like);

#endif
