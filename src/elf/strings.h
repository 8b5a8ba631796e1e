/* SPDX-License-Identifier: MIT */
/*
 * A string table that was read into memory with a NUL put behind it. So a
 * string that begins inside the table also ends inside it.
 */
#ifndef ELF_STRINGS_H
#define ELF_STRINGS_H

#include <stddef.h>
#include <stdint.h>

struct strings {
	char *data;
	size_t size; /* without the NUL that was added */
};

/* NULL: outside the table. */
static inline const char *strings_at(const struct strings *strings,
				     uint64_t offset)
{
	return offset < strings->size ? strings->data + offset : NULL;
}

#endif
