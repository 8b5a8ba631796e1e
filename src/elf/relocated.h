/* SPDX-License-Identifier: MIT */
/* Which of a file's symbols the dynamic linker has to look up, and when. */
#ifndef ELF_RELOCATED_H
#define ELF_RELOCATED_H

#include <stddef.h>
#include <stdint.h>

enum relocated {
	RELOCATED_NOW = 1 << 0,	 /* when the object is loaded */
	RELOCATED_LATE = 1 << 1, /* a function's slot of the PLT: at its first
				    call, if the object is bound lazily */
};

/* For each of `count` dynamic symbols what relocations refer to it, 0: none.
 * malloc'd. 0 or a status. */
int relocated_read(int fd, const char *name, size_t count, uint8_t **ret);

#endif
