/* SPDX-License-Identifier: MIT */
/*
 * Changing the environment before the program sees it, in place: the dynamic
 * linker has read what it wanted of it, and the C library will take the same
 * array. As some programs find the auxiliary vector behind the environment, no gap
 * may be left there: entries are taken out by twos, which is the room of an entry
 * of that vector, and one that says "ignore me" is put there.
 */
#ifndef HOOK_ENVIRONMENT_H
#define HOOK_ENVIRONMENT_H

#include "hook/tunables.h"

#include <link.h>
#include <stdbool.h>
#include <stddef.h>

/* The entry of a variable, or NULL. */
static inline char **environment_find(char **envp, const char *name)
{
	for (; *envp; envp++) {
		size_t n = 0;

		while (name[n] && (*envp)[n] == name[n])
			n++;
		if (!name[n] && (*envp)[n] == '=')
			return envp;
	}
	return NULL;
}

/* Takes one entry out; the array's end moves down by one. */
static inline void environment_take_out(char **at)
{
	do
		at[0] = at[1];
	while (*at++);
}

/* Fills what two entries have left. */
static inline void environment_close_gap(char **envp)
{
	while (*envp)
		envp++;
	envp[1] = (char *)AT_IGNORE;
	envp[2] = NULL;
}

/* Makes a variable what it was: `saved` has that behind its first bytes; NULL: it
 * was not set. */
static inline void environment_put_back(char **variable, char **saved,
					size_t behind)
{
	if (saved) {
		*variable = *saved + behind;
		environment_take_out(saved);
	} else {
		environment_take_out(variable);
	}
}

static inline void environment_put_back_tunables(char **envp)
{
	char **ours = environment_find(envp, TUNABLES_VARIABLE);

	if (!ours || !environment_find(envp, TUNABLES_MARK))
		return;
	environment_put_back(ours, environment_find(envp, TUNABLES_SAVED),
			     TUNABLES_SAVED_AT);
	environment_take_out(environment_find(envp, TUNABLES_MARK));
	environment_close_gap(envp);
}

#endif
