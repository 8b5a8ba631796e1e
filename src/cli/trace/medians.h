/* SPDX-License-Identifier: MIT */
/*
 * Times of a command that was traced more than once. Of each run but the last only
 * the times are kept, so that its trace buffers can be removed. The traces of the
 * last run then get the medians over all runs.
 */
#ifndef CLI_TRACE_MEDIANS_H
#define CLI_TRACE_MEDIANS_H

#include "cli/trace/trace.h"

#define TRACE_RUNS_MAX 1001

/* All times of one run's traces, in their order. */
struct trace_times {
	struct trace_time *list;
	size_t count, room;
};

struct trace_runs {
	struct trace_times *list;
	size_t count, room;
};

/* Keeps the times of one more run: its own trace, and those of its children.
 * 0 or -DLAZY_ENOMEM with message. */
int trace_runs_add(struct trace_runs *runs, struct trace *all, size_t count);
void trace_runs_free(struct trace_runs *runs);

/*
 * Each time that these traces know becomes the median over them and the runs
 * that were kept, as far as these know it. What they do not know stays so. 0 or
 * -DLAZY_ENOMEM with message.
 */
int trace_take_medians(struct trace *all, size_t count,
		       const struct trace_runs *runs);

#endif
