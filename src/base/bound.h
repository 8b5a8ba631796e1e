/* SPDX-License-Identifier: MIT */
/*
 * Functions of libc that are bound when the library is loaded, not when they are
 * first called. The linker's own part of a first call takes up to 4 KiB of stack
 * (_dl_runtime_resolve saves all vector registers, with AVX-512 in 2.7 KiB), and
 * what runs on the stack of a caller, before there is another, must be less.
 *
 * 	BOUND(sigaltstack);	above its first use
 *
 * Clang has no such attribute (14): there, the linker's part comes on top.
 */
#ifndef BASE_BOUND_H
#define BASE_BOUND_H

#include <errno.h>

#if __has_attribute(noplt)
#define BOUND(function) \
	extern __typeof__(function) function __attribute__((noplt))
#else
#define BOUND(function) extern __typeof__(function) function
#endif

BOUND(__errno_location); /* of errno */

#endif
