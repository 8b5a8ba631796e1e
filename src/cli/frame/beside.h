/* SPDX-License-Identifier: MIT */
/*
 * Files of this installation, found from where the running tool is: in the
 * tree that it was installed to, which may have been moved since; in the one
 * that it was built in; or where it was configured to be.
 */
#ifndef CLI_FRAME_BESIDE_H
#define CLI_FRAME_BESIDE_H

#include <limits.h>

/* relative: of the file's directory, to the tool's; configured: its absolute
 * path. 1; 0: it is not there; ret then says where it should be; or a state that
 * kept it from being looked for. */
int beside_find(const char *name, const char *relative, const char *configured,
		char ret[PATH_MAX]);

/* The tool's own path; "" if /proc does not tell. */
void beside_own(char ret[PATH_MAX]);

#endif
