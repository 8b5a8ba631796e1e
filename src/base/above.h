/* SPDX-License-Identifier: MIT */
/*
 * Pointers to functions of a layer above, for a layer that may be called
 * before any constructor has run, so that nobody could have told it whom to
 * call. The lower layer defines the pointer, empty and weak; the layer above
 * defines it anew, and the linker takes that definition. A program that links
 * the lower layer alone keeps the empty one. doc/design.md lists these
 * pointers. A layer that constructors can tell is given its functions by a
 * call.
 */
#ifndef BASE_ABOVE_H
#define BASE_ABOVE_H

#include <stddef.h>

/* Not const, or the compiler would take the empty one to be the only one. It is
 * read-only all the same once it is relocated. */
#define ABOVE __attribute__((section(".data.rel.ro")))

/* Marks the empty definition, in the lower layer. */
#define ABOVE_NONE ABOVE __attribute__((weak))

#endif
