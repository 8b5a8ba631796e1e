/* SPDX-License-Identifier: MIT */
/*
 * Bytes that are gathered one after the other until all are there, and read again
 * then. Those of a large directory are in a file without a name beside the place
 * where its catalog goes; so memory does not grow with the directory. A few, or
 * where there can be no such file, are in memory.
 */
#ifndef CATALOG_SPOOL_H
#define CATALOG_SPOOL_H

#include <stddef.h>
#include <stdint.h>

struct spool {
	int dirfd;
	const char *place; /* of the catalog; NULL: memory alone */
	int fd;		   /* -1: not yet */
	uint64_t size;	   /* of all */
	uint64_t written; /* of them, in the file: all before those in memory */
	uint8_t *memory;
	size_t room;
};

/* place: relative to dirfd, kept by the caller; NULL: memory alone. */
struct spool spool_begin(int dirfd, const char *place);
void spool_end(struct spool *spool);

/* Appends. 0 or, with message, -DLAZY_ENOMEM, or a state: the file that it was in
 * cannot be read or written. */
int spool_add(struct spool *spool, const void *bytes, size_t size);

/* Reads what was added. 0 or, with message, a state. */
int spool_read(struct spool *spool, uint64_t at, void *to, size_t size);

#endif
