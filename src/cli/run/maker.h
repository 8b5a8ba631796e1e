/* SPDX-License-Identifier: MIT */
/*
 * The maker: a process that makes what a run was found to be missing, so that
 * the program itself starts at once. It stays behind when the program has long
 * taken our place, and nobody is to notice: it is no child of the program's, in a
 * session of its own, has none of its descriptors, and yields the processors to
 * everything else.
 *
 * There is one at a time; who finds one at work runs plainly. Killed, it leaves
 * what is made again or gone on with (file_replace(), generation_sweep()).
 */
#ifndef CLI_RUN_MAKER_H
#define CLI_RUN_MAKER_H

#include "link/cache/program.h"

/* Why this process is to leave none behind, in words; NULL: it may. */
const char *maker_objection(void);

/* Starts one for what the start is missing and has the lock for. Whether it comes
 * to that is no matter to the run. */
void maker_start(const struct program *program,
		 const struct program_options *options,
		 struct program_start *start);

#endif
