/* SPDX-License-Identifier: MIT */
/* Relocations of x86-64: the psABI, section 4.4. */
#include "hook/cpu.h"

#include <link.h>

enum cpu_slot cpu_slot(uint64_t r_info)
{
	switch (ELF64_R_TYPE(r_info)) {
	case R_X86_64_64:
	case R_X86_64_GLOB_DAT:
		return CPU_SLOT_POINTER;
	case R_X86_64_COPY:
	case R_X86_64_DTPMOD64:
	case R_X86_64_TPOFF64:
	case R_X86_64_TLSDESC:
		return CPU_SLOT_NAMED;
	default:
		return CPU_SLOT_OTHER;
	}
}
