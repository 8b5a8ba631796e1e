/* SPDX-License-Identifier: MIT */
/*
 * Holding files. The mapping is never read by us, as the file may have been cut
 * since, which would be SIGBUS: write(2) says so instead.
 */
#include "load/held.h"

#include "base/cleanup.h"
#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static uint64_t started_ns; /* since the epoch; 0: not known yet */
static _Atomic(struct held *) kept;

__attribute__((constructor)) static void note_start(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now) == 0)
		started_ns = (uint64_t)now.tv_sec * 1000000000u +
			     (uint64_t)now.tv_nsec;
}

bool held_is_due(const struct file_identity *identity)
{
	return identity->ctime_ns + file_time_grain(identity->ctime_ns) >=
	       started_ns;
}

static bool map_file(const char *path, const struct file_identity *identity,
		     struct file_map *ret)
{
	_cleanup_close_ int fd = -1;
	struct file_identity found;

	return file_open(AT_FDCWD, path, &fd, &found) == 0 &&
	       file_identity_equal(&found, identity) &&
	       file_map(fd, found.size, ret) == 0;
}

struct held *held_new(const char *path, const struct file_identity *identity)
{
	struct held *held = malloc(sizeof(*held));

	if (!held)
		return NULL;
	*held = (struct held){.fd = -1};
	if (map_file(path, identity, &held->map))
		return held;
	status_clear();
	free(held);
	return NULL;
}

/* Somebody may read its name still. */
static void keep(struct held *held)
{
	held->next = atomic_load(&kept);
	while (!atomic_compare_exchange_weak(&kept, &held->next, held))
		;
}

void held_free(struct held *held)
{
	if (!held)
		return;
	held_close(held);
	file_unmap(&held->map);
	if (held->object[0])
		keep(held);
	else
		free(held);
}

static bool write_whole(int fd, const struct file_map *map)
{
	for (size_t done = 0; done < map->size;) {
		ssize_t n = write(fd, map->data + done, map->size - done);

		if (n < 0 && errno != EINTR)
			return false;
		done += n > 0 ? (size_t)n : 0;
	}
	return true;
}

int held_open(struct held *held, const char *name)
{
	if (held->fd < 0) {
		_cleanup_close_ int fd = memfd_create("dlazy", MFD_CLOEXEC);

		if (fd < 0 || !write_whole(fd, &held->map))
			return status_fail(status_from_errno(errno),
					   "%s: the file that was opened has "
					   "gone, and cannot be kept: %s",
					   name, strerror(errno));
		held->fd = TAKE_FD(fd);
	}
	return 0;
}

void held_close(struct held *held)
{
	if (held->fd >= 0)
		close(held->fd);
	held->fd = -1;
}
