/* SPDX-License-Identifier: MIT */
/*
 * What instructions do that work on general registers, and those that jump. Of
 * the flags, that of decimal carries is not kept: no compiler asks for it.
 *
 * Source: Intel SDM volume 2.
 */
#include "link/facts/machine.h"

#include <string.h>

/* What a stack protector compares with itself; the thread's, at 0x28. */
#define CANARY UINT64_C(0x5a1ad00dcafe5a00)
#define CANARY_AT 0x28

#define WIDE ((unsigned)sizeof(uint64_t))

static uint64_t mask_of(unsigned size)
{
	return size >= WIDE ? UINT64_MAX : (UINT64_C(1) << 8 * size) - 1;
}

static uint64_t top_of(unsigned size)
{
	return UINT64_C(1) << (8 * size - 1);
}

static uint64_t extend(uint64_t value, unsigned size)
{
	value &= mask_of(size);
	return value & top_of(size) ? value | ~mask_of(size) : value;
}

uint64_t machine_register(const struct machine *m, unsigned reg, unsigned size,
			  bool has_rex)
{
	if (size == 1 && !has_rex && reg >= 4 && reg < 8)
		return m->registers[reg - 4] >> 8 & 0xff;
	return m->registers[reg] & mask_of(size);
}

void machine_set_register(struct machine *m, unsigned reg, unsigned size,
			  bool has_rex, uint64_t value)
{
	bool is_high = size == 1 && !has_rex && reg >= 4 && reg < 8;
	uint64_t *to = &m->registers[is_high ? reg - 4 : reg];

	value &= mask_of(size);
	if (is_high)
		*to = (*to & ~UINT64_C(0xff00)) | value << 8;
	else if (size >= 4) /* the upper half becomes 0 */
		*to = value;
	else
		*to = (*to & ~mask_of(size)) | value;
}

uint64_t machine_get(struct machine *m, const struct machine_insn *insn,
		     unsigned size)
{
	uint64_t value = 0;

	if (!insn->is_memory)
		return machine_register(m, insn->rm, size, insn->has_rex);
	if (insn->is_thread) {
		if (insn->address != CANARY_AT || size != WIDE)
			machine_fail(m);
		return CANARY;
	}
	const void *at = machine_at(m, insn->address, size, false);
	if (at)
		memcpy(&value, at, size);
	return value;
}

void machine_set(struct machine *m, const struct machine_insn *insn,
		 unsigned size, uint64_t value)
{
	if (!insn->is_memory) {
		machine_set_register(m, insn->rm, size, insn->has_rex, value);
		return;
	}
	void *at = insn->is_thread ? NULL
				   : machine_at(m, insn->address, size, true);
	if (at)
		memcpy(at, &value, size);
	else
		machine_fail(m);
}

/* ------------------------------------------------------------------ */
/* Flags                                                              */

static void set_result(struct machine *m, uint64_t result, unsigned size)
{
	m->flags.zero = !(result & mask_of(size));
	m->flags.sign = (result & top_of(size)) != 0;
	m->flags.parity = !(__builtin_popcount(result & 0xff) & 1);
}

static uint64_t logic(struct machine *m, uint64_t result, unsigned size)
{
	set_result(m, result, size);
	m->flags.carry = m->flags.overflow = false;
	return result;
}

static uint64_t add_with_flags(struct machine *m, uint64_t a, uint64_t b,
			       bool carry, unsigned size)
{
	uint64_t mask = mask_of(size), sum = (a + b + carry) & mask;

	set_result(m, sum, size);
	m->flags.carry = sum < (a & mask) || (carry && sum == (a & mask));
	m->flags.overflow = (~(a ^ b) & (a ^ sum) & top_of(size)) != 0;
	return sum;
}

static uint64_t subtract(struct machine *m, uint64_t a, uint64_t b, bool borrow,
			 unsigned size)
{
	uint64_t mask = mask_of(size), left = (a - b - borrow) & mask;

	set_result(m, left, size);
	m->flags.carry =
		(a & mask) < (b & mask) || (borrow && (a & mask) == (b & mask));
	m->flags.overflow = ((a ^ b) & (a ^ left) & top_of(size)) != 0;
	return left;
}

static bool condition(const struct machine *m, unsigned code)
{
	const struct machine_flags *f = &m->flags;
	const bool holds[8] = {
		f->overflow,
		f->carry,
		f->zero,
		f->carry || f->zero,
		f->sign,
		f->parity,
		f->sign != f->overflow,
		f->zero || f->sign != f->overflow,
	};

	return holds[code >> 1 & 7] != (code & 1);
}

/* ------------------------------------------------------------------ */
/* Arithmetic                                                         */

/* add, or, adc, sbb, and, sub, xor, cmp; *ret_kept: it is to be stored. */
static uint64_t compute(struct machine *m, unsigned which, uint64_t a,
			uint64_t b, unsigned size, bool *ret_kept)
{
	bool carry = m->flags.carry;

	*ret_kept = which != 7;
	switch (which) {
	case 0:
		return add_with_flags(m, a, b, false, size);
	case 1:
		return logic(m, a | b, size);
	case 2:
		return add_with_flags(m, a, b, carry, size);
	case 3:
		return subtract(m, a, b, carry, size);
	case 4:
		return logic(m, a & b, size);
	case 6:
		return logic(m, a ^ b, size);
	default:
		return subtract(m, a, b, false, size);
	}
}

/* rm = rm OP value */
static void compute_rm(struct machine *m, const struct machine_insn *insn,
		       unsigned which, unsigned size, uint64_t value)
{
	bool kept;
	uint64_t result = compute(m, which, machine_get(m, insn, size), value,
				  size, &kept);

	if (kept)
		machine_set(m, insn, size, result);
}

/* The six forms that each of them has: 00 to 3d. */
static void compute_form(struct machine *m, const struct machine_insn *insn)
{
	unsigned which = insn->opcode >> 3, form = insn->opcode & 7;
	unsigned size = form & 1 ? insn->size : 1;
	unsigned reg = form < 4 ? insn->reg : MACHINE_RAX;
	uint64_t value = machine_register(m, reg, size, insn->has_rex);
	bool kept;

	if (form < 2) {
		compute_rm(m, insn, which, size, value);
		return;
	}
	uint64_t with = form < 4 ? machine_get(m, insn, size) : insn->number;
	uint64_t result = compute(m, which, value, with, size, &kept);
	if (kept)
		machine_set_register(m, reg, size, insn->has_rex, result);
}

/* shl, shr, sar; rotations are not known. */
static bool shift(struct machine *m, const struct machine_insn *insn,
		  unsigned size, uint64_t count)
{
	uint64_t value = machine_get(m, insn, size), result;
	unsigned bits = 8 * size;

	count &= size == WIDE ? 63 : 31;
	if (count == 0)
		return true;
	if (count > bits)
		return false;
	switch (insn->reg & 7) {
	case 4:
	case 6:
		result = count < 64 ? value << count : 0;
		m->flags.carry = value >> (bits - count) & 1;
		break;
	case 5:
		result = count < 64 ? value >> count : 0;
		m->flags.carry = value >> (count - 1) & 1;
		break;
	case 7:
		result = (uint64_t)((int64_t)extend(value, size) >>
				    (count < 64 ? count : 63));
		m->flags.carry = extend(value, size) >> (count - 1) & 1;
		break;
	default:
		return false;
	}
	set_result(m, result, size);
	m->flags.overflow = false; /* known for a count of 1 alone */
	machine_set(m, insn, size, result);
	return true;
}

static void multiply(struct machine *m, const struct machine_insn *insn,
		     uint64_t with)
{
	__int128 product =
		(__int128)(int64_t)extend(machine_get(m, insn, insn->size),
					  insn->size) *
		(int64_t)extend(with, insn->size);

	machine_set_register(m, insn->reg, insn->size, insn->has_rex,
			     (uint64_t)product);
	m->flags.carry = m->flags.overflow =
		product != (int64_t)extend((uint64_t)product, insn->size);
}

/* rdx:rax = rax * rm, or rax and rdx = rdx:rax divided by it. */
static bool multiply_or_divide(struct machine *m,
			       const struct machine_insn *insn, unsigned size)
{
	unsigned which = insn->reg & 7, bits = 8 * size;
	uint64_t by = machine_get(m, insn, size);
	uint64_t low = m->registers[MACHINE_RAX] & mask_of(size);
	uint64_t high = m->registers[MACHINE_RDX] & mask_of(size);
	unsigned __int128 wide = (unsigned __int128)high << bits | low, rest;

	if (size < 4)
		return false;
	if (which == 4) {
		wide = (unsigned __int128)low * by;
		low = (uint64_t)wide;
		rest = wide >> bits;
	} else if (which == 5) {
		wide = (unsigned __int128)((__int128)(int64_t)extend(low,
								     size) *
					   (int64_t)extend(by, size));
		low = (uint64_t)wide;
		rest = wide >> bits;
	} else if (which == 6 && by && high < by) {
		low = (uint64_t)(wide / by);
		rest = wide % by;
	} else if (which == 7 && by && extend(by, size) != UINT64_MAX &&
		   high == (extend(low, size) >> 63 ? mask_of(size) : 0)) {
		int64_t a = (int64_t)extend(low, size);

		low = (uint64_t)(a / (int64_t)extend(by, size));
		rest = (unsigned __int128)(a % (int64_t)extend(by, size));
	} else {
		return false;
	}
	machine_set_register(m, MACHINE_RAX, size, true, low);
	machine_set_register(m, MACHINE_RDX, size, true, (uint64_t)rest);
	return true;
}

/* f6, f7 */
static bool do_unary(struct machine *m, const struct machine_insn *insn)
{
	unsigned size = insn->opcode & 1 ? insn->size : 1;
	uint64_t value = machine_get(m, insn, size);

	switch (insn->reg & 7) {
	case 0:
	case 1:
		logic(m, value & insn->number, size);
		return true;
	case 2:
		machine_set(m, insn, size, ~value);
		return true;
	case 3:
		machine_set(m, insn, size, subtract(m, 0, value, false, size));
		return true;
	default:
		return multiply_or_divide(m, insn, size);
	}
}

/* ------------------------------------------------------------------ */
/* Stack and jumps                                                    */

static bool push(struct machine *m, uint64_t value)
{
	m->registers[MACHINE_RSP] -= WIDE;
	void *at = machine_at(m, m->registers[MACHINE_RSP], WIDE, true);
	if (at)
		memcpy(at, &value, WIDE);
	return at != NULL;
}

static uint64_t pop(struct machine *m)
{
	uint64_t value = 0;
	const void *at = machine_at(m, m->registers[MACHINE_RSP], WIDE, false);

	if (at)
		memcpy(&value, at, WIDE);
	m->registers[MACHINE_RSP] += WIDE;
	return value;
}

static bool call(struct machine *m, uint64_t function)
{
	bool pushed = push(m, m->next);

	m->next = function;
	return pushed;
}

/* fe, ff */
static bool do_group(struct machine *m, const struct machine_insn *insn)
{
	unsigned size = insn->opcode & 1 ? insn->size : 1,
		 which = insn->reg & 7;
	bool carry = m->flags.carry;

	switch (which) {
	case 0:
	case 1:
		compute_rm(m, insn, which ? 5 : 0, size, 1);
		m->flags.carry = carry;
		return true;
	case 2:
		return call(m, machine_get(m, insn, WIDE));
	case 4:
		m->next = machine_get(m, insn, WIDE);
		return true;
	case 6:
		return push(m, machine_get(m, insn, WIDE));
	default:
		return false;
	}
}

/* stos, movs; with rep, rcx times. */
static bool do_string(struct machine *m, const struct machine_insn *insn)
{
	bool is_copy = insn->opcode < 0xa8;
	unsigned size = insn->opcode & 1 ? insn->size : 1;
	uint64_t *rdi = &m->registers[MACHINE_RDI];
	uint64_t *rsi = &m->registers[MACHINE_RSI];
	uint64_t count = insn->prefix == 0xf3 ? m->registers[MACHINE_RCX] : 1;

	for (; count > 0 && m->trouble == MACHINE_FINE; count--, m->steps++) {
		void *to = machine_at(m, *rdi, size, true);
		const void *from = is_copy ? machine_at(m, *rsi, size, false)
					   : &m->registers[MACHINE_RAX];
		if (!to || !from)
			return false;
		memmove(to, from, size);
		*rdi += size;
		*rsi += is_copy ? size : 0;
	}
	if (insn->prefix == 0xf3)
		m->registers[MACHINE_RCX] = 0;
	return true;
}

/* ------------------------------------------------------------------ */
/* By opcode                                                          */

static bool do_move(struct machine *m, const struct machine_insn *insn)
{
	unsigned op = insn->opcode, size = op & 1 ? insn->size : 1;
	uint64_t value;

	switch (op) {
	case 0x63:
		value = extend(machine_get(m, insn, 4), 4);
		machine_set_register(m, insn->reg, insn->size, true, value);
		return true;
	case 0x86:
	case 0x87:
		value = machine_get(m, insn, size);
		machine_set(
			m, insn, size,
			machine_register(m, insn->reg, size, insn->has_rex));
		machine_set_register(m, insn->reg, size, insn->has_rex, value);
		return true;
	case 0x88:
	case 0x89:
		machine_set(
			m, insn, size,
			machine_register(m, insn->reg, size, insn->has_rex));
		return true;
	case 0x8a:
	case 0x8b:
		machine_set_register(m, insn->reg, size, insn->has_rex,
				     machine_get(m, insn, size));
		return true;
	case 0x8d:
		machine_set_register(m, insn->reg, insn->size, true,
				     insn->address);
		return insn->is_memory;
	case 0xc6:
	case 0xc7:
		machine_set(m, insn, size, insn->number);
		return (insn->reg & 7) == 0;
	default:
		return false;
	}
}

/* With 0f before them. */
static bool do_two(struct machine *m, const struct machine_insn *insn)
{
	unsigned op = insn->opcode & 0xff;
	uint64_t value;

	if (op == 0x1e || op == 0x1f || op == 0x18 || op == 0x0d)
		return true; /* endbr64, nop, prefetch */
	if ((op & 0xf0) == 0x40) {
		value = machine_get(m, insn, insn->size);
		if (!condition(m, op))
			value = machine_register(m, insn->reg, insn->size,
						 true);
		machine_set_register(m, insn->reg, insn->size, true, value);
		return true;
	}
	if ((op & 0xf0) == 0x80) {
		m->next += condition(m, op) ? insn->number : 0;
		return true;
	}
	if ((op & 0xf0) == 0x90) {
		machine_set(m, insn, 1, condition(m, op));
		return true;
	}
	if (op == 0xaf) {
		multiply(m, insn,
			 machine_register(m, insn->reg, insn->size, true));
		return true;
	}
	if ((op & 0xf6) != 0xb6) /* movzx, movsx */
		return false;
	value = machine_get(m, insn, op & 1 ? 2 : 1);
	if (op & 8)
		value = extend(value, op & 1 ? 2 : 1);
	machine_set_register(m, insn->reg, insn->size, true, value);
	return true;
}

static void sign_to_rdx(struct machine *m, unsigned size)
{
	bool is_negative = m->registers[MACHINE_RAX] & top_of(size);

	machine_set_register(m, MACHINE_RDX, size, true,
			     is_negative ? UINT64_MAX : 0);
}

/* What has no ModRM. */
static bool do_plain(struct machine *m, const struct machine_insn *insn)
{
	unsigned op = insn->opcode;

	switch (op & 0xf8) {
	case 0x50:
		return push(m, m->registers[insn->rm]);
	case 0x58:
		m->registers[insn->rm] = pop(m);
		return true;
	case 0x70:
	case 0x78:
		m->next += condition(m, op) ? insn->number : 0;
		return true;
	case 0xb0:
		machine_set_register(m, insn->rm, 1, insn->has_rex,
				     insn->number);
		return true;
	case 0xb8:
		machine_set_register(m, insn->rm, insn->size, true,
				     insn->number);
		return true;
	default:
		break;
	}
	switch (op) {
	case 0x68:
	case 0x6a:
		return push(m, insn->number);
	case 0x90:
		return insn->rm == 0; /* else xchg */
	case 0x98:
		machine_set_register(
			m, MACHINE_RAX, insn->size, true,
			extend(m->registers[MACHINE_RAX], insn->size / 2));
		return true;
	case 0x99:
		sign_to_rdx(m, insn->size);
		return true;
	case 0xa8:
	case 0xa9: {
		unsigned size = op & 1 ? insn->size : 1;

		logic(m, m->registers[MACHINE_RAX] & insn->number, size);
		return true;
	}
	case 0xc3:
		m->next = pop(m);
		return true;
	case 0xc9:
		m->registers[MACHINE_RSP] = m->registers[MACHINE_RBP];
		m->registers[MACHINE_RBP] = pop(m);
		return true;
	case 0xe8:
		return call(m, m->next + insn->number);
	case 0xe9:
	case 0xeb:
		m->next += insn->number;
		return true;
	default:
		return false;
	}
}

static bool do_shift(struct machine *m, const struct machine_insn *insn)
{
	unsigned op = insn->opcode, size = op & 1 ? insn->size : 1;

	switch (op & ~1u) {
	case 0xc0:
		return shift(m, insn, size, insn->number);
	case 0xd0:
		return shift(m, insn, size, 1);
	case 0xd2:
		return shift(m, insn, size, m->registers[MACHINE_RCX]);
	default:
		return false;
	}
}

bool machine_do_integer(struct machine *m, const struct machine_insn *insn)
{
	unsigned op = insn->opcode, size = op & 1 ? insn->size : 1;

	if (op >= 0x100)
		return do_two(m, insn);
	if (op < 0x40 && (op & 7) < 6) {
		compute_form(m, insn);
		return true;
	}
	switch (op) {
	case 0x69:
	case 0x6b:
		multiply(m, insn, insn->number);
		return true;
	case 0x80:
	case 0x81:
	case 0x83:
		compute_rm(m, insn, insn->reg & 7, size, insn->number);
		return true;
	case 0x84:
	case 0x85:
		logic(m,
		      machine_get(m, insn, size) &
			      machine_register(m, insn->reg, size,
					       insn->has_rex),
		      size);
		return true;
	case 0xa4:
	case 0xa5:
	case 0xaa:
	case 0xab:
		return do_string(m, insn);
	case 0xf6:
	case 0xf7:
		return do_unary(m, insn);
	case 0xfe:
	case 0xff:
		return do_group(m, insn);
	default:
		return do_shift(m, insn) || do_move(m, insn) ||
		       do_plain(m, insn);
	}
}
