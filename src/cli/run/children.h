/* SPDX-License-Identifier: MIT */
/*
 * dlazy run --children: what a program starts is run lazily too. An audit
 * object (src/hook/follow.c), which LD_AUDIT names in their environment, has
 * each executed again through `dlazy --child` (follow.h).
 */
#ifndef CLI_RUN_CHILDREN_H
#define CLI_RUN_CHILDREN_H

#include "cli/run/request.h"
#include "cli/run/tunables.h"

/* Entries of the environment, "NAME=VALUE"; NULL: children are not followed,
 * and if they were to be, that has been said. */
struct children {
	char *audit;
	char *variable;
	char *tunables[TUNABLES_ENTRIES];
};

/* tls: how much static TLS the program takes; 0: what it starts cannot be
 * followed, and is not. */
void children_prepare(const struct request *request, uint32_t tls,
		      struct children *ret);

#endif
