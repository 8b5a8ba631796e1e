/* SPDX-License-Identifier: MIT */
/*
 * The ELF structures of the class (32 or 64 bits) that this build is of, as
 * ElfW() of <link.h> names them. <link.h> itself would bring in <dlfcn.h>.
 */
#ifndef ELF_NATIVE_H
#define ELF_NATIVE_H

#include <elf.h>
#include <stdint.h>

#if UINTPTR_MAX > UINT32_MAX
#define ElfN(type) Elf64_##type
#else
#define ElfN(type) Elf32_##type
#endif

#if UINTPTR_MAX > UINT32_MAX
#define NATIVE_R_SYM(info) ELF64_R_SYM(info)
#define NATIVE_R_TYPE(info) ELF64_R_TYPE(info)
#else
#define NATIVE_R_SYM(info) ELF32_R_SYM(info)
#define NATIVE_R_TYPE(info) ELF32_R_TYPE(info)
#endif

/* The same in both classes. */
#define NATIVE_ST_BIND(info) ELF64_ST_BIND(info)
#define NATIVE_ST_TYPE(info) ELF64_ST_TYPE(info)
#define NATIVE_ST_VISIBILITY(other) ELF64_ST_VISIBILITY(other)

#endif
