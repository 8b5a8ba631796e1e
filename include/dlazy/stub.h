/* SPDX-License-Identifier: MIT */
/*
 * For programs that are linked with a stub which `dlazy stub` wrote: the
 * functions that come with it, and what they are where the library is linked
 * plainly.
 *
 *     #include <dlazy/stub.h>
 *     DLAZY_STUB(libpng16);
 *     ...
 *     if (!libpng16_available())
 *             puts("no PNG here: install libpng16-16");
 *
 * The name is --prefix, by default made of the SONAME: what stands before
 * ".so", with '_' for what C allows in no name (librsvg-2.so.2: librsvg_2).
 *
 * With DLAZY_PLAIN defined (the switch of doc/stub.md's build files does it)
 * the same source needs neither a stub nor libdlazy, and this file includes
 * nothing: it can be copied into a tree that is to be built without dlazy.
 */
#ifndef DLAZY_STUB_H
#define DLAZY_STUB_H

#ifndef DLAZY_PLAIN
#include <dlazy/dlazy.h>
#include <dlazy/lifecycle.h>
#endif

#ifdef __cplusplus
#define DLAZY_STUB_C extern "C"
#else
#define DLAZY_STUB_C
#endif

#ifdef __GNUC__
#define DLAZY_STUB_UNUSED __attribute__((unused))
#else
#define DLAZY_STUB_UNUSED
#endif

/*
 * Declares
 *
 *   int NAME_available(void)    whether a load would succeed, as far as reading
 *                               tells (dlazy_check()): 1 or 0. Loads nothing.
 *                               (Of a standalone stub: loads it.)
 *   int NAME_has(SYMBOL)        whether the installed library exports it, also
 *                               where it is older than the header: 1 or 0; 0
 *                               if the library is not available. SYMBOL is text:
 *                               "foo", or "foo@VERSION". Loads nothing. (Of a
 *                               standalone stub: loads it.) Since: 0.2
 *   int NAME_load_now(void)     loads it: before a sandbox, a signal handler, a
 *                               hot path. As dlazy_load(): 0, or a negated
 *                               DLAZY_E...
 *   const char *NAME_error(void)  the words for the failure just met
 *                               (dlazy_error()), or NULL
 *   int NAME_on_failure(FN, DATA)  what to do when a call cannot be made, as
 *                               dlazy_on_failure() for this library alone
 *   int NAME_on_load(FN, DATA)  what to do after each load, before the first call
 *                               goes in, as dlazy_on_load() (<dlazy/lifecycle.h>):
 *                               int FN(struct dlazy_module *, void *DATA).
 *                               Since: 0.2
 *   struct dlazy_module *NAME_module(void)  the library for dlazy_resolve(),
 *                               dlazy_module_state() and the like; valid for
 *                               the life of the process. NULL: out of memory
 *                               (Of a standalone stub: also where the process
 *                               has no libdlazy.)
 *
 * All are functions of the stub. Plainly linked, the library is there, nothing
 * fails, it has what the link found, NAME_on_load() calls FN at once (with NULL),
 * and there is no NAME_module(). Any thread
 * may call any of them. Since: 0.1
 */
#ifndef DLAZY_PLAIN

#define DLAZY_STUB(name)                                                      \
	DLAZY_STUB_C int name##_available(void);                              \
	DLAZY_STUB_C int name##_has(const char *symbol);                      \
	DLAZY_STUB_C int name##_load_now(void);                               \
	DLAZY_STUB_C struct dlazy_module *name##_module(void);                \
	DLAZY_STUB_C const char *name##_error(void);                          \
	DLAZY_STUB_C int name##_on_load(dlazy_load_fn *fn, void *data);       \
	DLAZY_STUB_C int name##_on_failure(dlazy_failure_fn *fn, void *data); \
	struct dlazy_module

#else

struct dlazy_module;

/* As in <dlazy/dlazy.h>. */
#ifndef DLAZY_FAILURE
#define DLAZY_FAILURE
struct dlazy_failure {
	__SIZE_TYPE__ size;
	struct dlazy_module *module;
	const char *symbol;
	int status;
	const char *message;
	const void *caller;
	int *once;
};
#endif

#define DLAZY_STUB(name)                                                       \
	DLAZY_STUB_UNUSED static inline int name##_available(void)             \
	{                                                                      \
		return 1;                                                      \
	}                                                                      \
	DLAZY_STUB_UNUSED static inline int name##_has(const char *symbol)     \
	{                                                                      \
		(void)symbol;                                                  \
		return 1;                                                      \
	}                                                                      \
	DLAZY_STUB_UNUSED static inline int name##_load_now(void)              \
	{                                                                      \
		return 0;                                                      \
	}                                                                      \
	DLAZY_STUB_UNUSED static inline const char *name##_error(void)         \
	{                                                                      \
		return 0;                                                      \
	}                                                                      \
	DLAZY_STUB_UNUSED static inline int name##_on_load(                    \
		int (*fn)(struct dlazy_module *, void *), void *data)          \
	{                                                                      \
		return fn ? fn(0, data) : 0;                                   \
	}                                                                      \
	DLAZY_STUB_UNUSED static inline int name##_on_failure(                 \
		void *(*fn)(const struct dlazy_failure *, void *), void *data) \
	{                                                                      \
		(void)fn;                                                      \
		(void)data;                                                    \
		return 0;                                                      \
	}                                                                      \
	struct dlazy_module

#endif

#endif
