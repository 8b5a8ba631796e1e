/* SPDX-License-Identifier: MIT */
/*
 * The few system calls of the audit object. It has no C library: its own copy
 * of one would be mapped and relocated in each traced program, and the
 * program's is not its own. Results are the kernel's: negated errno.
 */
#ifndef HOOK_KERNEL_H
#define HOOK_KERNEL_H

#include "hook/cpu.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

#define KERNEL_CALL(name, a, b, c, d, e, f)                              \
	cpu_call(SYS_##name, (long)(a), (long)(b), (long)(c), (long)(d), \
		 (long)(e), (long)(f))

static inline long kernel_open(const char *path, int flags)
{
	return KERNEL_CALL(openat, AT_FDCWD, path, flags | O_CLOEXEC, 0600, 0,
			   0);
}

static inline long kernel_close(long fd)
{
	return KERNEL_CALL(close, fd, 0, 0, 0, 0, 0);
}

static inline long kernel_read(long fd, void *buffer, size_t size)
{
	return KERNEL_CALL(read, fd, buffer, size, 0, 0, 0);
}

static inline long kernel_write(long fd, const void *data, size_t size)
{
	return KERNEL_CALL(write, fd, data, size, 0, 0, 0);
}

static inline long kernel_resize(long fd, uint64_t size)
{
	return KERNEL_CALL(ftruncate, fd, size, 0, 0, 0, 0);
}

/* Is there room for so many bytes more? (No blocks at all: there is no limit.)
 * */
static inline int kernel_has_room(long fd, uint64_t size)
{
	struct statfs st;

	return KERNEL_CALL(fstatfs, fd, &st, 0, 0, 0, 0) != 0 ||
	       st.f_blocks == 0 ||
	       (uint64_t)st.f_bavail >= size / (uint64_t)st.f_bsize;
}

/* Maps the first `size` bytes of a file shared, at `at` if that is not NULL. */
static inline void *kernel_map(long fd, void *at, size_t size)
{
	long result = KERNEL_CALL(mmap, at, size, PROT_READ | PROT_WRITE,
				  MAP_SHARED | (at ? MAP_FIXED : 0), fd, 0);

	return result < 0 && result > -4096 ? NULL : (void *)result;
}

static inline void *kernel_map_private(size_t size)
{
	long result = KERNEL_CALL(mmap, NULL, size, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return result < 0 && result > -4096 ? NULL : (void *)result;
}

static inline void kernel_unmap(void *at, size_t size)
{
	KERNEL_CALL(munmap, at, size, 0, 0, 0, 0);
}

static inline long kernel_read_link(const char *path, char *buffer, size_t size)
{
	return KERNEL_CALL(readlinkat, AT_FDCWD, path, buffer, size, 0, 0);
}

/* Do two paths lead to one file? */
static inline int kernel_same_file(const char *a, const char *b)
{
	struct statx x, y;

	return KERNEL_CALL(statx, AT_FDCWD, a, 0, STATX_INO, &x, 0) == 0 &&
	       KERNEL_CALL(statx, AT_FDCWD, b, 0, STATX_INO, &y, 0) == 0 &&
	       x.stx_ino == y.stx_ino && x.stx_dev_major == y.stx_dev_major &&
	       x.stx_dev_minor == y.stx_dev_minor;
}

/* The current directory; its length with its NUL. */
static inline long kernel_directory(char *buffer, size_t size)
{
	return KERNEL_CALL(getcwd, buffer, size, 0, 0, 0, 0);
}

static inline uint32_t kernel_process(void)
{
	return (uint32_t)KERNEL_CALL(getpid, 0, 0, 0, 0, 0, 0);
}

static inline uint32_t kernel_parent(void)
{
	return (uint32_t)KERNEL_CALL(getppid, 0, 0, 0, 0, 0, 0);
}

static inline uint32_t kernel_thread(void)
{
	return (uint32_t)KERNEL_CALL(gettid, 0, 0, 0, 0, 0, 0);
}

static inline uint64_t kernel_now(void)
{
	struct timespec t = {0, 0};

	KERNEL_CALL(clock_gettime, CLOCK_MONOTONIC, &t, 0, 0, 0, 0);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Copies from this process's own memory, where that may not be there. */
static inline int kernel_peek(uint64_t address, void *buffer, size_t size)
{
	struct iovec to = {buffer, size}, from = {(void *)address, size};

	return KERNEL_CALL(process_vm_readv, kernel_process(), &to, 1, &from, 1,
			   0) == (long)size;
}

#endif
