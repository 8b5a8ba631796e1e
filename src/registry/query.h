/* SPDX-License-Identifier: MIT */
/*
 * Queries: what the plugins of a registry provide, by their catalogs. The public
 * functions, for arguments that are checked.
 */
#ifndef REGISTRY_QUERY_H
#define REGISTRY_QUERY_H

#include <dlazy/query.h>

/* NULL, with message. */
struct dlazy_cursor *query_begin(struct dlazy_registry *r,
				 const struct dlazy_query *q);
int query_next(struct dlazy_cursor *c, const struct dlazy_match **ret,
	       size_t n);
struct dlazy_module *query_module(struct dlazy_cursor *c,
				  const struct dlazy_match *match);
void query_end(struct dlazy_cursor *c);

#endif
