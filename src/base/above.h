/* SPDX-License-Identifier: MIT */
/*
 * Functions of a layer above, for a layer that may be called before any
 * constructor could have told it of them: a pointer that is empty where it is
 * called, and weak, and that the layer above defines anew. Who links the lower
 * layer alone is left with the empty one. doc/design.md lists those that there
 * are; whom constructors can tell, is told by a call.
 */
#ifndef BASE_ABOVE_H
#define BASE_ABOVE_H

#include <stddef.h>

/* Not const, or the compiler would take the empty one to be the only one. It is
 * read-only all the same once it is relocated. */
#define ABOVE __attribute__((section(".data.rel.ro")))

/* Of the empty one. */
#define ABOVE_NONE ABOVE __attribute__((weak))

#endif
