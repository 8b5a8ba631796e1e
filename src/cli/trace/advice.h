/* SPDX-License-Identifier: MIT */
/*
 * Advice from a trace. Nothing is advised that `dlazy run` would refuse, or
 * that saves no time to speak of; then the reason is told in its place.
 */
#ifndef CLI_TRACE_ADVICE_H
#define CLI_TRACE_ADVICE_H

#include "cli/trace/trace.h"

#define ADVICE_WHY_MAX 512

struct trace_advice {
	bool is_known;		  /* false: nothing could be found out */
	bool run;		  /* use dlazy run */
	char why[ADVICE_WHY_MAX]; /* why not; "" if so */
	double saving_us;	  /* at most, of both ways */
	/* Libraries of which the program could be linked with a stub. */
	const struct trace_object **stubs;
	size_t stub_count;
	double stub_saving_us;
};

void trace_advise(const struct trace *t, struct trace_advice *ret);
void trace_advice_clear(struct trace_advice *advice);

/* The parts of an object's cost that are known. */
double trace_cost(const struct trace_object *o);

/* For qsort(3) of pointers to objects: what costs most comes first. */
int trace_compare_cost(const void *a, const void *b);

#endif
