/* SPDX-License-Identifier: MIT */
/*
 * The symbols that a file refers to and does not define: a relocatable object,
 * the members of an archive, or a linked file. Also of other machines than this,
 * if they are of 64 bits and little-endian.
 */
#ifndef LINK_CODE_UNDEFINED_H
#define LINK_CODE_UNDEFINED_H

/* The name is valid during the call. 0, or a status that ends all. */
typedef int undefined_fn(const char *name, void *data);

/*
 * Calls fn for each; of an archive, also for what one member has for another.
 * 0; the status of opening, reading or of fn; -DLAZY_EFORMAT with the reason:
 * damaged, of another kind, or without symbols yet (-flto).
 */
int undefined_each(const char *path, undefined_fn *fn, void *data);

#endif
