/* SPDX-License-Identifier: MIT */
/*
 * A relocatable stub file, with the names it defines for who indexes them.
 */
#ifndef LINK_STUBFILE_OBJECT_H
#define LINK_STUBFILE_OBJECT_H

#include "link/write/build.h"
#include "link/stubfile/stubfile.h"

struct object_names {
	struct build_strings strings; /* one behind the other; the first is
					 empty and does not count */
	size_t count;
};

/* As stubfile_object(). The names are the caller's. */
int object_write(const struct library *library,
		 const struct stubfile_options *options, struct stubfile *ret,
		 struct object_names *ret_names);

#endif
