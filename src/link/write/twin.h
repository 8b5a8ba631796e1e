/* SPDX-License-Identifier: MIT */
/*
 * A shared object that nobody loads: it needs one library, and has references to
 * symbols of it, with their versions. Tools that find out dependencies of
 * packages read it (dpkg-shlibdeps(1), ldd(1), RPM's).
 */
#ifndef LINK_WRITE_TWIN_H
#define LINK_WRITE_TWIN_H

#include "elf/cpu.h"

#include <stddef.h>
#include <stdint.h>

struct twin_symbol {
	const char *name;
	const char *version; /* "" if none */
};

/* The file, malloc'd. 0, -DLAZY_ENOMEM, or -DLAZY_EFORMAT: more versions than ELF
 * can tell apart. */
int twin_write(enum elf_cpu cpu, const char *library,
	       const struct twin_symbol *symbols, size_t count,
	       uint8_t **ret_data, size_t *ret_size);

#endif
