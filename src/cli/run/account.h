/* SPDX-License-Identifier: MIT */
/*
 * The account of one run, for `dlazy run --stats`: which libraries it touched,
 * which it was spared, and which could not be lazy.
 */
#ifndef CLI_RUN_ACCOUNT_H
#define CLI_RUN_ACCOUNT_H

#include "link/cache/program.h"

#include <stdbool.h>

/*
 * One object on standard error, or a table. touched: the file of this one
 * run, or NULL if there is none.
 */
struct runs;
void run_account(const struct program_start *start, const struct runs *touched,
		 bool json);

#endif
