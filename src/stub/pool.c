/* SPDX-License-Identifier: MIT */
/*
 * More stubs than the library's text holds: the same pages mapped again, at
 * the same distance from new slots. Two sources, in this order:
 *
 * 1. The file this code was mapped from. Its pages are shared with every
 *    process that uses it. They are compared with the running ones, as a
 *    package upgrade may have put another file in its place.
 * 2. A sealed memfd with a copy, where there is no /proc or the file is gone.
 *
 * Moving the running text with mremap(MREMAP_DONTUNMAP) would be a third, but
 * it works in no place where the second does not, unlocks what mlockall()
 * locked, and breaks qemu-user.
 *
 * No page is ever writable and executable: file and memfd are mapped r-x at
 * once, and the memfd is sealed against writing before that.
 */
#include "stub/pool.h"

#include "base/cleanup.h"
#include "base/status.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif

/* A reservation that ends with its scope unless it is taken. */
struct span {
	char *start;
	size_t size;
};

static void cleanup_span(struct span *span)
{
	if (span->start)
		munmap(span->start, span->size);
}

static void cleanup_fclose(FILE **file)
{
	if (*file)
		fclose(*file);
}

/* What the kernel says of the mapping that holds the pool. */
struct origin {
	unsigned long start, end, offset;
	char path[PATH_MAX];
};

static bool parse_origin(const char *line, struct origin *ret)
{
	int at = 0;

	if (sscanf(line, "%lx-%lx %*s %lx %*s %*s %n", &ret->start, &ret->end,
		   &ret->offset, &at) != 3)
		return false;
	size_t length = strcspn(line + at, "\n");
	if (line[at] != '/' || length >= sizeof(ret->path))
		return false;
	memcpy(ret->path, line + at, length);
	ret->path[length] = '\0';
	return true;
}

/* Text whose protection was changed in part is several lines: the pool must
 * lie in one. */
static bool find_origin(struct origin *ret)
{
	_cleanup_(cleanup_fclose) FILE *maps = fopen("/proc/self/maps", "re");
	uintptr_t pool = (uintptr_t)stub_pool;
	char line[PATH_MAX + 128];

	while (maps && fgets(line, sizeof(line), maps))
		if (parse_origin(line, ret) && ret->start <= pool &&
		    pool + POOL_BYTES <= ret->end)
			return true;
	return false;
}

/* The file, and where in it the pool is. */
static int open_own_file(int *ret_fd, off_t *ret_offset)
{
	struct origin origin;

	if (!find_origin(&origin))
		return status_fail(DLAZY_ENOMEM,
				   "own file: not named in /proc/self/maps");
	int fd = open(origin.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return status_fail(DLAZY_ENOMEM, "%s: %s", origin.path,
				   strerror(errno));
	*ret_fd = fd;
	*ret_offset =
		(off_t)(origin.offset + (uintptr_t)stub_pool - origin.start);
	return 0;
}

static int open_memfd(void)
{
	/* Mapping it executable is allowed all the same: what the flag
	 * forbids is execve(), and some systems ask for it. */
	int fd = memfd_create("dlazy-stubs", MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("dlazy-stubs",
				  MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd;
}

static bool seal(int fd)
{
	return fcntl(fd, F_ADD_SEALS,
		     F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW |
			     F_SEAL_SEAL) == 0;
}

/* A copy of the pool that nobody can change. The message tells of the first
 * way too, whose failure it follows. */
static int open_copy(int *ret_fd)
{
	_cleanup_close_ int fd = open_memfd();

	if (fd < 0 || write(fd, stub_pool, POOL_BYTES) != (ssize_t)POOL_BYTES ||
	    !seal(fd))
		return status_fail(DLAZY_ENOMEM, "%s; memfd: %s",
				   status_message(), strerror(errno));
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* Address space for code, slots and what lies between. */
static struct span reserve_span(void)
{
	ptrdiff_t distance = pool_distance();
	size_t size =
		POOL_BYTES + (size_t)(distance < 0 ? -distance : distance);
	void *start = mmap(NULL, size, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return (struct span){start == MAP_FAILED ? NULL : start, size};
}

/* Only what is mapped now counts, so a short file is seen before it is read:
 * touching pages behind its end would raise SIGBUS. */
static bool has_pool(int fd, off_t offset)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       st.st_size >= offset + (off_t)POOL_BYTES;
}

static const unsigned char *fill_span(const struct span *span, int fd,
				      off_t offset)
{
	ptrdiff_t distance = pool_distance();
	char *code = distance < 0 ? span->start - distance : span->start;
	char *slots = code + distance;
	char *low = (distance < 0 ? slots : code) + POOL_BYTES;

	if (mmap(code, POOL_BYTES, PROT_READ | PROT_EXEC,
		 MAP_PRIVATE | MAP_FIXED, fd, offset) == MAP_FAILED ||
	    mmap(slots, POOL_BYTES, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		return NULL;
	/* A hole that cannot be made is address space, no more. */
	munmap(low, span->size - 2 * POOL_BYTES);
	return (const unsigned char *)code;
}

/* The pool from an open file, verified. */
static int map_from(int fd, off_t offset, const unsigned char **ret_code)
{
	if (!has_pool(fd, offset))
		return status_fail(DLAZY_ENOMEM,
				   "own file: replaced by a shorter one");
	_cleanup_(cleanup_span) struct span span = reserve_span();
	const unsigned char *code =
		span.start ? fill_span(&span, fd, offset) : NULL;
	if (!code)
		return status_fail(DLAZY_ENOMEM, "mmap: %s", strerror(errno));
	if (memcmp(code, stub_pool, POOL_BYTES) != 0)
		return status_fail(DLAZY_ENOMEM,
				   "own file: replaced by another one");
	span.start = NULL;
	*ret_code = code;
	return 0;
}

static int map_own_file(const unsigned char **ret_code)
{
	_cleanup_close_ int fd = -1;
	off_t offset;
	int r = open_own_file(&fd, &offset);

	return r < 0 ? r : map_from(fd, offset, ret_code);
}

static int map_copy(const unsigned char **ret_code)
{
	_cleanup_close_ int fd = -1;
	int r = open_copy(&fd);

	return r < 0 ? r : map_from(fd, 0, ret_code);
}

#ifndef SYS_mseal
#define SYS_mseal 462 /* on all CPUs */
#endif

static void *slots_of(const unsigned char *code)
{
	return (char *)(uintptr_t)code + pool_distance();
}

int pool_protect(const unsigned char *code, bool read_only)
{
	if (mprotect(slots_of(code), POOL_BYTES,
		     read_only ? PROT_READ : PROT_READ | PROT_WRITE) == 0)
		return 0;
	return status_fail(DLAZY_ENOMEM,
			   "tables of stubs cannot be made read-only: %s",
			   strerror(errno));
}

void pool_seal(const unsigned char *code)
{
	syscall(SYS_mseal, slots_of(code), POOL_BYTES, 0ul);
}

int pool_map(const unsigned char **ret_code)
{
	if (map_own_file(ret_code) == 0)
		return 0;
	if (map_copy(ret_code) < 0)
		return status_prefix("no more stubs can be mapped (raise the "
				     "limits on descriptors and memory?)");
	status_clear();
	return 0;
}
