/* SPDX-License-Identifier: MIT */
/*
 * Helgrind (valgrind) models locks, but not C11 atomics, and would report each
 * one as a race. So it is told where they are: a few instructions that do
 * nothing outside valgrind, where its header was to be had. ThreadSanitizer
 * needs no telling of them.
 *
 * What it still reports is a plugin's own: what its constructor wrote, and
 * another thread reads behind the load of a stub, which it cannot see.
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
