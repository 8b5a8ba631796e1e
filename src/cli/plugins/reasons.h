/* SPDX-License-Identifier: MIT */
/*
 * Why a library cannot be lazy, as far as its own file and the index tell,
 * without a program.
 */
#ifndef CLI_PLUGINS_REASONS_H
#define CLI_PLUGINS_REASONS_H

#include "link/decide/verdict.h"

/*
 * Reads the file, and asks the machine's index if there is one in the cache. 0
 * and a verdict for each reason, none if it can be lazy; or the status of
 * reading.
 */
int reasons_of(const char *path, struct verdicts *ret);

#endif
