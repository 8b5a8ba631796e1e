/* SPDX-License-Identifier: MIT */
/*
 * dlazy_registry_refresh() and dlazy_registry_watch(): a running host is told what
 * has changed in its directories.
 */
#ifndef REGISTRY_REFRESH_H
#define REGISTRY_REFRESH_H

struct dlazy_registry;

int refresh_registry(struct dlazy_registry *r);
int refresh_watch(struct dlazy_registry *r);

#endif
