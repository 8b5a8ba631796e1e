/* SPDX-License-Identifier: MIT */
/*
 * The psABI's facts, a row for each CPU. A new CPU is one more row.
 *
 * Sources: x86-64 psABI 3.6 (registers), 4.4 (relocations) and its properties;
 * AAELF64 4.5, 5.7 and 6; AADWARF64 4.1; DWARF 5, 6.4.
 */
#include "link/write/cpu.h"

#include "elf/machine.h"

#include <elf.h>

/* Newer than some <elf.h>. */
#ifndef R_X86_64_GOTPCRELX
#define R_X86_64_GOTPCRELX 41
#endif
#ifndef GNU_PROPERTY_X86_FEATURE_1_AND
#define GNU_PROPERTY_X86_FEATURE_1_AND 0xc0000002
#define GNU_PROPERTY_X86_FEATURE_1_IBT (1u << 0)
#define GNU_PROPERTY_X86_FEATURE_1_SHSTK (1u << 1)
#endif
#ifndef GNU_PROPERTY_AARCH64_FEATURE_1_AND
#define GNU_PROPERTY_AARCH64_FEATURE_1_AND 0xc0000000
#define GNU_PROPERTY_AARCH64_FEATURE_1_BTI (1u << 0)
#define GNU_PROPERTY_AARCH64_FEATURE_1_PAC (1u << 1)
#endif

enum { DW_CFA_def_cfa = 0x0c, DW_CFA_offset = 0x80 };

/* A line for each fact. */
/* clang-format off */
static const struct build_cpu cpus[ELF_CPU_COUNT] = {
	[ELF_CPU_X86_64] = {
		.machine = EM_X86_64,
		.page_size = 4096,
		.relative = R_X86_64_RELATIVE,
		.address = R_X86_64_64,
		.pointer = R_X86_64_GLOB_DAT,
		.relocations = {
			[BUILD_PC32] = R_X86_64_PC32,
			[BUILD_JUMP] = R_X86_64_PLT32,
			[BUILD_ADDRESS] = R_X86_64_64,
			[BUILD_POINTER] = R_X86_64_GOTPCRELX,
		},
		.property = GNU_PROPERTY_X86_FEATURE_1_AND,
		.features = GNU_PROPERTY_X86_FEATURE_1_IBT |
			    GNU_PROPERTY_X86_FEATURE_1_SHSTK,
		.nop = {0x90, 0x90, 0x90, 0x90},
		/* The frame's end is rsp (7) + 8; below it is the return
		 * address (16). */
		.code_unit = 1,
		.return_register = 16,
		.depth = 8,
		.rules = {DW_CFA_def_cfa, 7, 8, DW_CFA_offset | 16, 1},
	},
	[ELF_CPU_AARCH64] = {
		.machine = EM_AARCH64,
		.page_size = 65536,
		.relative = R_AARCH64_RELATIVE,
		.address = R_AARCH64_ABS64,
		.pointer = R_AARCH64_GLOB_DAT,
		.relocations = {
			[BUILD_PC32] = R_AARCH64_PREL32,
			[BUILD_PAGE] = R_AARCH64_ADR_PREL_PG_HI21,
			[BUILD_LOW12] = R_AARCH64_ADD_ABS_LO12_NC,
			[BUILD_JUMP] = R_AARCH64_JUMP26,
			[BUILD_ADDRESS] = R_AARCH64_ABS64,
			[BUILD_POINTER_PAGE] = R_AARCH64_ADR_GOT_PAGE,
			[BUILD_POINTER_LOW] = R_AARCH64_LD64_GOT_LO12_NC,
		},
		.data_mark = "$d",
		.code_mark = "$x",
		.property = GNU_PROPERTY_AARCH64_FEATURE_1_AND,
		.features = GNU_PROPERTY_AARCH64_FEATURE_1_BTI |
			    GNU_PROPERTY_AARCH64_FEATURE_1_PAC,
		.nop = {0x1f, 0x20, 0x03, 0xd5},
		/* The frame's end is sp (31); the return address is in x30. */
		.code_unit = 4,
		.return_register = 30,
		.depth = 0,
		.rules = {DW_CFA_def_cfa, 31, 0},
	},
};
/* clang-format on */

enum elf_cpu build_cpu_native(void)
{
	for (int cpu = 0; cpu < ELF_CPU_COUNT; cpu++) {
		const Elf64_Ehdr header = {
			.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3,
				    ELFCLASS64, ELFDATA2LSB},
			.e_machine = cpus[cpu].machine,
		};

		if (machine_fit((const uint8_t *)&header, sizeof(header)) ==
		    MACHINE_NATIVE)
			return (enum elf_cpu)cpu;
	}
	return ELF_CPU_NONE;
}

const struct build_cpu *build_cpu(enum elf_cpu cpu)
{
	return &cpus[cpu];
}
