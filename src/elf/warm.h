/* SPDX-License-Identifier: MIT */
/*
 * Warming: reading the bytes of an ELF file that a load would map, so that they
 * are in the kernel's page cache when it does.
 */
#ifndef ELF_WARM_H
#define ELF_WARM_H

/* Reads the loaded segments of the file at `path`. 0 or, with message, a status as
 * of elf_view_open(). */
int elf_warm(const char *path);

#endif
