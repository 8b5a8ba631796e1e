/* SPDX-License-Identifier: MIT */
/*
 * What happens where a stub cannot reach its symbol: the host's failure hooks
 * are asked, and else a message is written and abort() called.
 */
#ifndef LOAD_FAILURE_H
#define LOAD_FAILURE_H

#include "load/module.h"
#include "stub/stub.h"

/* A stub cannot reach its symbol, for the pending reason: all that
 * failure_instead() needs, but for what keeps a replacement. m NULL: no memory for it. */
void failure_prepare(struct dlazy_module *m, const struct touch *touch,
		     int status, struct stub_failure *ret);

/*
 * Returns the function to call instead, which a hook gave; if no hook gives
 * one, ends the process. Call it only where nothing of ours is in progress:
 * hooks may throw, or not come back.
 */
void *failure_instead(struct stub_failure *failure);

/* The end, for the pending reason, which is what the environment forbids;
 * whatever hooks there are. */
__attribute__((noreturn)) void failure_give_up(struct dlazy_module *m,
					       const struct touch *touch,
					       int status);

/* The process-wide failure hook. */
void failure_set_hook(dlazy_failure_fn *fn, void *data);

#endif
