/* SPDX-License-Identifier: MIT */
/*
 * Asking plugins what they are, in a child process, which serves plugin after
 * plugin. When it dies or takes too long, that is the plugin's answer, and the
 * next one is asked in a new child. Whatever a plugin has started ends with its
 * child.
 */
#ifndef CLI_PROBE_PROBER_H
#define CLI_PROBE_PROBER_H

#include "cli/probe/families.h"

#include <sys/types.h>

#define PROBER_OUTPUT_MAX 4096

/* Owned by one thread; one at a time in a process. */
struct prober {
	struct probes *probes;
	unsigned seconds; /* that a plugin has */
	bool isolate;	  /* a child for each */
	pid_t child;	  /* 0: there is none */
	bool has_served;  /* it has asked a plugin before */
	uint64_t token;	  /* of the last request */
	int wire, output;
	bool has_output; /* not at its end */
	pid_t *others;	 /* children of this process that are not ours */
	size_t other_count;
	/* The end of what the plugin that is asked has written. */
	char wrote[PROBER_OUTPUT_MAX];
	size_t wrote_size;
	int unable; /* the status of a child that cannot go on */
};

enum probe_outcome {
	PROBE_SAID,
	PROBE_NOTHING, /* it is of no such family, or has nothing to say */
	PROBE_REFUSED, /* it cannot be loaded, or what it says is no JSON */
	PROBE_CRASHED, /* the process ended */
	PROBE_TIMED_OUT,
};

struct probe_answer {
	enum probe_outcome outcome;
	char *text;  /* PROBE_SAID: malloc'd, a JSON object */
	char *words; /* what went wrong; malloc'd, or NULL */
};

void prober_begin(struct prober *prober, struct probes *probes,
		  unsigned seconds, bool isolate);
void prober_end(struct prober *prober);

/* Asks a plugin by one probe. 0, or, with message, a state: no process could be
 * made, no memory. What the plugin writes is shown on standard error. */
int prober_ask(struct prober *prober, size_t probe, const char *path,
	       struct probe_answer *ret);
void probe_answer_clear(struct probe_answer *answer);

#endif
