/* SPDX-License-Identifier: MIT */
/*
 * The machine code of linked stubs (linked.h has their convention), for every
 * CPU that stub files are written for: bytes, and the places in them that
 * depend on addresses. Written down here rather than assembled, as stub files
 * are made where there is no assembler.
 */
#ifndef LINK_STUBFILE_TEMPLATE_H
#define LINK_STUBFILE_TEMPLATE_H

#include "elf/cpu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum template_kind {
	/* goto *slot, or, while that is zero, with the slot's address in hand
	 * to the library's tail. Keeps all but r11; all but x16, x17. */
	TEMPLATE_STUB,
	/* The tail of all stubs of a library: adds its struct linked and goes
	 * to dlazy_linked_slow. The only code that moves the stack pointer. */
	TEMPLATE_TAIL,
	/* return dlazy_linked_data(linked, number); */
	TEMPLATE_DATA,
	/* Gets what DT_INIT gets: f(argc, argv, envp, run); */
	TEMPLATE_START,
	/* return f(linked); */
	TEMPLATE_ASK,
	/* return f(first, second, linked); */
	TEMPLATE_ASK_MORE,
	/* x86-64: goto *slot, or, while that is zero, set the byte and return
	 * nothing, a number, or the address of a datum. Keeps all but r11. */
	TEMPLATE_CONSTANT_NOTHING,
	TEMPLATE_CONSTANT_NUMBER,
	TEMPLATE_CONSTANT_ADDRESS,
	TEMPLATE_KINDS,
};

/* What a place in the code refers to. */
enum template_target {
	TEMPLATE_SLOT,
	TEMPLATE_TO_TAIL,
	TEMPLATE_LINKED,
	TEMPLATE_RUN,
	TEMPLATE_POINTER, /* to libdlazy's function: its place in the GOT */
	TEMPLATE_DATUM,
	TEMPLATE_BYTE,
	TEMPLATE_NUMBER, /* not an address */
};

/* How it does. */
enum template_how {
	TEMPLATE_PC32,	  /* 32 bits: the distance from the place */
	TEMPLATE_WORD32,  /* 32 bits as they are */
	TEMPLATE_UPPER32, /* the upper half of 64 bits */
	TEMPLATE_PAGE,	  /* adrp */
	TEMPLATE_ADD,	  /* add: the low 12 bits */
	TEMPLATE_LOAD,	  /* ldr of 8 bytes: the low 12 bits */
	TEMPLATE_JUMP,	  /* b */
	TEMPLATE_LOW16,	  /* movz */
	TEMPLATE_HIGH16,  /* movk, lsl #16 */
};

struct template_fixup {
	uint8_t offset; /* in the code */
	uint8_t how;	/* enum template_how */
	uint8_t target; /* enum template_target */
	int8_t addend;
};

#define TEMPLATE_FIXUPS_MAX 6
struct template
{
	const uint8_t *code;
	uint8_t size, alignment;
	uint8_t moves, depth; /* the stack pointer: behind `moves` bytes (0:
				 never) it is `depth` lower */
	uint8_t fixup_count;
	struct template_fixup fixups[TEMPLATE_FIXUPS_MAX];
};

const struct template *template_get(enum elf_cpu cpu, enum template_kind kind);

/*
 * Writes a place: `place` are its bytes in memory, `at` is the address they
 * will have, `target` what is referred to, its addend added. false: it is out
 * of reach.
 */
bool template_fix(uint8_t *place, enum template_how how, uint64_t at,
		  uint64_t target);

#endif
