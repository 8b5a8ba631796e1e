/* SPDX-License-Identifier: MIT */
/*
 * Resources that are released at the end of their scope. A function uses these
 * for everything it acquires, or for nothing; TAKE_PTR and TAKE_FD hand a
 * resource over to somebody else.
 */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * Scopes end also when a module's constructor throws a C++ exception through
 * dlopen and us: we are compiled with -fexceptions. The routines that find
 * what to clean up, and go on, are libgcc_s's. A host in C++ has them; they are
 * weak so that this library needs libc alone.
 */
__asm__(".weak __gcc_personality_v0\n\t.weak _Unwind_Resume");

#define _cleanup_(f) __attribute__((cleanup(f)))

/* The pointer's value, which is NULL afterwards. */
#define TAKE_PTR(p)                       \
	({                                \
		__auto_type taken_ = (p); \
		(p) = NULL;               \
		taken_;                   \
	})

/* The descriptor's value, which is -1 afterwards. */
#define TAKE_FD(fd)                \
	({                         \
		int taken_ = (fd); \
		(fd) = -1;         \
		taken_;            \
	})

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close(int *fd)
{
	if (*fd >= 0) {
		int saved = errno;
		close(*fd);
		errno = saved;
	}
}

static inline void cleanup_closedir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

#define _cleanup_free_ _cleanup_(cleanup_free)
#define _cleanup_close_ _cleanup_(cleanup_close)
#define _cleanup_closedir_ _cleanup_(cleanup_closedir)

#endif
