/* SPDX-License-Identifier: MIT */
/*
 * The functions of the C library that dlazy asks for files and memory, each with
 * a word before it. What is called is the C library's own, found behind us; for
 * memory by the names that it keeps for that, as dlsym() may allocate.
 */
#include "tests/faults/inject.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_ALLOCATOR 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer)
#define OWN_ALLOCATOR 1
#endif
#endif

/* Sanitizers call these before they are ready for code of theirs. */
#define PLAIN __attribute__((no_sanitize("thread", "address", "undefined")))
#define EXPORT __attribute__((visibility("default"))) PLAIN

static struct {
	char kind[16]; /* "": none */
	long n;
	int error;
	bool always;
	long count;
	bool hit;
} armed;

static const char *hit_file;

void fault_arm(const char *kind, long n, int error, bool always)
{
	armed.kind[0] = '\0';
	armed.n = n;
	armed.error = error;
	armed.always = always;
	armed.count = 0;
	armed.hit = false;
	strncpy(armed.kind, kind, sizeof(armed.kind) - 1);
}

bool fault_disarm(void)
{
	armed.kind[0] = '\0';
	return armed.hit;
}

/* Whether this call of that kind is to fail; errno is set then. */
PLAIN static bool fails(const char *kind)
{
	if (!armed.kind[0] || strcmp(armed.kind, kind) != 0)
		return false;
	long count = __atomic_add_fetch(&armed.count, 1, __ATOMIC_RELAXED);
	if (armed.always ? count < armed.n : count != armed.n)
		return false;
	if (!armed.hit && hit_file)
		syscall(SYS_close,
			syscall(SYS_openat, AT_FDCWD, hit_file,
				O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
	armed.hit = true;
	errno = armed.error;
	return true;
}

/* How much a short call gives: not nothing, which would be the end. */
PLAIN static size_t short_of(size_t size)
{
	return size - size / 2;
}

/* clang-format off */
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define TAKE_MODE(mode, last) \
	va_list args_; \
	va_start(args_, last); \
	mode_t mode = takes_mode(last) ? va_arg(args_, mode_t) : 0; \
	va_end(args_)
/* clang-format on */

PLAIN static bool takes_mode(int flags)
{
	return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
}

EXPORT int open(const char *path, int flags, ...)
{
	TAKE_MODE(mode, flags);
	return fails("open") ? -1 : REAL(open)(path, flags, mode);
}

EXPORT int openat(int dir, const char *path, int flags, ...)
{
	TAKE_MODE(mode, flags);
	return fails("open") ? -1 : REAL(openat)(dir, path, flags, mode);
}

EXPORT FILE *fopen(const char *path, const char *mode)
{
	return fails("open") ? NULL : REAL(fopen)(path, mode);
}

EXPORT DIR *opendir(const char *path)
{
	return fails("open") ? NULL : REAL(opendir)(path);
}

EXPORT DIR *fdopendir(int fd)
{
	return fails("fdopendir") ? NULL : REAL(fdopendir)(fd);
}

EXPORT int fstat(int fd, struct stat *st)
{
	return fails("stat") ? -1 : REAL(fstat)(fd, st);
}

EXPORT int stat(const char *path, struct stat *st)
{
	return fails("stat") ? -1 : REAL(stat)(path, st);
}

EXPORT int lstat(const char *path, struct stat *st)
{
	return fails("stat") ? -1 : REAL(lstat)(path, st);
}

EXPORT int fstatat(int dir, const char *path, struct stat *st, int flags)
{
	return fails("stat") ? -1 : REAL(fstatat)(dir, path, st, flags);
}

EXPORT ssize_t read(int fd, void *buffer, size_t size)
{
	if (!fails("read"))
		return REAL(read)(fd, buffer, size);
	return errno ? -1 : REAL(read)(fd, buffer, short_of(size));
}

EXPORT ssize_t pread(int fd, void *buffer, size_t size, off_t offset)
{
	if (!fails("read"))
		return REAL(pread)(fd, buffer, size, offset);
	return errno ? -1 : REAL(pread)(fd, buffer, short_of(size), offset);
}

EXPORT ssize_t write(int fd, const void *data, size_t size)
{
	if (!fails("write"))
		return REAL(write)(fd, data, size);
	return errno ? -1 : REAL(write)(fd, data, short_of(size));
}

EXPORT ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
	if (!fails("write"))
		return REAL(pwrite)(fd, data, size, offset);
	return errno ? -1 : REAL(pwrite)(fd, data, short_of(size), offset);
}

EXPORT int posix_fallocate(int fd, off_t offset, off_t size)
{
	return fails("allocate") ? errno
				 : REAL(posix_fallocate)(fd, offset, size);
}

EXPORT struct dirent *readdir(DIR *stream)
{
	return fails("readdir") ? NULL : REAL(readdir)(stream);
}

EXPORT void *mmap(void *at, size_t size, int protection, int flags, int fd,
		  off_t offset)
{
	return fails("mmap")
		       ? MAP_FAILED
		       : REAL(mmap)(at, size, protection, flags, fd, offset);
}

EXPORT int rename(const char *from, const char *to)
{
	return fails("rename") ? -1 : REAL(rename)(from, to);
}

EXPORT int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return fails("rename") ? -1
			       : REAL(renameat)(from_dir, from, to_dir, to);
}

EXPORT int fsync(int fd)
{
	return fails("fsync") ? -1 : REAL(fsync)(fd);
}

EXPORT int flock(int fd, int operation)
{
	return fails("flock") ? -1 : REAL(flock)(fd, operation);
}

EXPORT int ftruncate(int fd, off_t size)
{
	return fails("ftruncate") ? -1 : REAL(ftruncate)(fd, size);
}

EXPORT ssize_t readlink(const char *path, char *buffer, size_t size)
{
	return fails("readlink") ? -1 : REAL(readlink)(path, buffer, size);
}

EXPORT ssize_t readlinkat(int dir, const char *path, char *buffer, size_t size)
{
	return fails("readlink") ? -1
				 : REAL(readlinkat)(dir, path, buffer, size);
}

EXPORT int mkdir(const char *path, mode_t mode)
{
	return fails("mkdir") ? -1 : REAL(mkdir)(path, mode);
}

EXPORT int fchmod(int fd, mode_t mode)
{
	return fails("fchmod") ? -1 : REAL(fchmod)(fd, mode);
}

EXPORT int symlinkat(const char *target, int dir, const char *path)
{
	return fails("symlink") ? -1 : REAL(symlinkat)(target, dir, path);
}

static void arm_by_environment(void)
{
	const char *kind = getenv("FAULT_CALL"), *n = getenv("FAULT_N");
	const char *error = getenv("FAULT_ERRNO"), *in = getenv("FAULT_IN");
	const char *always = getenv("FAULT_ALWAYS");

	hit_file = getenv("FAULT_HIT");
	if (kind && n && error &&
	    (!in || !strcmp(in, program_invocation_short_name)))
		fault_arm(kind, atol(n), atoi(error), always && *always == '1');
}

#if defined(__GLIBC__) && !defined(OWN_ALLOCATOR)

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);

/* LeakSanitizer, where it is preloaded behind us: it looks at what it has
 * allocated. Its functions are looked up once, as dlsym() forgets what dlerror()
 * is just allocating a text for. */
__attribute__((weak)) extern void __lsan_do_leak_check(void);
static __typeof__(&malloc) next_malloc;
static __typeof__(&calloc) next_calloc;
static __typeof__(&realloc) next_realloc;

static void find_next(void)
{
	next_malloc = __libc_malloc;
	next_calloc = __libc_calloc;
	next_realloc = __libc_realloc;
	if (!__lsan_do_leak_check)
		return;
	next_malloc = REAL(malloc);
	next_calloc = REAL(calloc);
	next_realloc = REAL(realloc);
}

EXPORT void *malloc(size_t size)
{
	if (!next_malloc)
		find_next();
	return fails("malloc") ? NULL : next_malloc(size);
}

EXPORT void *calloc(size_t count, size_t size)
{
	if (!next_malloc)
		find_next();
	return fails("malloc") ? NULL : next_calloc(count, size);
}

EXPORT void *realloc(void *block, size_t size)
{
	if (!next_malloc)
		find_next();
	return fails("malloc") ? NULL : next_realloc(block, size);
}

/* Preloaded alone, LeakSanitizer has these, but not what they are to call. */
static __typeof__(&signal) libc_signal;
static __typeof__(&sigaction) libc_sigaction;

__attribute__((constructor(101))) static void find_signals(void)
{
	void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);

	libc_signal = (__typeof__(&signal))dlsym(libc, "signal");
	libc_sigaction = (__typeof__(&sigaction))dlsym(libc, "sigaction");
	arm_by_environment();
}

EXPORT sighandler_t signal(int number, sighandler_t handler)
{
	return libc_signal(number, handler);
}

EXPORT int sigaction(int number, const struct sigaction *action,
		     struct sigaction *old)
{
	return libc_sigaction(number, action, old);
}

/* valgrind puts an allocator of its own before ours, too. Called by a pointer that
 * the compiler does not see through: it knows of malloc() that it changes nothing
 * else. */
bool fault_has_malloc(void)
{
	static void *(*volatile allocate)(size_t) = malloc;

	fault_arm("malloc", 1, ENOMEM, false);
	free(allocate(1));
	return fault_disarm();
}

#else

__attribute__((constructor(101))) static void arm_first(void)
{
	arm_by_environment();
}

bool fault_has_malloc(void)
{
	return false;
}

#endif
