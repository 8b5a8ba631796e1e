/* SPDX-License-Identifier: MIT */
/*
 * The file that dlopen() would have mapped by now, kept for a load that comes
 * later: its path may have another file by then, or none. A mapping keeps the file
 * as well as a descriptor would, and takes none of the host's. If it is needed, its
 * bytes are put into a memory file, for the dynamic linker to open. That one has
 * neither the file's name nor its directory.
 *
 * So only what was made or changed since this process began is held: a host's
 * private copies, which it removes at once. What is installed stays unmapped.
 */
#ifndef LOAD_HELD_H
#define LOAD_HELD_H

#include "base/file.h"

#define HELD_OBJECT_MAX 128

struct held {
	struct file_map map;
	int fd; /* the memory file, until it is loaded; or -1 */
	/* As the linker is told of it; "": never. It stays if it was. */
	char object[HELD_OBJECT_MAX];
	const char *before; /* what the linker was told of before */
	struct held *next;  /* of those that stay */
};

/* Whether that file is one to hold. */
bool held_is_due(const struct file_identity *identity);

/* Holds the file at a path, if it is that one; NULL, without message: it is not,
 * or cannot be held. */
struct held *held_new(const char *path, const struct file_identity *identity);
void held_free(struct held *held);

/* Makes the memory file. 0 or a status. */
int held_open(struct held *held, const char *name);

/* It is loaded. */
void held_close(struct held *held);

#endif
