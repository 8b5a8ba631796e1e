/* SPDX-License-Identifier: MIT */
/*
 * Imported data: which data of a library other files import, as objects of the
 * closure or as any file of the index.
 */
#ifndef LINK_DECIDE_IMPORTED_H
#define LINK_DECIDE_IMPORTED_H

#include "link/resolve/references.h"

struct index;

/* Sets those definitions, of all objects (by symtab_position()), that an object
 * of the closure imports from another, and cannot do without. */
void imported_by_closure(const struct closure *closure,
			 const struct symtab *symtab,
			 const struct references *references, bool *imported);

/* Sets those of one library that a file of the index imports; `imported` is for
 * its definitions alone, as many as they are. 0, or the state that kept something
 * from being read. */
int imported_by_index(const struct closure *closure,
		      const struct symtab *symtab, const struct index *index,
		      size_t object, bool *imported);

/*
 * Whether a file of the index imports data from the library that a stub file
 * would not have without loading it (definition_is_ready()). If so: by whom, as
 * index_has_importer() tells. 0, or a state as above.
 */
int imported_unready(const struct closure *closure, const struct symtab *symtab,
		     const struct index *index, size_t object, bool *ret,
		     char **ret_symbol, char **ret_importer);

#endif
