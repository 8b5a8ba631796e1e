/* SPDX-License-Identifier: MIT */
/*
 * Which data of a library somebody takes: an object of the closure, or any file
 * of the machine.
 */
#ifndef LINK_WANTED_H
#define LINK_WANTED_H

#include "link/takes.h"

struct machine;

/* Sets those of the library's definitions that are taken; `wanted` is as long
 * as they are many. takes, machine: or NULL. 0 or -DLAZY_ENOMEM. */
int wanted_find(const struct closure *closure, const struct names *names,
		const struct takes *takes, const struct machine *machine,
		size_t object, bool *wanted);

/*
 * Whether somebody on the machine takes data from the library that a stub file
 * would not have without loading it (definition_is_ready()). If so: by whom, as
 * machine_takes_data() tells. 0 or -DLAZY_ENOMEM.
 */
int wanted_unready(const struct closure *closure, const struct names *names,
		   const struct machine *machine, size_t object, bool *ret,
		   char **ret_symbol, char **ret_importer);

#endif
