/* SPDX-License-Identifier: MIT */
/* A trace as JSON (doc/trace-format.md). */
#ifndef CLI_TRACE_JSON_H
#define CLI_TRACE_JSON_H

#include "base/json.h"
#include "cli/trace/advice.h"

/* One object; how: as waitpid(2), or -1: not known. advice: or NULL, of a
 * child. */
void trace_print_json(struct json *j, const struct trace *t, int how,
		      const struct trace_advice *advice,
		      const struct trace *children, size_t child_count);

#endif
