/* SPDX-License-Identifier: MIT */
/*
 * The one-line adoption: include this instead of <dlfcn.h>, link with -ldlazy,
 * and the functions of dlopen's family are lazy.
 *
 *   dlopen   declares, with DLAZY_CHECK: NULL where a load would fail; the file
 *            is loaded by the first call of a function, or at once with
 *            RTLD_GLOBAL. RTLD_NOLOAD: is it open here, or loaded?
 *            A later open adds RTLD_GLOBAL, RTLD_NOW and RTLD_NODELETE
 *   dlsym    a function is a stub; data loads now. Looks also in the
 *   dlvsym   libraries that the file needs, as dlsym does
 *   dlclose  drops the handle. With the last one the object is unloaded, as
 *            there, unless dlazy_open() or a registry has it, too. Stubs stay
 *            callable: they load it anew. A handle that has been closed is an
 *            error from then on
 *   dlerror  the words of the last of these calls, if that failed, once
 *   dlinfo   loads, and asks the dynamic linker
 *   dladdr   of a stub: loads, and tells of the function; dli_saddr is the stub
 *
 * dlopen(NULL), RTLD_DEFAULT, RTLD_NEXT, and handles and addresses that are not
 * of this library go to the real functions. The header's own functions behave
 * as those of <dlfcn.h> do: what they return, who owns it, threads. Messages
 * are valid until this thread's next call of one of them. A handle is a struct
 * dlazy_module, for the functions of dlazy.h.
 *
 * As in <dlfcn.h>, dlvsym, dlinfo and dladdr need _GNU_SOURCE. doc/limits.md has
 * what a program notices all the same.
 */
#ifndef DLAZY_DLFCN_H
#define DLAZY_DLFCN_H

#include <dlazy/dlazy.h>
#include <dlfcn.h>

#ifdef __cplusplus
extern "C" {
#endif

/* As the functions of these names. Since: 0.2 */
DLAZY_PUBLIC void *dlazy_dlopen(const char *path, int flags);
DLAZY_PUBLIC void *dlazy_dlsym(void *handle, const char *symbol);
DLAZY_PUBLIC void *dlazy_dlvsym(void *handle, const char *symbol,
				const char *version);
DLAZY_PUBLIC int dlazy_dlclose(void *handle);
DLAZY_PUBLIC char *dlazy_dlerror(void);
DLAZY_PUBLIC int dlazy_dlinfo(void *handle, int request, void *arg);
#ifdef _GNU_SOURCE
DLAZY_PUBLIC int dlazy_dladdr(const void *address, Dl_info *info);
#endif

/* RTLD_DEFAULT and RTLD_NEXT: about the object that calls. */
static inline int dlazy_is_scope(const void *handle)
{
	return !handle || handle == (void *)-1L;
}

__attribute__((always_inline)) static inline void *dlazy_dlsym_here(
	void *handle, const char *symbol)
{
	if (!dlazy_is_scope(handle))
		return dlazy_dlsym(handle, symbol);
	dlazy_dlerror(); /* what failed before is over */
	return dlsym(handle, symbol);
}

#if defined(_GNU_SOURCE) && defined(__GLIBC__)
__attribute__((always_inline)) static inline void *dlazy_dlvsym_here(
	void *handle, const char *symbol, const char *version)
{
	if (!dlazy_is_scope(handle))
		return dlazy_dlvsym(handle, symbol, version);
	dlazy_dlerror();
	return dlvsym(handle, symbol, version);
}
#endif

#ifdef __cplusplus
}
#endif

#define dlopen dlazy_dlopen
#define dlsym dlazy_dlsym_here
#define dlclose dlazy_dlclose
#define dlerror dlazy_dlerror
#ifdef _GNU_SOURCE
#ifdef __GLIBC__
#define dlvsym dlazy_dlvsym_here
#else
#define dlvsym dlazy_dlvsym
#endif
#define dlinfo dlazy_dlinfo
#define dladdr dlazy_dladdr
#endif

#endif /* DLAZY_DLFCN_H */
