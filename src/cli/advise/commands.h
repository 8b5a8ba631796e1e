/* SPDX-License-Identifier: MIT */
/*
 * The programs of PATH: each file that a shell would start by its name and
 * that is no script, once.
 */
#ifndef CLI_ADVISE_COMMANDS_H
#define CLI_ADVISE_COMMANDS_H

#include <stddef.h>

struct commands {
	char **list; /* paths */
	size_t count, room;
};

/* 0 or -DLAZY_ENOMEM. */
int commands_of_path(struct commands *ret);
int commands_add(struct commands *commands, const char *path);
void commands_clear(struct commands *commands);

#endif
