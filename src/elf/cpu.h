/* SPDX-License-Identifier: MIT */
/*
 * The CPUs that dlazy writes machine code for, a line each. All of them have 64
 * bits and are little-endian. A CPU that is not in this list has no stub files.
 */
#ifndef ELF_CPU_H
#define ELF_CPU_H

/* X(NAME, word for people) */
#define ELF_CPU_MAP(X)      \
	X(X86_64, "x86_64") \
	X(AARCH64, "aarch64")

enum elf_cpu {
	ELF_CPU_NONE = -1, /* another */
#define ELF_CPU_ENUM(name, word) ELF_CPU_##name,
	ELF_CPU_MAP(ELF_CPU_ENUM)
#undef ELF_CPU_ENUM
		ELF_CPU_COUNT,
};

#endif
