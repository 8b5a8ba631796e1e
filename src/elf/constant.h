/* SPDX-License-Identifier: MIT */
/*
 * The bytes of an exported object, read out of its file: what it has once it is
 * loaded, if nobody writes to it, the dynamic linker included.
 */
#ifndef ELF_CONSTANT_H
#define ELF_CONSTANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is asked for. */
struct constant_request {
	const char *symbol;
	const char *version; /* NULL: the default */
	bool initial;	     /* also of an object that can be written to */
};

/*
 * Copies the object's bytes, at most `size`; *ret_size is how many it has. 0, or,
 * with message, -DLAZY_ENOSYM, -DLAZY_EKIND (no object, writable, or an address
 * is written into it when it is loaded), else as elf_view_open().
 */
int elf_constant_read(int fd, const char *name,
		      const struct constant_request *request, void *buffer,
		      size_t size, uint64_t *ret_size);

#endif
