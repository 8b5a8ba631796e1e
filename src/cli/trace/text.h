/* SPDX-License-Identifier: MIT */
/* A trace for people, in 80 columns. */
#ifndef CLI_TRACE_TEXT_H
#define CLI_TRACE_TEXT_H

#include "cli/trace/advice.h"

#include <stdio.h>

/* how: as waitpid(2), or -1: not known. advice: or NULL, of a child. */
void trace_print_text(FILE *out, const struct trace *t, int how, bool all,
		      const struct trace_advice *advice);

#endif
