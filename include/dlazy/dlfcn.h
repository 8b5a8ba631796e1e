/* SPDX-License-Identifier: MIT */
/*
 * The one-line adoption: include this instead of <dlfcn.h>, link with -ldlazy,
 * and dlopen, dlsym, dlclose and dlerror are lazy.
 *
 *   dlopen   declares; the file is loaded by the first call of a function
 *   dlsym    a function is a stub; data loads now. Looks also in the
 *            libraries that the file needs, as dlsym does
 *   dlclose  drops the handle; a loaded object stays mapped
 *
 * dlopen(NULL) and RTLD_NOLOAD, and dlsym with RTLD_DEFAULT, RTLD_NEXT or a
 * handle that the real dlopen gave, go to the real functions. Objects opened
 * with RTLD_GLOBAL are loaded at once. What dlazy.h says of each function it
 * stands on holds here: errors, threads, life times.
 */
#ifndef DLAZY_DLFCN_H
#define DLAZY_DLFCN_H

#include <dlazy/dlazy.h>
#include <dlfcn.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline void *dlazy_dlopen(const char *path, int flags)
{
	if (!path || flags & RTLD_NOLOAD)
		return dlopen(path, flags);
	return (void *)dlazy_open(path, flags);
}

/* always_inline: RTLD_NEXT is about the object that calls. */
__attribute__((always_inline)) static inline void *dlazy_dlsym(
	void *handle, const char *symbol)
{
	struct dlazy_module *m = (struct dlazy_module *)handle;

	if (handle == RTLD_DEFAULT || handle == RTLD_NEXT ||
	    !dlazy_module_name(m))
		return dlsym(handle, symbol);
	return dlazy_sym_closure(m, symbol);
}

static inline int dlazy_dlclose(void *handle)
{
	struct dlazy_module *m = (struct dlazy_module *)handle;

	return dlazy_module_name(m) ? dlazy_close(m) : dlclose(handle);
}

/* The message may be of this library or of libdl; each is said once. */
static inline char *dlazy_dlerror(void)
{
	const char *said = dlazy_error();

	return said ? (char *)(uintptr_t)said : dlerror();
}

#ifdef __cplusplus
}
#endif

#define dlopen dlazy_dlopen
#define dlsym dlazy_dlsym
#define dlclose dlazy_dlclose
#define dlerror dlazy_dlerror

#endif /* DLAZY_DLFCN_H */
