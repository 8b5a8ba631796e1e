/* SPDX-License-Identifier: MIT */
/* A test as if its program had been started with another LD_LIBRARY_PATH. */
#ifndef TESTS_UNIT_STARTED_WITH_H
#define TESTS_UNIT_STARTED_WITH_H

#include "elf/started.h"

#include <stdlib.h>
#include <string.h>

/* NULL: without. */
static inline void started_with(const char *library_path)
{
	static char *kept;
	char *before = kept;

	if (library_path)
		setenv("LD_LIBRARY_PATH", library_path, 1);
	else
		unsetenv("LD_LIBRARY_PATH");
	kept = library_path ? strdup(library_path) : NULL;
	started_set_library_path(kept);
	free(before);
}

#endif
