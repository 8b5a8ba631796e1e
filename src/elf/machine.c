/* SPDX-License-Identifier: MIT */
/*
 * Names of machines (EM_ values), for messages only. An unknown machine is as
 * good as a known one.
 */
#include "elf/machine.h"

#include "base/array.h"
#include "elf/native.h"
#include "elf/view.h"

#include <stdio.h>
#include <string.h>

/* Newer than some <elf.h>. */
#ifndef EM_LOONGARCH
#define EM_LOONGARCH 258
#endif
#ifndef STO_AARCH64_VARIANT_PCS
#define STO_AARCH64_VARIANT_PCS 0x80
#endif
#ifndef STO_RISCV_VARIANT_CC
#define STO_RISCV_VARIANT_CC 0x80
#endif

/* The header of the object that this code is in: set by the link editor. */
extern const ElfN(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

static const struct machine {
	unsigned number;
	unsigned char usual_class;
	const char *name;
	const char *multiarch; /* of the usual class; NULL: not known */
} machines[] = {
	{EM_386, ELFCLASS32, "x86", "i386-linux-gnu"},
	{EM_X86_64, ELFCLASS64, "x86-64", "x86_64-linux-gnu"},
	{EM_ARM, ELFCLASS32, "ARM", "arm-linux-gnueabihf"},
	{EM_AARCH64, ELFCLASS64, "AArch64", "aarch64-linux-gnu"},
	{EM_RISCV, ELFCLASS64, "RISC-V", "riscv64-linux-gnu"},
	{EM_PPC, ELFCLASS32, "PowerPC", NULL},
	{EM_PPC64, ELFCLASS64, "PowerPC64", "powerpc64le-linux-gnu"},
	{EM_S390, ELFCLASS64, "S/390", "s390x-linux-gnu"},
	{EM_MIPS, ELFCLASS32, "MIPS", NULL},
	{EM_LOONGARCH, ELFCLASS64, "LoongArch", "loongarch64-linux-gnu"},
	{EM_SPARC, ELFCLASS32, "SPARC", NULL},
	{EM_SPARCV9, ELFCLASS64, "SPARC V9", NULL},
	{EM_IA_64, ELFCLASS64, "Itanium", NULL},
	{EM_68K, ELFCLASS32, "m68k", NULL},
	{EM_SH, ELFCLASS32, "SuperH", NULL},
	{EM_PARISC, ELFCLASS32, "PA-RISC", NULL},
	{EM_ALPHA, ELFCLASS64, "Alpha", NULL},
};

static bool is_elf(const uint8_t *header, size_t size)
{
	return size >= MACHINE_HEADER_SIZE &&
	       memcmp(header, ELFMAG, SELFMAG) == 0;
}

/* e_machine, which is at the same place in both classes. */
static unsigned machine_number(const uint8_t *header)
{
	return header[EI_DATA] == ELFDATA2MSB
		       ? (unsigned)header[18] << 8 | header[19]
		       : (unsigned)header[19] << 8 | header[18];
}

const char *elf_machine_name(const uint8_t *header, size_t size, char *buffer,
			     size_t buffer_size)
{
	if (!is_elf(header, size))
		return NULL;
	unsigned number = machine_number(header);
	unsigned char class = header[EI_CLASS];
	const char *wide = "", *order = "";

	snprintf(buffer, buffer_size, "machine %u", number);
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		if (machines[i].number != number)
			continue;
		if (class != machines[i].usual_class)
			wide = class == ELFCLASS64 ? " 64-bit" : " 32-bit";
		if (header[EI_DATA] == ELFDATA2MSB)
			order = " big-endian";
		if (!*wide && !*order)
			return machines[i].name;
		snprintf(buffer, buffer_size, "%s%s%s", machines[i].name, wide,
			 order);
	}
	return buffer;
}

const char *machine_native_name(void)
{
	static _Thread_local char name[48];

	return elf_machine_name((const uint8_t *)&__ehdr_start,
				sizeof(__ehdr_start), name, sizeof(name));
}

enum machine_fit machine_fit(const uint8_t *header, size_t size)
{
	if (!is_elf(header, size))
		return MACHINE_NOT_ELF;
	return header[EI_CLASS] == __ehdr_start.e_ident[EI_CLASS] &&
			       header[EI_DATA] ==
				       __ehdr_start.e_ident[EI_DATA] &&
			       machine_number(header) == __ehdr_start.e_machine
		       ? MACHINE_NATIVE
		       : MACHINE_FOREIGN;
}

const char *machine_multiarch(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (machines[i].number == __ehdr_start.e_machine &&
		    machines[i].usual_class == __ehdr_start.e_ident[EI_CLASS] &&
		    machines[i].multiarch)
			return machines[i].multiarch;
	return "";
}

bool machine_is_wide(void)
{
	return __ehdr_start.e_ident[EI_CLASS] == ELFCLASS64;
}

bool machine_is_variant(uint8_t st_other)
{
	switch (__ehdr_start.e_machine) {
	case EM_AARCH64:
		return st_other & STO_AARCH64_VARIANT_PCS;
	case EM_RISCV:
		return st_other & STO_RISCV_VARIANT_CC;
	default:
		return false;
	}
}

bool machine_has_plain_hash(void)
{
	/* Alpha and 64-bit S/390 have 64-bit words there, against the gABI. */
	return __ehdr_start.e_machine != EM_ALPHA &&
	       !(__ehdr_start.e_machine == EM_S390 &&
		 __ehdr_start.e_ident[EI_CLASS] == ELFCLASS64);
}
