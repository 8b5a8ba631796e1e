/* SPDX-License-Identifier: MIT */
/*
 * COPY relocations: data of a library that a program takes by having a copy
 * made to itself, at its start.
 */
#ifndef ELF_COPIES_H
#define ELF_COPIES_H

#include "elf/image.h"

/*
 * Sets copied[i] for each of `count` symbols that such a relocation names. 0,
 * or, with message, -DLAZY_EMACHINE (it is not known what they look like on
 * this machine), -DLAZY_EFORMAT, -DLAZY_EIO, -DLAZY_ENOMEM.
 */
int copies_read(const struct image *image, bool *copied, size_t count);

#endif
