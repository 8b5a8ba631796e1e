/* SPDX-License-Identifier: MIT */
/*
 * The facts of one ELF file: its SONAME, what it needs, and the data symbols
 * that it imports and exports.
 */
#ifndef LINK_INDEX_FACTS_H
#define LINK_INDEX_FACTS_H

#include "link/index/tables.h"

struct facts {
	uint64_t soname; /* hash; 0: none */
	uint32_t counts[TABLE_READ];
	uint64_t keys[]; /* list behind list */
};

/*
 * Reads a file. 0; *ret is malloc'd, or NULL: it is not ours (not ELF, of
 * another machine, static, damaged, gone), or *ret_denied: we have no permission
 * to read it. Or the state that kept it from being read (status_is_state()),
 * with message. ret_identity: of what was opened; all 0 if nothing was.
 */
int facts_read(const char *path, struct file_identity *ret_identity,
	       struct facts **ret, bool *ret_denied);

/* The name of which that key is, whatever its version, if the file imports it;
 * malloc'd; NULL: not to be found (any more). 0, or a state as above. */
int facts_name(const char *path, uint64_t key, char **ret);

/* Is that what we have no permission for, to read it (and, of a directory, to
 * search it)? The place of a file whose permissions others give. */
bool facts_denied(const char *path, bool directory);

#endif
