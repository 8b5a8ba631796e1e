/* SPDX-License-Identifier: MIT */
/*
 * What a traced process opened by dlopen(), as a note of its file would say it
 * (UAPI.12).
 */
#ifndef CLI_TRACE_DLOPENED_H
#define CLI_TRACE_DLOPENED_H

#include "base/json.h"
#include "cli/trace/trace.h"

/* One array, of all traces: each library once, in the order of opening. */
void trace_print_dlopened(struct json *j, const struct trace *all,
			  size_t count);

#endif
