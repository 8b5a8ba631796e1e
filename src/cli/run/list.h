/* SPDX-License-Identifier: MIT */
/* dlazy run --list: launchers, and what each gains. */
#ifndef CLI_RUN_LIST_H
#define CLI_RUN_LIST_H

#include "cli/run/request.h"

/* Tells of the launchers in a directory. Returns an exit status, after a message. */
int launchers_list(const struct request *request);

#endif
