/* SPDX-License-Identifier: MIT */
/*
 * Decoding instructions. Of the encodings that an instruction has, only those
 * that GCC and Clang emit are known. Each is written down whole, and bytes
 * that differ in one bit are an unknown instruction.
 *
 * Source: Intel SDM volume 2, chapter 2 and the opcode map.
 */
#include "link/code/insn.h"

#include "base/array.h"

#include <string.h>

/* What is behind the opcode. */
enum form {
	PLAIN,
	OPCODE_REGISTER, /* in the opcode's low three bits */
	REGISTERS,	 /* ModRM: reg, and another in rm */
	TWICE,		 /* the same one in both */
	RELATIVE,	 /* ModRM: reg, and an address in 4 bytes */
	ON_TOP,		 /* ModRM, SIB for rsp: reg */
	ON_STACK,	 /* and 1 byte */
	ON_FRAME,	 /* ModRM: reg, and 1 byte behind rbp */
	AT_CANARY,	 /* ModRM, SIB: reg, and 28 00 00 00 */
	SHORT,		 /* a distance of 1 byte */
	LONG,		 /* of 4 bytes */
};

static const struct encoding {
	enum insn_op op;
	enum form form;
	uint8_t bytes[4], length; /* prefixes, REX with its R, opcode */
	uint8_t number;		  /* bytes of a number behind all */
	int8_t sign;		  /* INSN_STACK: what it counts; else 1: it is
				     extended with its sign */
} encodings[] = {
	{INSN_NOTHING, PLAIN, {0xf3, 0x0f, 0x1e, 0xfa}, 4, 0, 0},
	{INSN_NOTHING, PLAIN, {0x90}, 1, 0, 0},
	{INSN_PUSH, OPCODE_REGISTER, {0x50}, 1, 0, 0},
	{INSN_POP, OPCODE_REGISTER, {0x58}, 1, 0, 0},
	{INSN_LEAVE, PLAIN, {0xc9}, 1, 0, 0},
	{INSN_STACK, PLAIN, {0x48, 0x83, 0xec}, 3, 1, -1},
	{INSN_STACK, PLAIN, {0x48, 0x83, 0xc4}, 3, 1, 1},
	{INSN_STACK, PLAIN, {0x48, 0x81, 0xec}, 3, 4, -1},
	{INSN_STACK, PLAIN, {0x48, 0x81, 0xc4}, 3, 4, 1},
	{INSN_COPY, REGISTERS, {0x48, 0x89}, 2, 0, 0},
	{INSN_NUMBER, TWICE, {0x31}, 1, 0, 0},
	{INSN_NUMBER, TWICE, {0x33}, 1, 0, 0},
	{INSN_NUMBER, OPCODE_REGISTER, {0xb8}, 1, 4, 0},
	{INSN_NUMBER, OPCODE_REGISTER, {0x48, 0xb8}, 2, 8, 0},
	{INSN_NUMBER, PLAIN, {0x48, 0xc7, 0xc0}, 3, 4, 1},
	{INSN_ADDRESS, RELATIVE, {0x48, 0x8d}, 2, 0, 0},
	{INSN_LOAD, RELATIVE, {0x48, 0x8b}, 2, 0, 0},
	{INSN_STORE, RELATIVE, {0x89}, 1, 0, 0},
	{INSN_STORE, RELATIVE, {0x48, 0x89}, 2, 0, 0},
	{INSN_STORE, LONG, {0xc6, 0x05}, 2, 1, 0},
	{INSN_STORE, LONG, {0xc7, 0x05}, 2, 4, 0},
	{INSN_STORE, LONG, {0x48, 0xc7, 0x05}, 3, 4, 0},
	{INSN_LOAD_STACK, ON_TOP, {0x48, 0x8b}, 2, 0, 0},
	{INSN_LOAD_STACK, ON_STACK, {0x48, 0x8b}, 2, 0, 0},
	{INSN_LOAD_STACK, ON_FRAME, {0x48, 0x8b}, 2, 0, 0},
	{INSN_STORE_STACK, ON_TOP, {0x48, 0x89}, 2, 0, 0},
	{INSN_STORE_STACK, ON_STACK, {0x48, 0x89}, 2, 0, 0},
	{INSN_STORE_STACK, ON_FRAME, {0x48, 0x89}, 2, 0, 0},
	{INSN_COMPARE, ON_TOP, {0x48, 0x3b}, 2, 0, 0},
	{INSN_COMPARE, ON_STACK, {0x48, 0x3b}, 2, 0, 0},
	{INSN_COMPARE, ON_FRAME, {0x48, 0x3b}, 2, 0, 0},
	{INSN_CANARY, AT_CANARY, {0x64, 0x48, 0x8b}, 3, 0, 0},
	{INSN_CHECK, AT_CANARY, {0x64, 0x48, 0x2b}, 3, 0, 0},
	{INSN_CHECK, AT_CANARY, {0x64, 0x48, 0x33}, 3, 0, 0},
	{INSN_JUMP_UNEQUAL, SHORT, {0x75}, 1, 0, 0},
	{INSN_JUMP_UNEQUAL, LONG, {0x0f, 0x85}, 2, 0, 0},
	{INSN_JUMP, SHORT, {0xeb}, 1, 0, 0},
	{INSN_JUMP, LONG, {0xe9}, 1, 0, 0},
	{INSN_CALL, LONG, {0xe8}, 1, 0, 0},
	{INSN_RETURN, PLAIN, {0xc3}, 1, 0, 0},
	{INSN_RETURN, PLAIN, {0xf3, 0xc3}, 2, 0, 0},
};

/* Bytes behind the opcode, but for the number. */
static size_t form_size(enum form form)
{
	static const uint8_t sizes[] = {
		[REGISTERS] = 1, [TWICE] = 1,	 [RELATIVE] = 5,
		[ON_TOP] = 2,	 [ON_STACK] = 3, [ON_FRAME] = 2,
		[AT_CANARY] = 6, [SHORT] = 1,	 [LONG] = 4,
	};

	return sizes[form];
}

static uint64_t number_at(const uint8_t *at, size_t size, bool is_signed)
{
	uint64_t number = 0;

	for (size_t i = 0; i < size; i++)
		number |= (uint64_t)at[i] << 8 * i;
	if (is_signed && size < sizeof(number) && at[size - 1] & 0x80)
		number |= UINT64_MAX << 8 * size;
	return number;
}

static bool has_opcode(const struct encoding *e, const uint8_t *code)
{
	size_t last = e->length - 1u;

	return memcmp(code, e->bytes, last) == 0 &&
	       (e->form == OPCODE_REGISTER ? code[last] & 0xf8 : code[last]) ==
		       e->bytes[last];
}

/* What is behind the opcode, which ends before `at`; the instruction ends at
 * the address `end`. */
static bool read_form(const struct encoding *e, const uint8_t *at, uint64_t end,
		      struct insn *insn)
{
	static const uint8_t canary[] = {0x25, 0x28, 0, 0, 0};
	uint8_t modrm = form_size(e->form) ? at[0] : 0, mode = modrm & 0xc7;

	insn->reg = modrm >> 3 & 7;
	switch (e->form) {
	case PLAIN:
		insn->reg = INSN_RAX;
		return true;
	case OPCODE_REGISTER:
		insn->reg = at[-1] & 7;
		return true;
	case REGISTERS:
		insn->from = insn->reg;
		insn->reg = modrm & 7;
		return modrm >= 0xc0;
	case TWICE:
		return modrm >= 0xc0 && (modrm & 7u) == insn->reg;
	case RELATIVE:
		insn->value = end + number_at(at + 1, 4, true);
		return mode == 0x05;
	case ON_TOP:
		insn->from = INSN_RSP;
		return mode == 0x04 && at[1] == 0x24;
	case ON_STACK:
		insn->from = INSN_RSP;
		insn->value = number_at(at + 2, 1, true);
		return mode == 0x44 && at[1] == 0x24;
	case ON_FRAME:
		insn->from = INSN_RBP;
		insn->value = number_at(at + 1, 1, true);
		return mode == 0x45;
	case AT_CANARY:
		return mode == 0x04 &&
		       memcmp(at + 1, canary, sizeof(canary)) == 0;
	case SHORT:
		insn->value = end + number_at(at, 1, true);
		return true;
	case LONG:
		insn->value = end + number_at(at, 4, true);
		return true;
	}
	return false;
}

static bool read_as(const struct encoding *e, const uint8_t *code, size_t size,
		    uint64_t address, struct insn *ret)
{
	size_t behind = e->length + form_size(e->form);

	*ret = (struct insn){.op = e->op, .size = behind + e->number};
	if (size < ret->size || !has_opcode(e, code) ||
	    !read_form(e, code + e->length, address + ret->size, ret))
		return false;
	if (e->number && !form_size(e->form))
		ret->value = number_at(code + behind, e->number, e->sign != 0);
	if (e->sign < 0)
		ret->value = -ret->value;
	return true;
}

bool insn_read(const uint8_t *code, size_t size, uint64_t address,
	       struct insn *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(encodings); i++)
		if (read_as(&encodings[i], code, size, address, ret))
			return true;
	return false;
}
