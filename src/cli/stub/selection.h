/* SPDX-License-Identifier: MIT */
/*
 * What `dlazy stub` is asked for: which file a library's name stands for, and
 * which of its symbols are wanted.
 */
#ifndef CLI_STUB_SELECTION_H
#define CLI_STUB_SELECTION_H

#include "link/stubfile/library.h"

/* Words of the command line: NULL-ended arrays, "" and NULL as none. */
struct selection {
	const char *name;	  /* a path or a bare name */
	const char *flag;	  /* NAME of -lNAME, in place of it */
	const char **directories; /* of -L */
	const char **globs;	  /* of --only: wanted is what matches one */
	const char **users;	  /* of --used-by: and what one of them names */
};

/*
 * The absolute path of the library: a path is itself, a bare name is searched
 * for as ld.so(8) does, -lNAME as ld(1) does. 0 or a status with message;
 * -DLAZY_EFORMAT also for a linker's script, with what to name in its place.
 */
int selection_find(const struct selection *selection, char **ret_path);

/*
 * Leaves in the library only the symbols that are wanted. 0, -DLAZY_ENOSYM if
 * none is left, or the status of reading a user.
 */
int selection_apply(const struct selection *selection, struct library *library);

#endif
