/* SPDX-License-Identifier: MIT */
/* Plugins that say they are to be loaded before they are used. */
#ifndef REGISTRY_EARLY_H
#define REGISTRY_EARLY_H

struct dlazy_registry;

/* Obeys the policy of those that the catalogs of directories list which were added
 * since. What fails is the module's to remember. */
void early_load(struct dlazy_registry *r, const void *caller);

#endif
