/* SPDX-License-Identifier: MIT */
/*
 * Choosing among the plugins of a registry: the best that provides an id, what a
 * policy says of one, and what another one requires.
 */
#ifndef REGISTRY_PROVIDER_H
#define REGISTRY_PROVIDER_H

#include "load/policy.h"
#include "load/require.h"
#include "registry/registry.h"

/* As dlazy_registry_provider(), for flags that are checked. */
struct dlazy_module *provider_find(struct dlazy_registry *r, const char *id,
				   int flags, const char **ret_symbol,
				   const void *caller);

/* What is decided of a module that a registry has found under a name; loads it, or
 * has it loaded, where that is said. 0 or, with message, -DLAZY_EPOLICY or a state. */
int provider_obey_policy(struct dlazy_registry *r, struct dlazy_module *m,
			 const char *name, const void *caller);

/* A require_find_fn. */
int provider_of_required(const struct dlazy_module *m, const char *name,
			 bool soname, struct dlazy_module **ret);

#endif
