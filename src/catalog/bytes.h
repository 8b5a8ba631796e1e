/* SPDX-License-Identifier: MIT */
/*
 * The bytes of a catalog file, read piece by piece into memory of our own, as
 * they are asked for. A mapped file would be cheaper by little, and takes the
 * process with it when somebody cuts it; and what was checked once stays as it
 * was checked.
 *
 * No descriptor is kept: it would be in the host's way, and a host that closes
 * what it does not know would have another file under its number. The file is
 * opened by its path for each piece, and must be the one it was: a file that was
 * cut, replaced or removed has no more pieces.
 */
#ifndef CATALOG_BYTES_H
#define CATALOG_BYTES_H

#include "base/file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
	uint8_t *data;		       /* NULL: no piece has been read */
	size_t size;		       /* of the file */
	char *path;		       /* NULL: all is there, malloc'd */
	struct file_identity identity; /* of the file */
	unsigned long *there;	       /* a bit for each piece */
	size_t count;		       /* of pieces that are there */
	int held; /* one more than its descriptor; 0: none */
};

/* Those of a file. 0 or -DLAZY_ENOMEM, with message. */
int bytes_begin(struct bytes *b, const char *path,
		const struct file_identity *identity);

/* Those in malloc'd memory, which is taken over. */
void bytes_take(struct bytes *b, void *data, size_t size);

void bytes_end(struct bytes *b);

/* The file, if it is the one that it was. 0, or, with message, -DLAZY_EFORMAT, or a
 * state. */
int bytes_open_again(const struct bytes *b, int *ret_fd);

/* Keeps it open, for a moment in which it may be replaced. Where that cannot be done
 * it is opened for each piece as ever. */
void bytes_hold(struct bytes *b);

/* Gives back what was read, if it is some MiB; false: it is not. */
bool bytes_forget(struct bytes *b);

/*
 * Makes sure that [offset, offset + size) can be read at b->data + offset from now
 * on. 0, or, with message, -DLAZY_EFORMAT: the file has not got them, or is not the
 * file that it was; or a state.
 */
int bytes_want(struct bytes *b, uint64_t offset, uint64_t size);

#endif
