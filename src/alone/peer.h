/* SPDX-License-Identifier: MIT */
/*
 * libdlazy, where the process has it. Its failure hooks, its ledger and what it
 * forbids hold for standalone stubs, too: these pass on to it what they are asked.
 */
#ifndef ALONE_PEER_H
#define ALONE_PEER_H

#include "stub/linked.h"

struct peer {
	void *(*ask)(void *slot, const void *caller, const struct linked *l);
	int (*available)(const struct linked *l);
	int (*has)(const char *symbol, const void *unused,
		   const struct linked *l);
	int (*load)(const struct linked *l);
	const char *(*error)(const struct linked *l);
	struct dlazy_module *(*module)(const struct linked *l);
	int (*on_failure)(dlazy_failure_fn *fn, void *data,
			  const struct linked *l);
	int (*on_load)(dlazy_load_fn *fn, void *data, const struct linked *l);
};

/* NULL: the process has none that knows of standalone stubs. */
const struct peer *peer_find(void);

#endif
