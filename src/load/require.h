/* SPDX-License-Identifier: MIT */
/*
 * What must be loaded before a module: what its metadata say under "requires", and
 * the plugins of its registry that are DT_NEEDED by their SONAME.
 */
#ifndef LOAD_REQUIRE_H
#define LOAD_REQUIRE_H

#include "load/loading.h"
#include "load/module.h"

struct document;

/*
 * The module that a registry which has m knows by a name: a plugin's name or an id
 * (soname false), or a SONAME. *ret NULL: none. 0 or, with message, a state. Told by
 * the layer above, as it knows registries.
 */
typedef int require_find_fn(const struct dlazy_module *m, const char *name,
			    bool soname, struct dlazy_module **ret);

/* What a module says, as its registry's catalog has it, too; else as
 * metadata_of_module(). */
typedef int require_said_fn(struct dlazy_module *m,
			    const struct document **ret);

void require_ask_registries(require_find_fn *find, require_said_fn *said);

/* Has loads go by what this file knows (load/load.h). */
void require_begin(void);

/* Adds what the plugin's metadata say under "hint" to the pending words, and returns
 * the status again. */
int require_add_hint(struct dlazy_module *m, int status);

#endif
