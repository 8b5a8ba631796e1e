/* SPDX-License-Identifier: MIT */
/*
 * Notes for the starter of launchers (hook/launch.h). A note says that a launcher's
 * program gains nothing from dlazy, and so is started without it.
 */
#ifndef CLI_RUN_PLAIN_H
#define CLI_RUN_PLAIN_H

#include "link/cache/program.h"

/* Writes one. launcher: its path, as it was started. If it cannot be written, that
 * is news for nobody: the next start comes by here again. */
void plain_note(const char *launcher, const struct program *program);

#endif
