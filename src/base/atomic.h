/* SPDX-License-Identifier: MIT */
/*
 * Telling Helgrind (valgrind) where atomics are. It models locks, but not C11
 * atomics, and would report each of them as a race. The marks are a few
 * instructions that do nothing outside valgrind; they are there where
 * valgrind's header was at hand. ThreadSanitizer needs none.
 *
 * Reports that remain are a plugin's own: what its constructor wrote and
 * another thread reads after a stub has loaded the slot, which Helgrind cannot
 * see.
 */
#ifndef BASE_ATOMIC_H
#define BASE_ATOMIC_H

#include <stddef.h>

#if __has_include(<valgrind/helgrind.h>)
#include <valgrind/helgrind.h>
#else
#define VALGRIND_HG_DISABLE_CHECKING(at, size) ((void)(at), (void)(size))
#endif

/* Says that *object is only ever used atomically once it is shared; or, of
 * `size` bytes, that they are reached through such a one and not changed. */
#define ATOMIC_SHARED(object) ATOMIC_SHARED_BYTES(object, sizeof(*(object)))
#define ATOMIC_SHARED_BYTES(at, size) VALGRIND_HG_DISABLE_CHECKING(at, size)

/* ThreadSanitizer does not see the lock under which this function's data were
 * written, as it is another's (the dynamic linker's): what the function itself
 * reads and writes is not checked. */
#define UNSEEN_LOCK __attribute__((no_sanitize("thread")))

#endif
