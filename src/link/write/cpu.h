/* SPDX-License-Identifier: MIT */
/*
 * What the psABI of each CPU says of the files that are written for it: numbers
 * of relocations, the rules of a call frame, the properties of its code. What
 * is the same for all is in the files beside this.
 */
#ifndef LINK_WRITE_CPU_H
#define LINK_WRITE_CPU_H

#include "elf/cpu.h"

#include <stdint.h>

/* How the link editor is to complete a place. */
enum build_object_relocation {
	BUILD_PC32,	    /* 32 bits: the distance from the place */
	BUILD_PAGE,	    /* AArch64 adrp, and ... */
	BUILD_LOW12,	    /* ... add */
	BUILD_JUMP,	    /* a jump's distance */
	BUILD_ADDRESS,	    /* 64 bits: the address */
	BUILD_POINTER,	    /* x86-64: the distance to its pointer in the GOT */
	BUILD_POINTER_PAGE, /* AArch64: adrp of that pointer, and ... */
	BUILD_POINTER_LOW,  /* ... ldr */
	BUILD_RELOCATIONS,
};

#define BUILD_FRAME_RULES_MAX 5

struct build_cpu {
	uint16_t machine;   /* e_machine */
	uint32_t page_size; /* the largest that its kernels use */
	/* What the dynamic linker does to 64 bits: adds the base; writes a
	 * symbol's address, and an addend; writes it into the GOT. */
	uint32_t relative, address, pointer;
	uint32_t relocations[BUILD_RELOCATIONS]; /* 0: not on this CPU */
	/* Symbols that tell disassemblers where data and code begin; or NULL. */
	const char *data_mark, *code_mark;
	/* Of .note.gnu.property: all code is for control-flow integrity. */
	uint32_t property, features;
	/* Of .eh_frame: when a function is entered, the frame ends `depth`
	 * above the stack pointer. */
	uint8_t nop[4]; /* as often as there is room */
	uint8_t code_unit, return_register, depth;
	uint8_t rules[BUILD_FRAME_RULES_MAX]; /* DWARF, padded by nops */
};

/* The psABI's facts for this machine; ELF_CPU_NONE: none can be written. */
enum elf_cpu build_cpu_native(void);

const struct build_cpu *build_cpu(enum elf_cpu cpu);

#endif
