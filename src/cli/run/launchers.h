/* SPDX-License-Identifier: MIT */
/* dlazy run --list. */
#ifndef CLI_RUN_LAUNCHERS_H
#define CLI_RUN_LAUNCHERS_H

#include "cli/run/request.h"

/* Tells of those in the directory. Returns an exit status, after a message. */
int launchers_list(const struct request *request);

#endif
