/* SPDX-License-Identifier: MIT */
/*
 * Which machine an ELF file is for, and whether this process can load it. That
 * is decided by comparing with our own ELF header, so there is no list of
 * supported CPUs.
 */
#ifndef ELF_MACHINE_H
#define ELF_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a file that these functions want to see. */
#define MACHINE_HEADER_SIZE 20

enum machine_fit {
	MACHINE_NOT_ELF,
	MACHINE_FOREIGN, /* another class, byte order or machine */
	MACHINE_NATIVE,
};

enum machine_fit machine_fit(const uint8_t *header, size_t size);

/* The words for this machine. */
const char *machine_native_name(void);

/* The directory of this machine's libraries where several machines share a
 * system (Debian's multiarch); "" if not known. */
const char *machine_multiarch(void);

/* Is a class of 64 bits native? */
bool machine_is_wide(void);

/* Has the symbol a calling convention that must be bound at load? */
bool machine_is_variant(uint8_t st_other);

/* Are words of DT_HASH 32 bits wide here, as the gABI has them? */
bool machine_has_plain_hash(void);

#endif
