/* SPDX-License-Identifier: MIT */
/*
 * Opening, identifying and replacing files. A file is opened once, and what is
 * learnt of it is learnt through that descriptor. A file that is to be
 * replaced is written beside its place first, so that a reader sees the old
 * one or the new one. A killed writer leaves at most a dot file, which the
 * next writer of the same name removes.
 */
#include "base/clock.h"
#include "base/file.h"

#include "base/cleanup.h"
#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

/* Longer than any tick in use (10 ms); and than FAT's grain, which is 2 s. */
#define TICK_NS 20000000u
#define SECONDS_NS 2020000000u

/* How often a signal may interrupt one call: more is no signal's doing. */
#define INTERRUPTIONS 1000

/* How long a lock is waited for. */
#define LOCK_MOMENT_MS 5
#define LOCK_MS 2000

/* How often another writer may be quicker. */
#define TEMPORARY_TRIES 100

static uint64_t nanoseconds(struct timespec t)
{
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

struct file_identity file_identity_of(const struct stat *st)
{
	return (struct file_identity){
		.dev = st->st_dev,
		.ino = st->st_ino,
		.size = (uint64_t)st->st_size,
		.mtime_ns = nanoseconds(st->st_mtim),
		.ctime_ns = nanoseconds(st->st_ctim),
	};
}

/* A time that falls on a second is of a file system that keeps no less, but for
 * one in a thousand million. */
bool file_has_fine_time(uint64_t time_ns)
{
	return time_ns % 1000000000u != 0;
}

void file_close_from(int first)
{
#ifdef SYS_close_range
	if (syscall(SYS_close_range, first, ~0u, 0) == 0)
		return;
#endif
	for (long fd = first, end = sysconf(_SC_OPEN_MAX); fd < end; fd++)
		close((int)fd);
}

uint64_t file_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return nanoseconds(now);
}

uint64_t file_time_grain(uint64_t time_ns)
{
	return file_has_fine_time(time_ns) ? TICK_NS : SECONDS_NS;
}

bool file_time_is_past(uint64_t time_ns, uint64_t now_ns)
{
	return now_ns >= time_ns &&
	       now_ns - time_ns >= file_time_grain(time_ns);
}

bool file_identity_equal(const struct file_identity *a,
			 const struct file_identity *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool file_identity_same_inode(const struct file_identity *a,
			      const struct file_identity *b)
{
	return a->dev == b->dev && a->ino == b->ino;
}

int file_identify(int dirfd, const char *path, struct file_identity *ret)
{
	struct stat st;

	if (fstatat(dirfd, path, &st, 0) < 0)
		return status_fail(status_from_errno(errno), "%s: %s", path,
				   strerror(errno));
	*ret = file_identity_of(&st);
	return 0;
}

static int open_regular(int dirfd, const char *path, int flags, int *ret_fd,
			struct stat *ret_st)
{
	_cleanup_close_ int fd =
		openat(dirfd, path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0 && errno == ELOOP && flags & O_NOFOLLOW)
		return status_fail(DLAZY_EUNTRUSTED,
				   "%s: not trusted: a symbolic link", path);
	if (fd < 0 || fstat(fd, ret_st) < 0)
		return status_fail(status_from_errno(errno), "%s: %s", path,
				   strerror(errno));
	if (!S_ISREG(ret_st->st_mode))
		return status_fail(DLAZY_EFORMAT, "%s: not a regular file",
				   path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int file_open(int dirfd, const char *path, int *ret_fd,
	      struct file_identity *ret_identity)
{
	struct stat st;
	int status = open_regular(dirfd, path, O_RDONLY, ret_fd, &st);

	if (status == 0 && ret_identity)
		*ret_identity = file_identity_of(&st);
	return status;
}

bool file_is_trusted(const struct stat *st)
{
	return (st->st_uid == 0 || st->st_uid == geteuid()) &&
	       !(st->st_mode & (S_IWGRP | S_IWOTH));
}

int file_open_trusted(int dirfd, const char *path, int access, int *ret_fd,
		      uint64_t *ret_size)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int status = open_regular(dirfd, path, access | O_NOFOLLOW, &fd, &st);

	if (status < 0)
		return status;
	if (!file_is_trusted(&st))
		return status_fail(DLAZY_EUNTRUSTED,
				   "%s: not trusted: must be yours or root's, "
				   "and not writable by others",
				   path);
	*ret_size = (uint64_t)st.st_size;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

ssize_t file_read_some(int fd, uint64_t offset, void *buffer, size_t size)
{
	ssize_t n = -1;

	for (int i = 0; i < INTERRUPTIONS; i++) {
		n = pread(fd, buffer, size, (off_t)offset);
		if (n >= 0 || errno != EINTR)
			break;
	}
	return n;
}

bool file_read_at(int fd, uint64_t offset, void *buffer, size_t size)
{
	char *at = buffer;

	while (size > 0) {
		ssize_t n = offset > INT64_MAX
				    ? 0
				    : file_read_some(fd, offset, at, size);
		if (n == 0)
			errno = 0;
		if (n <= 0)
			return false;
		at += n;
		offset += (uint64_t)n;
		size -= (size_t)n;
	}
	return true;
}

int file_map(int fd, size_t size, struct file_map *ret)
{
	void *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);

	if (data == MAP_FAILED)
		return status_fail(status_from_errno(errno), "mmap: %s",
				   strerror(errno));
	*ret = (struct file_map){data, size};
	return 0;
}

void file_unmap(struct file_map *map)
{
	if (map->data)
		munmap((void *)map->data, map->size);
	*map = (struct file_map){NULL, 0};
}

void *file_map_shared(int fd, size_t size)
{
	void *data =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (data != MAP_FAILED)
		return data;
	status_fail(status_from_errno(errno), "mmap: %s", strerror(errno));
	return NULL;
}

void file_unmap_shared(void *data, size_t size)
{
	if (data)
		munmap(data, size);
}

void *file_reserve(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

void file_release(void *memory, size_t size)
{
	if (memory)
		munmap(memory, size);
}

void file_forget(void *memory, size_t size)
{
	if (memory && madvise(memory, size, MADV_DONTNEED) < 0)
		memset(memory, 0, size);
}

bool file_write_at(int fd, uint64_t offset, const void *data, size_t size)
{
	const char *at = data;
	int interruptions = 0;

	while (size > 0) {
		ssize_t n = pwrite(fd, at, size, (off_t)offset);
		if (n < 0 && errno == EINTR && ++interruptions < INTERRUPTIONS)
			continue;
		if (n == 0)
			errno = ENOSPC;
		if (n <= 0)
			return false;
		at += n;
		offset += (uint64_t)n;
		size -= (size_t)n;
	}
	return true;
}

/* A child that was forked meanwhile has the descriptor too: closing this one
 * would leave the lock to it. */
static void cleanup_locked(int *fd)
{
	int error = errno;

	if (*fd >= 0)
		flock(*fd, LOCK_UN);
	errno = error;
	cleanup_close(fd);
}
#define _cleanup_locked_ _cleanup_(cleanup_locked)

static uint64_t monotonic_ms(void)
{
	return clock_ns(CLOCK_MONOTONIC) / 1000000;
}

bool file_lock(int fd, unsigned milliseconds)
{
	const struct timespec moment = {.tv_nsec = LOCK_MOMENT_MS * 1000000};
	uint64_t end = monotonic_ms() + milliseconds;

	for (int interrupts = 0; flock(fd, LOCK_EX | LOCK_NB) < 0;) {
		if (errno == EINTR && interrupts++ < INTERRUPTIONS)
			continue;
		if (errno != EWOULDBLOCK)
			return false;
		if (monotonic_ms() >= end) {
			if (errno == EWOULDBLOCK)
				errno = EBUSY;
			return false;
		}
		nanosleep(&moment, NULL);
	}
	return true;
}

/* Removes the temporary; errno stays. */
static void drop_temporary(int dirfd, const char *temporary)
{
	int error = errno;

	unlinkat(dirfd, temporary, 0);
	errno = error;
}

/*
 * Locks and empties the temporary. 1: it is ours; 0: it was another writer's,
 * who has renamed it; -1 and errno: it is not to be had (EBUSY, EPERM), or a
 * call has failed.
 */
static int hold_temporary(int dirfd, const char *temporary, int fd)
{
	struct stat held, named;

	if (fstat(fd, &held) < 0)
		return -1;
	/* Before the lock: another user could hold that for ever. */
	if (!S_ISREG(held.st_mode) || held.st_uid != geteuid()) {
		errno = EPERM;
		return -1;
	}
	/* Another writer is done in moments. One that was stopped must not
	 * stop us: a host writes catalogs when it starts. */
	if (!file_lock(fd, LOCK_MS))
		return -1;
	/* Whoever held the lock before may have renamed it. */
	if (fstatat(dirfd, temporary, &named, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -1;
	if (named.st_dev != held.st_dev || named.st_ino != held.st_ino)
		return 0;
	if (named.st_nlink != 1) {
		errno = EPERM;
		return -1;
	}
	return ftruncate(fd, 0) < 0 ? -1 : 1;
}

/* *ret_made: it was not there before; *ret_there: it was, at first. */
static int open_or_make(int dirfd, const char *temporary, mode_t mode,
			bool *ret_made, bool *ret_there)
{
	const int flags = O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	int fd = openat(dirfd, temporary, flags | O_CREAT | O_EXCL, mode);

	*ret_made = fd >= 0;
	*ret_there = fd < 0 && errno == EEXIST;
	if (*ret_there)
		fd = openat(dirfd, temporary, flags);
	if (fd < 0 && errno == ELOOP)
		errno = EPERM; /* somebody's link */
	return fd;
}

/*
 * The temporary file ".NAME.new", locked, empty and ours. It has one name, so
 * that what a killed writer leaves is taken up by the next one, and the lock
 * makes two writers follow each other. -1 and errno on failure.
 */
static int open_temporary(int dirfd, const char *temporary, mode_t mode)
{
	for (int tries = 0; tries < TEMPORARY_TRIES; tries++) {
		bool made, there;
		_cleanup_locked_ int fd =
			open_or_make(dirfd, temporary, mode, &made, &there);

		if (fd < 0 && errno == ENOENT && there)
			continue; /* renamed between the two */
		if (fd < 0)
			return -1;
		int held = hold_temporary(dirfd, temporary, fd);
		if (held > 0)
			return TAKE_FD(fd);
		if (held < 0 && made && errno != EBUSY)
			drop_temporary(dirfd, temporary);
		if (held < 0)
			return -1;
	}
	errno = EBUSY;
	return -1;
}

/* Makes a rename last. Where that cannot be done the file is in place all the
 * same, whole; and some file systems do not sync directories. */
static void sync_parent(int dirfd, const char *name)
{
	char parent[PATH_MAX];
	int length = (int)(file_base_name(name) - name);

	snprintf(parent, sizeof(parent), "%.*s.", length, name);
	_cleanup_close_ int fd =
		openat(dirfd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		fsync(fd);
}

int file_replace_by(int dirfd, const char *name, file_fill_fn *fill, void *data,
		    mode_t mode)
{
	char temporary[PATH_MAX];
	const char *base = file_base_name(name);
	int n = snprintf(temporary, sizeof(temporary), "%.*s.%s.new",
			 (int)(base - name), name, base);

	if (n < 0 || (size_t)n >= sizeof(temporary))
		return status_fail(DLAZY_EINVAL, "%s: name too long", name);

	_cleanup_locked_ int fd = open_temporary(dirfd, temporary, mode);
	if (fd < 0)
		return status_fail(status_from_errno(errno),
				   "%s: cannot write: %s", name,
				   strerror(errno));
	if (!fill(fd, data) || fsync(fd) < 0 ||
	    renameat(dirfd, temporary, dirfd, name) < 0) {
		drop_temporary(dirfd, temporary);
		return status_fail(status_from_errno(errno),
				   "%s: cannot write: %s", name,
				   strerror(errno));
	}
	sync_parent(dirfd, name);
	return 0;
}

struct contents {
	const void *data;
	size_t size;
};

static bool fill_with(int fd, void *data)
{
	const struct contents *contents = data;

	return file_write_at(fd, 0, contents->data, contents->size);
}

int file_replace(int dirfd, const char *name, const void *data, size_t size,
		 mode_t mode)
{
	struct contents contents = {data, size};

	return file_replace_by(dirfd, name, fill_with, &contents, mode);
}

int file_make_dirs(const char *path)
{
	char part[PATH_MAX];
	size_t n = strlen(path);

	if (n == 0 || n >= sizeof(part))
		return status_fail(DLAZY_EINVAL, "%s: not a usable path", path);
	memcpy(part, path, n + 1);
	for (char *at = part + 1;; at++) {
		char c = *at;

		if (c != '/' && c != '\0')
			continue;
		*at = '\0';
		if (mkdir(part, 0700) < 0 && errno != EEXIST)
			return status_fail(status_from_errno(errno),
					   "%s: cannot make directory: %s",
					   part, strerror(errno));
		if (c == '\0')
			return 0;
		*at = c;
	}
}

DIR *file_list(int dirfd, const char *path)
{
	_cleanup_close_ int fd = openat(
		dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);

	if (stream)
		(void)TAKE_FD(fd);
	return stream;
}

char *file_absolute(const char *path)
{
	_cleanup_free_ char *cwd = path[0] != '/' ? getcwd(NULL, 0) : NULL;
	char *absolute;

	if (path[0] != '/' && !cwd) {
		status_fail(status_from_errno(errno),
			    "%s: no current directory: %s", path,
			    strerror(errno));
		return NULL;
	}
	while (path[0] == '.' && path[1] == '/') {
		path += 2;
		while (*path == '/')
			path++;
	}
	bool is_below = path[0] != '/' && strcmp(cwd, "/") != 0;
	if (asprintf(&absolute, "%s%s%s", is_below ? cwd : "",
		     path[0] == '/' ? "" : "/", path) >= 0)
		return absolute;
	status_no_memory(path);
	return NULL;
}

const char *file_base_name(const char *path)
{
	const char *base = path;

	for (; *path; path++)
		if (*path == '/')
			base = path + 1;
	return base;
}
