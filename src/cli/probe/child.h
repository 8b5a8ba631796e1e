/* SPDX-License-Identifier: MIT */
/*
 * What a child process does that plugins are probed in, and the messages between
 * it and the prober: requests one way, replies the other, one at a time.
 */
#ifndef CLI_PROBE_CHILD_H
#define CLI_PROBE_CHILD_H

#include "cli/probe/families.h"

#include <signal.h>

/* Followed by the plugin's path. */
struct probe_request {
	uint64_t token; /* another each time: what a reply has to have */
	uint32_t probe; /* of the list */
	uint32_t length;
};

enum probe_reply_kind {
	REPLY_SAID = 1, /* a text follows */
	REPLY_NOTHING,
	REPLY_REFUSED, /* words follow: why it was not asked */
	REPLY_FAILED,  /* likewise, and it is no fact about the plugin */
	REPLY_BEGUN,   /* comes before the others: from now on it is the plugin
			  that may have ended the process */
};

struct probe_reply {
	uint64_t token;
	uint32_t kind;
	uint32_t length;
};

/* The descriptor on which the child has them; and the only one, but for 0, 1
 * and 2. */
#define CHILD_WIRE 3

/* What is added to the status `unable` where a plugin has closed that. */
#define CHILD_CUT_OFF 96

/* Serves until there are no more requests. wire, output: see above; mask: what
 * plugins find; unable: the status that it exits with where it cannot go on,
 * through no fault of a plugin, which does not know that number. */
__attribute__((noreturn)) void child_serve(struct probes *probes, int wire,
					   int output, const sigset_t *mask,
					   int unable);

#endif
