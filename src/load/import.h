/* SPDX-License-Identifier: MIT */
/* Function pointers of the host, filled with stubs first and real addresses
 * later. */
#ifndef LOAD_IMPORT_H
#define LOAD_IMPORT_H

#include "load/module.h"

/* As dlazy_bind(), for an open module. */
int import_bind(struct dlazy_module *m, const struct dlazy_import *imports,
		size_t n, const void *caller);

/* As dlazy_unbind(). */
void import_unbind(struct dlazy_module *m, const struct dlazy_import *imports,
		   size_t n);

#endif
