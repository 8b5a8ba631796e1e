/* SPDX-License-Identifier: MIT */
/*
 * Every line of code is one instruction, with its assembly behind it; a test
 * compares that with what objdump says of a stub file (constants are run
 * instead: tests/cli/test-run-limits.sh). A fixup's offset is that of its first
 * byte.
 *
 * x86-64: a stub is 32 bytes, aligned so: none of its jumps crosses or ends on
 * a boundary of 32 bytes (Intel's erratum SKX102 would have them decoded each
 * time), and two share a cache line. It loads the slot once: whoever clears it
 * meanwhile cannot make it jump to zero. AArch64: the same 32 bytes; ldar, see
 * slot.h.
 *
 * Sources: Intel SDM volume 2; Arm ARM C6.2; ELF for AArch64 (fields of adrp
 * and the others).
 */
#include "link/stubfile/template.h"

#include <string.h>

/* One instruction a line, and one fixup. */
/* clang-format off */

/* The code, and how long it is. */
#define CODE(...)                                      \
	.code = (const uint8_t[]){__VA_ARGS__},        \
	.size = sizeof((const uint8_t[]){__VA_ARGS__})

/* An instruction of AArch64. */
#define WORD(w) \
	(w) & 0xff, (w) >> 8 & 0xff, (w) >> 16 & 0xff, (uint32_t)(w) >> 24

/* Offset, how, target, addend of each; and how many there are. */
#define FIXUPS(...)                                                      \
	.fixups = {__VA_ARGS__},                                         \
	.fixup_count = sizeof((struct template_fixup[]){__VA_ARGS__}) /  \
		       sizeof(struct template_fixup)

/* Goes on to one of libdlazy's functions with an address in a register, which the
 * lea's ModR/M byte names. */
#define X86_64_GO_WITH(modrm, address)                              \
	{                                                           \
		CODE(0xf3, 0x0f, 0x1e, 0xfa, /* endbr64 */          \
		     0x48, 0x8d, modrm, 0, 0, 0, 0, /* lea */       \
		     0xff, 0x25, 0, 0, 0, 0), /* jmp *pointer(%rip) */ \
		.alignment = 16,                                    \
		FIXUPS({7, TEMPLATE_PC32, address, -4},             \
		       {13, TEMPLATE_PC32, TEMPLATE_POINTER, -4}),  \
	}

static const struct template x86_64[TEMPLATE_KINDS] = {
	[TEMPLATE_STUB] = {
		CODE(0xf3, 0x0f, 0x1e, 0xfa,       /* endbr64 */
		     0x4c, 0x8b, 0x1d, 0, 0, 0, 0, /* mov slot(%rip), %r11 */
		     0x4d, 0x85, 0xdb,             /* test %r11, %r11 */
		     0x74, 0x03,                   /* je 1f */
		     0x41, 0xff, 0xe3,             /* jmp *%r11 */
		     0x4c, 0x8d, 0x1d, 0, 0, 0, 0, /* 1: lea slot(%rip), %r11 */
		     0xe9, 0, 0, 0, 0,             /* jmp tail */
		     0xcc),                        /* int3 */
		.alignment = 32,
		FIXUPS({7, TEMPLATE_PC32, TEMPLATE_SLOT, -4},
		       {22, TEMPLATE_PC32, TEMPLATE_SLOT, -4},
		       {27, TEMPLATE_PC32, TEMPLATE_TO_TAIL, -4}),
	},
	[TEMPLATE_TAIL] = {
		CODE(0x41, 0x53,                   /* push %r11 */
		     0x4c, 0x8d, 0x1d, 0, 0, 0, 0, /* lea linked(%rip), %r11 */
		     0xff, 0x25, 0, 0, 0, 0,       /* jmp *pointer(%rip) */
		     0xcc),                        /* int3 */
		.alignment = 16,
		.moves = 2,
		.depth = 8,
		FIXUPS({5, TEMPLATE_PC32, TEMPLATE_LINKED, -4},
		       {11, TEMPLATE_PC32, TEMPLATE_POINTER, -4}),
	},
	[TEMPLATE_DATA] = {
		CODE(0xf3, 0x0f, 0x1e, 0xfa,       /* endbr64 */
		     0x48, 0x8d, 0x3d, 0, 0, 0, 0, /* lea linked(%rip), %rdi */
		     0xbe, 0, 0, 0, 0,             /* mov $number, %esi */
		     0xff, 0x25, 0, 0, 0, 0,       /* jmp *pointer(%rip) */
		     0xcc,                         /* int3 */
		     0xcc),                        /* int3 */
		.alignment = 8,
		FIXUPS({7, TEMPLATE_PC32, TEMPLATE_LINKED, -4},
		       {12, TEMPLATE_WORD32, TEMPLATE_NUMBER, 0},
		       {18, TEMPLATE_PC32, TEMPLATE_POINTER, -4}),
	},
	[TEMPLATE_START] = X86_64_GO_WITH(0x0d, TEMPLATE_RUN), /* %rcx */
	[TEMPLATE_ASK] = X86_64_GO_WITH(0x3d, TEMPLATE_LINKED), /* %rdi */
	[TEMPLATE_ASK_MORE] = X86_64_GO_WITH(0x15, TEMPLATE_LINKED), /* %rdx */
	[TEMPLATE_CONSTANT_NOTHING] = {
		CODE(0xf3, 0x0f, 0x1e, 0xfa,       /* endbr64 */
		     0x4c, 0x8b, 0x1d, 0, 0, 0, 0, /* mov slot(%rip), %r11 */
		     0x4d, 0x85, 0xdb,             /* test %r11, %r11 */
		     0x75, 0x08,                   /* jne 1f */
		     0xc6, 0x05, 0, 0, 0, 0, 1,    /* movb $1, byte(%rip) */
		     0xc3,                         /* ret */
		     0x41, 0xff, 0xe3),            /* 1: jmp *%r11 */
		.alignment = 16,
		FIXUPS({7, TEMPLATE_PC32, TEMPLATE_SLOT, -4},
		       {18, TEMPLATE_PC32, TEMPLATE_BYTE, -5}),
	},
	[TEMPLATE_CONSTANT_NUMBER] = {
		CODE(0xf3, 0x0f, 0x1e, 0xfa,       /* endbr64 */
		     0x4c, 0x8b, 0x1d, 0, 0, 0, 0, /* mov slot(%rip), %r11 */
		     0x4d, 0x85, 0xdb,             /* test %r11, %r11 */
		     0x75, 0x12,                   /* jne 1f */
		     0xc6, 0x05, 0, 0, 0, 0, 1,    /* movb $1, byte(%rip) */
		     0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, /* movabs $number, %rax */
		     0xc3,                         /* ret */
		     0x41, 0xff, 0xe3),            /* 1: jmp *%r11 */
		.alignment = 16,
		FIXUPS({7, TEMPLATE_PC32, TEMPLATE_SLOT, -4},
		       {18, TEMPLATE_PC32, TEMPLATE_BYTE, -5},
		       {25, TEMPLATE_WORD32, TEMPLATE_NUMBER, 0},
		       {29, TEMPLATE_UPPER32, TEMPLATE_NUMBER, 0}),
	},
	[TEMPLATE_CONSTANT_ADDRESS] = {
		CODE(0xf3, 0x0f, 0x1e, 0xfa,       /* endbr64 */
		     0x4c, 0x8b, 0x1d, 0, 0, 0, 0, /* mov slot(%rip), %r11 */
		     0x4d, 0x85, 0xdb,             /* test %r11, %r11 */
		     0x75, 0x0f,                   /* jne 1f */
		     0xc6, 0x05, 0, 0, 0, 0, 1,    /* movb $1, byte(%rip) */
		     0x48, 0x8d, 0x05, 0, 0, 0, 0, /* lea datum(%rip), %rax */
		     0xc3,                         /* ret */
		     0x41, 0xff, 0xe3),            /* 1: jmp *%r11 */
		.alignment = 16,
		FIXUPS({7, TEMPLATE_PC32, TEMPLATE_SLOT, -4},
		       {18, TEMPLATE_PC32, TEMPLATE_BYTE, -5},
		       {26, TEMPLATE_PC32, TEMPLATE_DATUM, -4}),
	},
};

/* The same, with an address in x`n`. */
#define AARCH64_GO_WITH(n, address)                                        \
	{                                                                  \
		CODE(WORD(0xd503245f),                   /* bti c */       \
		     WORD(0x90000000u | (n)),            /* adrp xn */     \
		     WORD(0x91000000u | (n) << 5 | (n)), /* add xn, xn */  \
		     WORD(0x90000010),  /* adrp x16, pointer */            \
		     WORD(0xf9400210),  /* ldr x16, [x16, :lo12:pointer] */ \
		     WORD(0xd61f0200)), /* br x16 */                       \
		.alignment = 8,                                            \
		FIXUPS({4, TEMPLATE_PAGE, address, 0},                     \
		       {8, TEMPLATE_ADD, address, 0},                      \
		       {12, TEMPLATE_PAGE, TEMPLATE_POINTER, 0},           \
		       {16, TEMPLATE_LOAD, TEMPLATE_POINTER, 0}),          \
	}

/* It has no constant functions. */
static const struct template aarch64[TEMPLATE_KINDS] = {
	[TEMPLATE_STUB] = {
		CODE(WORD(0xd503245f),  /* bti c */
		     WORD(0x90000010),  /* adrp x16, slot */
		     WORD(0x91000210),  /* add x16, x16, :lo12:slot */
		     WORD(0xc8dffe11),  /* ldar x17, [x16] */
		     WORD(0xb4000051),  /* cbz x17, 1f */
		     WORD(0xd61f0220),  /* br x17 */
		     WORD(0x14000000),  /* 1: b tail */
		     WORD(0xd4200000)), /* brk #0 */
		.alignment = 32,
		FIXUPS({4, TEMPLATE_PAGE, TEMPLATE_SLOT, 0},
		       {8, TEMPLATE_ADD, TEMPLATE_SLOT, 0},
		       {24, TEMPLATE_JUMP, TEMPLATE_TO_TAIL, 0}),
	},
	[TEMPLATE_TAIL] = {
		CODE(WORD(0x90000011),  /* adrp x17, linked */
		     WORD(0x91000231),  /* add x17, x17, :lo12:linked */
		     WORD(0xa9bf47f0),  /* stp x16, x17, [sp, #-16]! */
		     WORD(0x90000010),  /* adrp x16, pointer */
		     WORD(0xf9400210),  /* ldr x16, [x16, :lo12:pointer] */
		     WORD(0xd61f0200)), /* br x16 */
		.alignment = 8,
		.moves = 12,
		.depth = 16,
		FIXUPS({0, TEMPLATE_PAGE, TEMPLATE_LINKED, 0},
		       {4, TEMPLATE_ADD, TEMPLATE_LINKED, 0},
		       {12, TEMPLATE_PAGE, TEMPLATE_POINTER, 0},
		       {16, TEMPLATE_LOAD, TEMPLATE_POINTER, 0}),
	},
	[TEMPLATE_DATA] = {
		CODE(WORD(0xd503245f),  /* bti c */
		     WORD(0x90000000),  /* adrp x0, linked */
		     WORD(0x91000000),  /* add x0, x0, :lo12:linked */
		     WORD(0x52800001),  /* movz w1, #low */
		     WORD(0x72a00001),  /* movk w1, #high, lsl #16 */
		     WORD(0x90000010),  /* adrp x16, pointer */
		     WORD(0xf9400210),  /* ldr x16, [x16, :lo12:pointer] */
		     WORD(0xd61f0200)), /* br x16 */
		.alignment = 8,
		FIXUPS({4, TEMPLATE_PAGE, TEMPLATE_LINKED, 0},
		       {8, TEMPLATE_ADD, TEMPLATE_LINKED, 0},
		       {12, TEMPLATE_LOW16, TEMPLATE_NUMBER, 0},
		       {16, TEMPLATE_HIGH16, TEMPLATE_NUMBER, 0},
		       {20, TEMPLATE_PAGE, TEMPLATE_POINTER, 0},
		       {24, TEMPLATE_LOAD, TEMPLATE_POINTER, 0}),
	},
	[TEMPLATE_START] = AARCH64_GO_WITH(3u, TEMPLATE_RUN),
	[TEMPLATE_ASK] = AARCH64_GO_WITH(0u, TEMPLATE_LINKED),
	[TEMPLATE_ASK_MORE] = AARCH64_GO_WITH(2u, TEMPLATE_LINKED),
};

/* clang-format on */

const struct template *template_get(enum elf_cpu cpu, enum template_kind kind)
{
	static const struct template *const templates[ELF_CPU_COUNT] = {
		[ELF_CPU_X86_64] = x86_64,
		[ELF_CPU_AARCH64] = aarch64,
	};

	return &templates[cpu][kind];
}

static bool fits(int64_t value, unsigned bits)
{
	return value >= -(INT64_C(1) << (bits - 1)) &&
	       value < INT64_C(1) << (bits - 1);
}

bool template_fix(uint8_t *place, enum template_how how, uint64_t at,
		  uint64_t target)
{
	int64_t distance = (int64_t)(target - at);
	int64_t pages = (int64_t)((target & ~UINT64_C(0xfff)) -
				  (at & ~UINT64_C(0xfff))) /
			4096;
	uint32_t low = target & 0xfff, word;
	bool reached = true;

	memcpy(&word, place, sizeof(word));
	switch (how) {
	case TEMPLATE_PC32:
		word = (uint32_t)distance;
		reached = fits(distance, 32);
		break;
	case TEMPLATE_WORD32:
		word = (uint32_t)target;
		break;
	case TEMPLATE_UPPER32:
		word = (uint32_t)(target >> 32);
		break;
	case TEMPLATE_PAGE:
		word |= (uint32_t)(pages & 3) << 29 |
			(uint32_t)(pages >> 2 & 0x7ffff) << 5;
		reached = fits(pages, 21);
		break;
	case TEMPLATE_ADD:
		word |= low << 10;
		break;
	case TEMPLATE_LOAD:
		word |= low / 8 << 10;
		reached = low % 8 == 0;
		break;
	case TEMPLATE_JUMP:
		word |= (uint32_t)(distance / 4 & 0x3ffffff);
		reached = fits(distance, 28);
		break;
	case TEMPLATE_LOW16:
		word |= (uint32_t)(target & 0xffff) << 5;
		break;
	case TEMPLATE_HIGH16:
		word |= (uint32_t)(target >> 16 & 0xffff) << 5;
		break;
	}
	memcpy(place, &word, sizeof(word));
	return reached;
}
