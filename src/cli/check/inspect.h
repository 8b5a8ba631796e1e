/* SPDX-License-Identifier: MIT */
/*
 * Early error: what the dynamic linker would refuse, found by reading the
 * plugin file and the libraries it needs. Nothing is loaded.
 */
#ifndef CLI_CHECK_INSPECT_H
#define CLI_CHECK_INSPECT_H

#include "base/map.h"
#include "cli/check/subject.h"

struct elf_view;

/* Views of libraries, read once for all plugins that need them. */
struct inspection {
	struct map libraries;	      /* hash of the path -> struct library */
	const struct elf_view **host; /* the host, then what it needs */
	size_t host_count;
	size_t host_room;
	bool has_host;
};

/* Takes `path` for the host. 0 or a negated status, with message. */
int inspect_host(struct inspection *in, const char *path);

/* Looks at one plugin file and notes its problems. */
void inspect_file(struct inspection *in, struct subject *s);

void inspection_end(struct inspection *in);

#endif
