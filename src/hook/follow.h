/* SPDX-License-Identifier: MIT */
/*
 * What `dlazy run --children` and its audit object (follow.c) agree on: the
 * variable's value is the number of the process that need not be followed any
 * more, dlazy's path, and the options that children are run with, each behind a
 * separator. The number may have zeros in front.
 */
#ifndef HOOK_FOLLOW_H
#define HOOK_FOLLOW_H

#define FOLLOW_VARIABLE "DLAZY_RUN_CHILDREN"
enum { FOLLOW_SEPARATOR = '\n' };
#define FOLLOW_OPTION "--child"

#endif
