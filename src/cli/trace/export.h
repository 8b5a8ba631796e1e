/* SPDX-License-Identifier: MIT */
/* Traces for other tools, the command's own first. */
#ifndef CLI_TRACE_EXPORT_H
#define CLI_TRACE_EXPORT_H

#include "cli/trace/trace.h"

#include <stdio.h>

/* Trace Events, for Perfetto. */
void trace_print_events(FILE *out, const struct trace *all, size_t count);
/* Stacks, for flame graphs. */
void trace_print_folded(FILE *out, const struct trace *all, size_t count);

#endif
