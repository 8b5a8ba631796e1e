/* SPDX-License-Identifier: MIT */
/* Opening by a path or a name: which file that is, and its module. */
#ifndef LOAD_OPEN_H
#define LOAD_OPEN_H

#include "load/module.h"

/*
 * The absolute path that dlopen(path) would mean in the object that has the code
 * address `caller`. What has $ORIGIN, $LIB or $PLATFORM in it, and is no file as
 * it stands, is expanded. 0 and a malloc'd path, or a status.
 */
int open_locate(const char *path, const void *caller, char **ret);

/* As dlazy_open(), of a path that is not empty. hold: what is loaded later is the
 * file that is there now, if that is new (see held.h). */
struct dlazy_module *open_module(const char *path, int flags,
				 const void *caller, bool hold);

/* RTLD_NOLOAD as dlopen has it: the module, if it is open, with one more
 * reference and the flags. NULL, without a message: it is not. */
struct dlazy_module *open_again(const char *path, int flags,
				const void *caller);

#endif
