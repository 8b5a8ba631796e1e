/* SPDX-License-Identifier: MIT */
/*
 * What instructions do that work on vector registers: moves, and arithmetic of
 * single and double precision, which is done by the same instructions here, as the
 * compiler of this file makes them.
 *
 * Source: Intel SDM volume 2.
 */
#include "link/facts/machine.h"

#include <math.h>
#include <string.h>

/* The operand rm, `size` bytes of it, the others 0. */
static union machine_vector load(struct machine *m,
				 const struct machine_insn *insn, unsigned size)
{
	union machine_vector value = {.longs = {0, 0}};

	if (!insn->is_memory) {
		memcpy(&value, &m->vectors[insn->rm], size);
		return value;
	}
	const void *at = insn->is_thread
				 ? NULL
				 : machine_at(m, insn->address, size, false);
	if (at)
		memcpy(&value, at, size);
	else
		machine_fail(m);
	return value;
}

static void store(struct machine *m, const struct machine_insn *insn,
		  const void *value, unsigned size)
{
	void *at = insn->is_memory && !insn->is_thread
			   ? machine_at(m, insn->address, size, true)
			   : NULL;

	if (at)
		memcpy(at, value, size);
	else
		machine_fail(m);
}

/* What a prefix makes of an operand: one or all, single or double. */
static unsigned operand_size(const struct machine_insn *insn)
{
	return insn->prefix == 0xf3 ? 4 : insn->prefix == 0xf2 ? 8 : 16;
}

static bool is_double(const struct machine_insn *insn)
{
	return insn->prefix == 0xf2 || insn->prefix == 0x66;
}

/* 10, 28, 6f and their stores. size: of what is moved. */
static bool move(struct machine *m, const struct machine_insn *insn,
		 unsigned size, bool is_store)
{
	union machine_vector *reg = &m->vectors[insn->reg], value;

	if (is_store && insn->is_memory) {
		store(m, insn, reg, size);
		return true;
	}
	if (is_store) {
		memcpy(&m->vectors[insn->rm], reg, size);
		return true;
	}
	value = load(m, insn, size);
	if (insn->is_memory || size == sizeof(value))
		*reg = value;
	else
		memcpy(reg, &value, size);
	return true;
}

/* 12, 13, 16, 17: one half from or to memory, or another register. */
static bool move_half(struct machine *m, const struct machine_insn *insn)
{
	unsigned op = insn->opcode & 0xff, half = op >= 0x16;
	union machine_vector *reg = &m->vectors[insn->reg];

	if (insn->prefix == 0xf2 || insn->prefix == 0xf3)
		return false;
	if (op & 1) {
		store(m, insn, &reg->longs[half], 8);
		return true;
	}
	if (insn->is_memory)
		reg->longs[half] = load(m, insn, 8).longs[0];
	else
		reg->longs[half] = m->vectors[insn->rm].longs[!half];
	return true;
}

/* Elements of `width` bytes of both registers' lower or upper halves by turns. */
static bool unpack(struct machine *m, const struct machine_insn *insn,
		   unsigned width, bool upper)
{
	union machine_vector a = m->vectors[insn->reg], b = load(m, insn, 16),
			     r;

	for (unsigned i = 0; i < 8 / width; i++) {
		unsigned from = (upper ? 8 : 0) + i * width;

		memcpy(r.bytes + 2 * i * width, a.bytes + from, width);
		memcpy(r.bytes + (2 * i + 1) * width, b.bytes + from, width);
	}
	m->vectors[insn->reg] = r;
	return true;
}

/* Also of single precision: rounding a double's result to it gives what the
 * operation itself would, as a double has more than twice the digits. */
static double compute_lane(unsigned op, double a, double b)
{
	switch (op) {
	case 0x58:
		return a + b;
	case 0x59:
		return a * b;
	case 0x5c:
		return a - b;
	case 0x5d:
		return a < b ? a : b;
	case 0x5e:
		return a / b;
	default:
		return a > b ? a : b;
	}
}

static bool compute(struct machine *m, const struct machine_insn *insn)
{
	unsigned op = insn->opcode & 0xff, size = operand_size(insn);
	union machine_vector *a = &m->vectors[insn->reg],
			     b = load(m, insn, size);

	if (is_double(insn))
		for (unsigned i = 0; i < (size + 7) / 8; i++)
			a->doubles[i] =
				compute_lane(op, a->doubles[i], b.doubles[i]);
	else
		for (unsigned i = 0; i < size / 4; i++)
			a->floats[i] = (float)compute_lane(
				op, (double)a->floats[i], (double)b.floats[i]);
	return true;
}

static bool compute_bits(struct machine *m, const struct machine_insn *insn,
			 unsigned which)
{
	union machine_vector *a = &m->vectors[insn->reg], b = load(m, insn, 16);

	for (unsigned i = 0; i < 2; i++) {
		uint64_t x = a->longs[i], y = b.longs[i];

		a->longs[i] = which == 0   ? x & y
			      : which == 1 ? ~x & y
			      : which == 2 ? x | y
					   : x ^ y;
	}
	return true;
}

/* ucomis, comis */
static bool compare(struct machine *m, const struct machine_insn *insn)
{
	bool wide = is_double(insn);
	union machine_vector v = load(m, insn, wide ? 8 : 4);
	const union machine_vector *r = &m->vectors[insn->reg];
	double a = wide ? r->doubles[0] : (double)r->floats[0];
	double b = wide ? v.doubles[0] : (double)v.floats[0];
	bool is_unordered = isnan(a) || isnan(b);

	m->flags = (struct machine_flags){
		.zero = is_unordered || a == b,
		.parity = is_unordered,
		.carry = is_unordered || a < b,
	};
	return true;
}

/* From an integer, and to one: cvtsi2ss, cvttss2si and so on. */
static bool convert_integer(struct machine *m, const struct machine_insn *insn)
{
	bool wide = insn->prefix == 0xf2;
	union machine_vector *reg = &m->vectors[insn->reg];

	if (insn->prefix != 0xf2 && insn->prefix != 0xf3)
		return false;
	if ((insn->opcode & 0xff) == 0x2a) {
		uint64_t raw = machine_get(m, insn, insn->size);
		int64_t value =
			insn->size == 8 ? (int64_t)raw : (int32_t)(uint32_t)raw;
		if (wide)
			reg->doubles[0] = (double)value;
		else
			reg->floats[0] = (float)value;
		return true;
	}
	union machine_vector v = load(m, insn, wide ? 8 : 4);
	double value = wide ? v.doubles[0] : (double)v.floats[0];
	double limit = insn->size == 8 ? 0x1p63 : 0x1p31;
	if (!(value >= -limit && value < limit))
		return false;
	/* What it would be rounded to is not known. */
	if ((insn->opcode & 0xff) == 0x2d && value != (double)(int64_t)value)
		return false;
	machine_set_register(m, insn->reg, insn->size, true,
			     (uint64_t)(int64_t)value);
	return true;
}

/* 5a: between single and double precision. */
static bool convert(struct machine *m, const struct machine_insn *insn)
{
	union machine_vector *reg = &m->vectors[insn->reg];

	if (insn->prefix == 0xf3)
		reg->doubles[0] = (double)load(m, insn, 4).floats[0];
	else if (insn->prefix == 0xf2)
		reg->floats[0] = (float)load(m, insn, 8).doubles[0];
	else
		return false;
	return true;
}

/* 6e, 7e, d6 */
static bool move_word(struct machine *m, const struct machine_insn *insn)
{
	unsigned size = insn->size == 8 ? 8 : 4;
	union machine_vector *reg = &m->vectors[insn->reg], value;

	switch (insn->opcode & 0xff) {
	case 0x6e:
		*reg = (union machine_vector){
			.longs = {machine_get(m, insn, size), 0}};
		return insn->prefix == 0x66;
	case 0x7e:
		if (insn->prefix == 0xf3) {
			value = load(m, insn, 8);
			*reg = value;
			return true;
		}
		machine_set(m, insn, size, reg->longs[0]);
		return insn->prefix == 0x66;
	default:
		if (insn->is_memory)
			store(m, insn, reg, 8);
		else
			m->vectors[insn->rm] = (union machine_vector){
				.longs = {reg->longs[0], 0}};
		return insn->prefix == 0x66;
	}
}

static bool shuffle(struct machine *m, const struct machine_insn *insn)
{
	union machine_vector from = load(m, insn, 16);

	if (insn->prefix != 0x66)
		return false;
	for (unsigned i = 0; i < 4; i++)
		m->vectors[insn->reg].ints[i] =
			from.ints[insn->number >> 2 * i & 3];
	return true;
}

static bool do_move(struct machine *m, const struct machine_insn *insn)
{
	unsigned op = insn->opcode & 0xff;

	switch (op) {
	case 0x10:
	case 0x11:
		return move(m, insn, operand_size(insn), op & 1);
	case 0x12:
	case 0x13:
	case 0x16:
	case 0x17:
		return move_half(m, insn);
	case 0x28:
	case 0x29:
		return move(m, insn, 16, op & 1);
	case 0x6e:
	case 0x7e:
	case 0xd6:
		return move_word(m, insn);
	case 0x6f:
	case 0x7f:
		return insn->prefix && move(m, insn, 16, op == 0x7f);
	case 0x70:
		return shuffle(m, insn);
	default:
		return false;
	}
}

static bool do_unpack(struct machine *m, const struct machine_insn *insn)
{
	unsigned op = insn->opcode & 0xff;
	bool is_whole = insn->prefix == 0x66;

	if (op == 0x14 || op == 0x15)
		return unpack(m, insn, is_whole ? 8 : 4, op & 1);
	if (!is_whole)
		return false;
	if (op == 0x6c || op == 0x6d)
		return unpack(m, insn, 8, op & 1);
	if (op >= 0x60 && op <= 0x62)
		return unpack(m, insn, 1u << (op - 0x60), false);
	if (op >= 0x68 && op <= 0x6a)
		return unpack(m, insn, 1u << (op - 0x68), true);
	return false;
}

/* and, andn, or, xor, of whole registers, as integers have them. */
static bool do_bits(struct machine *m, const struct machine_insn *insn)
{
	static const uint8_t opcodes[] = {0xdb, 0xdf, 0xeb, 0xef};

	for (unsigned i = 0; i < sizeof(opcodes); i++)
		if ((insn->opcode & 0xff) == opcodes[i])
			return insn->prefix == 0x66 && compute_bits(m, insn, i);
	return false;
}

static bool do_arithmetic(struct machine *m, const struct machine_insn *insn)
{
	unsigned op = insn->opcode & 0xff;

	if (op == 0x2a || op == 0x2c || op == 0x2d)
		return convert_integer(m, insn);
	if (op == 0x2e || op == 0x2f)
		return compare(m, insn);
	if (op >= 0x54 && op <= 0x57)
		return compute_bits(m, insn, op - 0x54);
	if (op == 0x5a)
		return convert(m, insn);
	if (op >= 0x58 && op <= 0x5f && op != 0x5b)
		return compute(m, insn);
	return do_bits(m, insn);
}

bool machine_do_vector(struct machine *m, const struct machine_insn *insn)
{
	return insn->opcode >= 0x100 &&
	       (do_move(m, insn) || do_unpack(m, insn) ||
		do_arithmetic(m, insn));
}
