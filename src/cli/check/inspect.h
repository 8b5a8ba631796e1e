/* SPDX-License-Identifier: MIT */
/*
 * Checking a plugin by reading: finds in its file, and in the libraries that
 * it needs, what the dynamic linker would refuse. Nothing is loaded.
 */
#ifndef CLI_CHECK_INSPECT_H
#define CLI_CHECK_INSPECT_H

#include "base/map.h"
#include "cli/check/subject.h"
#include "elf/walk.h"

struct inspection {
	struct map known; /* what needs no other look: see elf/check.h */
	struct walk host; /* the host, and what it needs */
	bool has_host;
};

/* Takes `path` for the host. 0 or a negated status, with message. */
int inspect_host(struct inspection *in, const char *path);

/* Looks at one plugin file and notes its problems. */
void inspect_file(struct inspection *in, struct subject *s);

void inspection_end(struct inspection *in);

#endif
