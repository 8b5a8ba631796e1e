/* SPDX-License-Identifier: MIT */
/*
 * The directories below one, as DLAZY_RECURSIVE goes through them: symbolic links
 * are not followed.
 */
#ifndef CATALOG_BELOW_H
#define CATALOG_BELOW_H

#include <stdbool.h>
#include <stddef.h>

struct below {
	char **paths; /* sorted; NULL behind the last one */
	size_t count, room;
	bool every; /* also those without plugins */
};

/* Adds the directory, and those below it in which a file has a plugin's name. 0 or,
 * with message, a status. */
int below_add(struct below *below, const char *dir);
void below_free(struct below *below);

#endif
