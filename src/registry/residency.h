/* SPDX-License-Identifier: MIT */
/*
 * How many plugins are loaded at once: limits, and trimming to them.
 */
#ifndef REGISTRY_RESIDENCY_H
#define REGISTRY_RESIDENCY_H

#include <stddef.h>
#include <stdint.h>

struct dlazy_registry;

/* As dlazy_registry_limit(), dlazy_registry_trim(). */
int residency_limit(struct dlazy_registry *r, size_t modules, uint64_t bytes);
int residency_trim(struct dlazy_registry *r, int flags);

#endif
