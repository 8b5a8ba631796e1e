/* SPDX-License-Identifier: MIT */
/*
 * Decoding instructions, as far as their form goes: prefixes, opcode, ModRM, SIB,
 * distance, number. What they do is not looked at here.
 *
 * Source: Intel SDM volume 2, chapter 2 and the opcode map.
 */
#include "link/facts/machine.h"

#include <string.h>

/* The next bytes of the code, as a number with its sign. */
static bool read_code(struct machine *m, unsigned size, uint64_t *ret)
{
	const uint8_t *code = machine_at(m, m->next, size, false);
	uint64_t value = 0;

	if (!code)
		return false;
	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)code[i] << 8 * i;
	if (size < sizeof(value) && code[size - 1] & 0x80)
		value |= UINT64_MAX << 8 * size;
	m->next += size;
	*ret = value;
	return true;
}

static bool read_byte(struct machine *m, uint8_t *ret)
{
	uint64_t value;

	if (!read_code(m, 1, &value))
		return false;
	*ret = (uint8_t)value;
	return true;
}

/* Prefixes, and the REX byte behind them, to the first byte of the opcode. */
static bool read_prefixes(struct machine *m, struct machine_insn *insn,
			  uint8_t *ret_rex, uint8_t *ret_opcode)
{
	uint8_t byte;

	*ret_rex = 0;
	for (int n = 0; n < 14; n++) {
		if (!read_byte(m, &byte))
			return false;
		if (byte == 0x66)
			insn->has_66 = true;
		else if (byte == 0xf2 || byte == 0xf3)
			insn->prefix = byte;
		else if (byte == 0x64)
			insn->is_thread = true;
		else if (byte != 0x2e && byte != 0x3e) /* cs; ds, notrack */
			break;
	}
	if ((byte & 0xf0) == 0x40) {
		*ret_rex = byte;
		insn->has_rex = true;
		if (!read_byte(m, &byte))
			return false;
	}
	*ret_opcode = byte;
	if (insn->has_66 && !insn->prefix)
		insn->prefix = 0x66;
	return true;
}

static bool has_modrm(unsigned op)
{
	if (op < 0x40)
		return (op & 7) < 4;
	if (op < 0x100)
		return op == 0x63 || op == 0x69 || op == 0x6b ||
		       (op >= 0x80 && op <= 0x8f) || op == 0xc0 || op == 0xc1 ||
		       op == 0xc6 || op == 0xc7 || (op >= 0xd0 && op <= 0xd3) ||
		       op == 0xf6 || op == 0xf7 || op == 0xfe || op == 0xff;
	op &= 0xff;
	return op == 0x0d || (op >= 0x10 && op <= 0x1f) ||
	       (op >= 0x28 && op <= 0x2f) || (op >= 0x40 && op <= 0x76) ||
	       (op >= 0x78 && op <= 0x7f) || (op >= 0x90 && op <= 0x9f) ||
	       (op >= 0xa3 && op <= 0xa5) || (op >= 0xab && op <= 0xc7) ||
	       op >= 0xd0;
}

/* The bytes of the number behind all. */
static unsigned number_size(const struct machine_insn *insn)
{
	unsigned wide = insn->size == 2 ? 2 : 4, op = insn->opcode;

	if (op < 0x40 && (op & 7) == 4)
		return 1;
	if (op < 0x40 && (op & 7) == 5)
		return wide;
	if ((op & ~15u) == 0x70)
		return 1;
	if (op >= 0xb0 && op <= 0xb7)
		return 1;
	if (op >= 0xb8 && op <= 0xbf)
		return insn->size;
	switch (op) {
	case 0x6a:
	case 0x6b:
	case 0x80:
	case 0x83:
	case 0xa8:
	case 0xc0:
	case 0xc1:
	case 0xc6:
	case 0xeb:
	case 0x170:
	case 0x171:
	case 0x172:
	case 0x173:
	case 0x1a4:
	case 0x1ac:
	case 0x1ba:
	case 0x1c2:
	case 0x1c6:
		return 1;
	case 0x68:
	case 0x69:
	case 0x81:
	case 0xa9:
	case 0xc7:
		return wide;
	case 0xe8:
	case 0xe9:
		return 4;
	case 0xf6: /* test alone has one */
		return insn->reg & 6 ? 0 : 1;
	case 0xf7:
		return insn->reg & 6 ? 0 : wide;
	default:
		return op >= 0x180 && op <= 0x18f ? 4 : 0;
	}
}

static bool read_sib(struct machine *m, uint8_t rex, unsigned mode,
		     uint64_t *ret)
{
	uint8_t sib;
	uint64_t distance = 0;

	if (!read_byte(m, &sib))
		return false;
	unsigned index = (sib >> 3 & 7) | (rex & 2) << 2;
	unsigned base = (sib & 7) | (rex & 1) << 3;
	if ((sib & 7) == 5 && mode == 0) {
		if (!read_code(m, 4, &distance))
			return false;
	} else {
		distance = m->registers[base];
	}
	if (index != MACHINE_RSP)
		distance += m->registers[index] << (sib >> 6);
	*ret = distance;
	return true;
}

/* *ret_relative: it counts from the instruction's end. */
static bool read_modrm(struct machine *m, uint8_t rex,
		       struct machine_insn *insn, bool *ret_relative)
{
	uint64_t distance = 0;
	uint8_t modrm;

	if (!read_byte(m, &modrm))
		return false;
	unsigned mode = modrm >> 6;
	insn->reg = (modrm >> 3 & 7) | (rex & 4) << 1;
	insn->rm = (modrm & 7) | (rex & 1) << 3;
	insn->is_memory = mode != 3;
	*ret_relative = mode == 0 && (modrm & 7) == 5;
	if (!insn->is_memory)
		return true;
	if (*ret_relative)
		return read_code(m, 4, &insn->address);
	if ((modrm & 7) == 4) {
		if (!read_sib(m, rex, mode, &insn->address))
			return false;
	} else {
		insn->address = m->registers[insn->rm];
	}
	if (mode && !read_code(m, mode == 1 ? 1 : 4, &distance))
		return false;
	insn->address += distance;
	return true;
}

bool machine_decode(struct machine *m, struct machine_insn *ret)
{
	bool is_relative = false;
	uint8_t rex, opcode;

	*ret = (struct machine_insn){.opcode = 0};
	if (!read_prefixes(m, ret, &rex, &opcode))
		return false;
	ret->opcode = opcode;
	if (opcode == 0x0f) {
		if (!read_byte(m, &opcode))
			return false;
		ret->opcode = 0x100u | opcode;
	}
	ret->size = rex & 8 ? 8 : ret->has_66 ? 2 : 4;
	if (has_modrm(ret->opcode)) {
		if (!read_modrm(m, rex, ret, &is_relative))
			return false;
	} else {
		ret->rm = (opcode & 7) | (rex & 1) << 3;
	}
	unsigned size = number_size(ret);
	if (size && !read_code(m, size, &ret->number))
		return false;
	if (is_relative)
		ret->address += m->next;
	return true;
}
