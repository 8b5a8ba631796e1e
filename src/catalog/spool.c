/* SPDX-License-Identifier: MIT */
/*
 * The last bytes are in memory, and those before them in the file; as long as there
 * is no file, all are in memory. If the file cannot be written to any more, it is
 * read back, as there may be memory where there is no room on the disk.
 */
#include "catalog/spool.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* More is in a file, if there can be one. */
#define MEMORY_MOST ((size_t)2 << 20)

/* What is in memory of a file's end. */
#define TAIL_MOST ((size_t)64 << 10)

struct spool spool_begin(int dirfd, const char *place)
{
	return (struct spool){.dirfd = dirfd, .place = place, .fd = -1};
}

void spool_end(struct spool *s)
{
	cleanup_close(&s->fd);
	free(s->memory);
	*s = spool_begin(-1, NULL);
}

static size_t in_memory(const struct spool *s)
{
	return (size_t)(s->size - s->written);
}

/* A file without a name in the directory of the place. */
static int open_nameless(const struct spool *s)
{
	char parent[PATH_MAX];
	int length = (int)(file_base_name(s->place) - s->place);

	snprintf(parent, sizeof(parent), "%.*s.", length, s->place);
	return openat(s->dirfd, parent, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

/* The file as it was becomes memory again. */
static int recall(struct spool *s)
{
	size_t all = (size_t)s->size, room = all < 4096 ? 4096 : 2 * all;
	_cleanup_free_ uint8_t *memory = malloc(room);

	if (!memory)
		return status_fail(DLAZY_ENOMEM, "no memory for a catalog");
	if (!file_read_at(s->fd, 0, memory, (size_t)s->written))
		return status_fail(errno ? status_from_errno(errno) : DLAZY_EIO,
				   "cannot read what was written: %s",
				   errno ? strerror(errno) : "it was cut");
	memcpy(memory + s->written, s->memory, in_memory(s));
	free(s->memory);
	s->memory = TAKE_PTR(memory);
	s->room = room;
	s->written = 0;
	s->place = NULL;
	cleanup_close(&s->fd);
	s->fd = -1;
	return 0;
}

/* Gives memory back where there is a file now. */
static void shrink(struct spool *s)
{
	uint8_t *memory = realloc(s->memory, TAIL_MOST);

	if (!memory)
		return;
	s->memory = memory;
	s->room = TAIL_MOST;
}

/* Has the file take what is in memory. */
static int flush(struct spool *s)
{
	if (!file_write_at(s->fd, s->written, s->memory, in_memory(s)))
		return recall(s);
	s->written = s->size;
	if (s->room > TAIL_MOST)
		shrink(s);
	return 0;
}

/* Room for more bytes in memory. */
static int make_room(struct spool *s, size_t size)
{
	size_t wanted = in_memory(s);

	if (size > SIZE_MAX / 4 - wanted)
		return status_fail(DLAZY_ENOMEM, "no memory for a catalog");
	wanted += size;
	if (wanted <= s->room)
		return 0;
	wanted = wanted < 2048 ? 4096 : 2 * wanted;
	uint8_t *memory = realloc(s->memory, wanted);
	if (!memory)
		return status_fail(DLAZY_ENOMEM, "no memory for a catalog");
	s->memory = memory;
	s->room = wanted;
	return 0;
}

/* Makes the file, if there is too much for memory. */
static int settle(struct spool *s, size_t size)
{
	size_t most = s->fd < 0 ? MEMORY_MOST : TAIL_MOST;

	if (!s->place || in_memory(s) + size <= most)
		return 0;
	if (s->fd >= 0)
		return flush(s);
	s->fd = open_nameless(s);
	if (s->fd < 0) {
		s->place = NULL;
		return 0;
	}
	return flush(s);
}

int spool_add(struct spool *s, const void *bytes, size_t size)
{
	int status = settle(s, size);

	if (status == 0)
		status = make_room(s, size);
	if (status < 0)
		return status;
	memcpy(s->memory + in_memory(s), bytes, size);
	s->size += size;
	return 0;
}

int spool_read(struct spool *s, uint64_t at, void *to, size_t size)
{
	if (s->fd >= 0 && s->size > s->written) {
		int status = flush(s);
		if (status < 0)
			return status;
	}
	if (s->fd < 0) {
		memcpy(to, s->memory + at, size);
		return 0;
	}
	if (file_read_at(s->fd, at, to, size))
		return 0;
	return status_fail(errno ? status_from_errno(errno) : DLAZY_EIO,
			   "cannot read what was written: %s",
			   errno ? strerror(errno) : "it was cut");
}
