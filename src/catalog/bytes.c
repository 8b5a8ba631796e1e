/* SPDX-License-Identifier: MIT */
/*
 * Reading pieces of a catalog file. Address space for the whole file is
 * reserved, which costs nothing until it is written to. So what was read stays
 * where it is, and pieces lie side by side as in the file.
 */
#include "catalog/bytes.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

/* Little is read in vain for one plugin; a walk, which comes to the piece behind one
 * that is there, reads some more at once. */
#define PIECE 8192u
#define AHEAD 3

/* What is worth to be given back. */
#define FORGET_LEAST ((size_t)1 << 20)

#define WORD_BITS (sizeof(unsigned long) * CHAR_BIT)

int bytes_begin(struct bytes *b, const char *path,
		const struct file_identity *identity)
{
	*b = (struct bytes){.size = (size_t)identity->size,
			    .path = strdup(path),
			    .identity = *identity};
	return b->path ? 0 : status_no_memory(path);
}

void bytes_take(struct bytes *b, void *data, size_t size)
{
	*b = (struct bytes){.data = data, .size = size};
}

/* Whether the descriptor that was kept is the file's still. */
static bool is_held(const struct bytes *b)
{
	struct stat st;

	return b->held && fstat(b->held - 1, &st) == 0 &&
	       (uint64_t)st.st_dev == b->identity.dev &&
	       (uint64_t)st.st_ino == b->identity.ino;
}

void bytes_end(struct bytes *b)
{
	if (b->path)
		file_release(b->data, b->size);
	else
		free(b->data);
	free(b->path);
	free(b->there);
	/* Who closes all that it does not know may have another file there. */
	if (is_held(b))
		close(b->held - 1);
	*b = (struct bytes){.data = NULL};
}

static bool is_there(const struct bytes *b, size_t piece)
{
	return b->there[piece / WORD_BITS] & 1ul << piece % WORD_BITS;
}

static int make_room(struct bytes *b)
{
	size_t pieces = b->size / PIECE + 1;

	if (!b->there)
		b->there = calloc(pieces / WORD_BITS + 1, sizeof(*b->there));
	if (!b->data)
		b->data = file_reserve(b->size);
	if (!b->there || !b->data)
		return status_no_memory(b->path);
	return 0;
}

/* A process that has given up its privileges will not get them back: for it, what
 * they could read is lost, and not for the moment. */
static bool may_read(const char *path)
{
	return faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == 0 ||
	       errno != EACCES;
}

int bytes_open_again(const struct bytes *b, int *ret_fd)
{
	_cleanup_close_ int fd = -1;
	struct file_identity now;
	int status = file_open(AT_FDCWD, b->path, &fd, &now);

	if (status_is_state(status) && may_read(b->path))
		return status;
	if (status < 0 || !file_identity_equal(&now, &b->identity))
		return status_fail(DLAZY_EFORMAT,
				   "%s: replaced or changed meanwhile",
				   b->path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

void bytes_hold(struct bytes *b)
{
	int fd;

	if (!b->path || b->held)
		return;
	if (bytes_open_again(b, &fd) < 0)
		status_clear();
	else
		b->held = fd + 1;
}

bool bytes_forget(struct bytes *b)
{
	if (!b->path || b->count < FORGET_LEAST / PIECE)
		return false;
	file_forget(b->data, b->size);
	memset(b->there, 0,
	       (b->size / PIECE / WORD_BITS + 1) * sizeof(*b->there));
	b->count = 0;
	return true;
}

/* Reads the pieces from first to last. */
static int read_pieces(struct bytes *b, size_t first, size_t last)
{
	_cleanup_close_ int opened = -1;
	uint64_t from = (uint64_t)first * PIECE;
	uint64_t to = ((uint64_t)last + 1) * PIECE;
	bool held = is_held(b);
	int status = held ? 0 : bytes_open_again(b, &opened);
	int fd = held ? b->held - 1 : opened;

	if (status < 0)
		return status;
	if (to > b->size)
		to = b->size;
	if (!file_read_at(fd, from, b->data + from, (size_t)(to - from)))
		return status_fail(errno ? status_from_errno(errno)
					 : DLAZY_EFORMAT,
				   "%s: cannot read: %s", b->path,
				   errno ? strerror(errno) : "it was cut");
	for (size_t i = first; i <= last; i++)
		b->there[i / WORD_BITS] |= 1ul << i % WORD_BITS;
	b->count += last - first + 1;
	return 0;
}

/* The end of the pieces from `i` to `last`, or some more, that are not there. */
static size_t run_end(const struct bytes *b, size_t i, size_t last)
{
	size_t pieces = (b->size + PIECE - 1) / PIECE;

	if (i > 0 && is_there(b, i - 1))
		last += AHEAD;
	while (i <= last && i < pieces && !is_there(b, i))
		i++;
	return i;
}

int bytes_want(struct bytes *b, uint64_t offset, uint64_t size)
{
	if (!range_within(offset, size, b->size))
		return status_fail(DLAZY_EFORMAT, "damaged catalog");
	if (!b->path || size == 0)
		return 0;
	int status = b->there && b->data ? 0 : make_room(b);
	size_t last = (size_t)((offset + size - 1) / PIECE);

	/* What is there already is not touched: it was checked. */
	for (size_t i = (size_t)(offset / PIECE); status == 0 && i <= last;) {
		size_t end = run_end(b, i, last);

		if (end > i)
			status = read_pieces(b, i, end - 1);
		i = end + 1;
	}
	return status;
}
