/* SPDX-License-Identifier: MIT */
/*
 * dlazy_read_constant(), for arguments that are checked.
 */
#ifndef LOAD_CONSTANT_H
#define LOAD_CONSTANT_H

#include "load/module.h"

/* How many bytes the object has, or a negated status, with message. */
ptrdiff_t constant_read(struct dlazy_module *m, const char *symbol,
			void *buffer, size_t size, bool initial);

#endif
