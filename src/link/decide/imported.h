/* SPDX-License-Identifier: MIT */
/*
 * Which data of a library others import: an object of the closure, or any file
 * of the index.
 */
#ifndef LINK_DECIDE_IMPORTED_H
#define LINK_DECIDE_IMPORTED_H

#include "link/resolve/references.h"

struct index;

/* Sets those definitions, of all objects (by names_place()), that an object of
 * the closure imports from another, and cannot do without. */
void wanted_by_closure(const struct closure *closure, const struct names *names,
		       const struct references *references, bool *wanted);

/* Sets those of one library that a file of the index imports; `wanted` is for
 * its definitions alone, as many as they are. 0 or -DLAZY_ENOMEM. */
int wanted_by_index(const struct closure *closure, const struct names *names,
		    const struct index *index, size_t object, bool *wanted);

/*
 * Whether a file of the index imports data from the library that a stub file
 * would not have without loading it (definition_is_ready()). If so: by whom, as
 * index_has_importer() tells. 0 or -DLAZY_ENOMEM.
 */
int wanted_unready(const struct closure *closure, const struct names *names,
		   const struct index *index, size_t object, bool *ret,
		   char **ret_symbol, char **ret_importer);

#endif
