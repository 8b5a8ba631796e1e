/* SPDX-License-Identifier: MIT */
/*
 * A function is followed from its begin to its return, along a straight line:
 * for each register, and each word of the stack that it writes, it is known
 * what is there. What a stack protector does (-fstack-protector-all has it in
 * every function) leads nowhere, if what is compared is seen to be equal.
 *
 * Source: psABI for x86-64, 3.2.1: which registers are the caller's.
 */
#include "elf/code.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "elf/insn.h"

#include <string.h>

#define FUNCTION_MAX 96 /* bytes; nobody needs as many to say one thing */
#define STACK_WORDS 32	/* below the return address */
#define CONSTRUCTOR_MAX 1024
#define ENTRY_MAX 12 /* of the PLT */

/* ------------------------------------------------------------------ */
/* What a function answers                                            */

enum value_kind {
	BEFORE,	 /* what the register `number` had at the begin */
	NUMBER,	 /* a number */
	ADDRESS, /* the address `number` */
	STACK,	 /* the stack pointer's value at the begin, plus `number` */
	CANARY,	 /* the stack protector's */
	EQUAL,	 /* the difference of that and itself: 0 */
	UNKNOWN,
};

struct value {
	enum value_kind kind;
	uint64_t number;
};

struct run {
	struct value registers[INSN_REGISTERS];
	struct value stack[STACK_WORDS];
	bool equal; /* the last instruction found so */
	bool returned;
};

static struct run begin(void)
{
	struct run run = {.equal = false};

	for (size_t i = 0; i < INSN_REGISTERS; i++)
		run.registers[i] = (struct value){BEFORE, i};
	run.registers[INSN_RSP] = (struct value){STACK, 0};
	for (size_t i = 0; i < STACK_WORDS; i++)
		run.stack[i] = (struct value){UNKNOWN, 0};
	return run;
}

/* The word at a pointer plus an offset; NULL: it is not ours. */
static struct value *word(struct run *run, struct value pointer,
			  uint64_t offset)
{
	uint64_t below = -(pointer.number + offset); /* the begin */

	if (pointer.kind != STACK || below == 0 || below % 8 ||
	    below / 8 > STACK_WORDS)
		return NULL;
	return &run->stack[below / 8 - 1];
}

static bool push(struct run *run, unsigned reg)
{
	struct value *rsp = &run->registers[INSN_RSP];
	struct value pushed = run->registers[reg];

	rsp->number -= 8;
	struct value *to = word(run, *rsp, 0);
	if (to)
		*to = pushed;
	return to;
}

static bool pop(struct run *run, unsigned reg)
{
	struct value *rsp = &run->registers[INSN_RSP];
	const struct value *from = word(run, *rsp, 0);

	if (!from || reg == INSN_RSP)
		return false;
	run->registers[reg] = *from;
	rsp->number += 8;
	return true;
}

/* reg = what; false: the stack pointer would be lost. */
static bool set(struct run *run, unsigned reg, struct value what)
{
	run->registers[reg] = what;
	return reg != INSN_RSP || what.kind == STACK;
}

static bool load(struct run *run, const struct insn *insn)
{
	const struct value *from =
		word(run, run->registers[insn->from], insn->value);

	return from && set(run, insn->reg, *from);
}

static bool store(struct run *run, const struct insn *insn)
{
	struct value *to = word(run, run->registers[insn->from], insn->value);

	if (to)
		*to = run->registers[insn->reg];
	return to;
}

/* With what is not the stack protector's, nothing is compared here. */
static bool compare(struct run *run, const struct insn *insn)
{
	const struct value *with =
		word(run, run->registers[insn->from], insn->value);

	return with && with->kind == CANARY &&
	       run->registers[insn->reg].kind == CANARY;
}

/* false: this is not to be followed. */
static bool step(struct run *run, const struct insn *insn)
{
	struct value *reg = &run->registers[insn->reg];
	bool equal = run->equal;

	run->equal = false;
	switch (insn->op) {
	case INSN_NOTHING:
		return true;
	case INSN_PUSH:
		return push(run, insn->reg);
	case INSN_POP:
		return pop(run, insn->reg);
	case INSN_LEAVE:
		return set(run, INSN_RSP, run->registers[INSN_RBP]) &&
		       pop(run, INSN_RBP);
	case INSN_STACK:
		run->registers[INSN_RSP].number += insn->value;
		return true;
	case INSN_COPY:
		return set(run, insn->reg, run->registers[insn->from]);
	case INSN_NUMBER:
		return set(run, insn->reg, (struct value){NUMBER, insn->value});
	case INSN_ADDRESS:
		return set(run, insn->reg,
			   (struct value){ADDRESS, insn->value});
	case INSN_LOAD_STACK:
		return load(run, insn);
	case INSN_STORE_STACK:
		return store(run, insn);
	case INSN_COMPARE:
		run->equal = compare(run, insn);
		return run->equal;
	case INSN_CANARY:
		return set(run, insn->reg, (struct value){CANARY, 0});
	case INSN_CHECK:
		run->equal = reg->kind == CANARY;
		*reg = (struct value){EQUAL, 0};
		return run->equal;
	case INSN_JUMP_UNEQUAL:
		return equal;
	case INSN_RETURN:
		run->returned = true;
		return true;
	default:
		return false;
	}
}

/* Are the stack and the caller's registers as they were? */
static bool is_clean(const struct run *run)
{
	static const uint8_t callers[] = {INSN_RBX,	INSN_RBP,
					  INSN_R12,	INSN_R12 + 1,
					  INSN_R12 + 2, INSN_R12 + 3};
	const struct value *rsp = &run->registers[INSN_RSP];

	for (size_t i = 0; i < ARRAY_SIZE(callers); i++) {
		struct value value = run->registers[callers[i]];

		if (value.kind != BEFORE || value.number != callers[i])
			return false;
	}
	return rsp->kind == STACK && rsp->number == 0;
}

/* The second half of a result of 16 bytes, unless it is the remains of a
 * check. */
static bool has_second(const struct run *run)
{
	struct value rdx = run->registers[INSN_RDX];

	return (rdx.kind != BEFORE || rdx.number != INSN_RDX) &&
	       rdx.kind != CANARY && rdx.kind != EQUAL;
}

static bool result_of(const struct run *run, struct code_answer *ret)
{
	struct value rax = run->registers[INSN_RAX];

	if (!run->returned || !is_clean(run) || has_second(run))
		return false;
	switch (rax.kind) {
	case BEFORE:
		*ret = (struct code_answer){CODE_ANSWER_NOTHING, 0};
		return rax.number == INSN_RAX;
	case NUMBER:
	case EQUAL:
		*ret = (struct code_answer){CODE_ANSWER_NUMBER, rax.number};
		return true;
	case ADDRESS:
		*ret = (struct code_answer){CODE_ANSWER_ADDRESS, rax.number};
		return true;
	default:
		return false;
	}
}

/* Code as it is in the file, which the linker does not change; malloc'd, and
 * fewer bytes where it ends. NULL: it is none, or cannot be read. */
static uint8_t *read_code(const struct elf_data *data, uint64_t address,
			  size_t *size)
{
	struct elf_range range;
	uint8_t *code;
	size_t relocated;

	if (!elf_data_is_x86_64(data) ||
	    elf_data_region(data, address, &range) != ELF_REGION_CODE)
		return NULL;
	range.start = address;
	if (range.end - address > *size)
		range.end = address + *size;
	*size = range.end - address;
	elf_data_fixups(data, range, &relocated);
	if (relocated)
		return NULL;
	if (elf_data_read(data, range, &code) < 0) {
		status_clear();
		return NULL;
	}
	return code;
}

bool code_answers(const struct elf_data *data, uint64_t function, uint64_t size,
		  struct code_answer *ret)
{
	struct run run = begin();
	struct insn insn;
	size_t room = size;

	if (size > FUNCTION_MAX)
		return false;
	_cleanup_free_ uint8_t *code = read_code(data, function, &room);
	for (size_t at = 0; code && !run.returned; at += insn.size)
		if (!insn_read(code + at, room - at, function + at, &insn) ||
		    !step(&run, &insn))
			return false;
	return result_of(&run, ret);
}

/* ------------------------------------------------------------------ */
/* What a constructor does                                            */

struct reader {
	const struct elf_data *data;
	const struct elf_view *view;
};

/* Is what the linker puts there one of the functions that the standard streams
 * are set up with? */
static bool is_for_streams(const struct reader *r, uint64_t slot)
{
	static const char *const functions[] = {
		"_ZNSt8ios_base4InitC1Ev", /* std::ios_base::Init::Init() */
		"_ZNSt8ios_base4InitD1Ev", /* ~Init() */
		"__cxa_atexit",
	};
	size_t n;
	const struct elf_fixup *fixup = elf_data_fixups(
		r->data, (struct elf_range){slot, slot + 1}, &n);
	struct elf_symbol symbol;

	if (n != 1 || !elf_view_symbol(r->view, fixup->symbol, &symbol) ||
	    symbol.defined)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		if (strcmp(symbol.name, functions[i]) == 0)
			return true;
	return false;
}

/* A call goes to an entry of the PLT: endbr64, and a jump to what a slot has;
 * the jump may have a prefix (bnd). */
static bool calls_for_streams(const struct reader *r, uint64_t entry)
{
	static const uint8_t endbr[] = {0xf3, 0x0f, 0x1e, 0xfa};
	size_t size = ENTRY_MAX, at = 0;
	_cleanup_free_ uint8_t *code = read_code(r->data, entry, &size);
	int32_t distance;

	if (!code || size < ENTRY_MAX)
		return false;
	if (memcmp(code, endbr, sizeof(endbr)) == 0)
		at += sizeof(endbr);
	if (code[at] == 0xf2)
		at++;
	if (code[at] != 0xff || code[at + 1] != 0x25)
		return false;
	memcpy(&distance, code + at + 2, sizeof(distance));
	return is_for_streams(r, entry + at + 6 + (uint64_t)(int64_t)distance);
}

/* false: others might notice. */
static bool is_harmless(const struct reader *r, const struct insn *insn)
{
	struct elf_range ignored;

	switch (insn->op) {
	case INSN_NOTHING:
	case INSN_PUSH:
	case INSN_POP:
	case INSN_STACK:
	case INSN_COPY:
	case INSN_NUMBER:
	case INSN_RETURN:
		return true;
	case INSN_ADDRESS: /* of the object, not of a function */
		return elf_data_region(r->data, insn->value, &ignored) !=
		       ELF_REGION_CODE;
	case INSN_STORE: /* directly, so not where others have its data */
		return elf_data_region(r->data, insn->value, &ignored) ==
		       ELF_REGION_WRITABLE;
	case INSN_LOAD:
		return is_for_streams(r, insn->value);
	case INSN_CALL:
	case INSN_JUMP:
		return calls_for_streams(r, insn->value);
	default:
		return false;
	}
}

/* Does a constructor nothing that others could notice? */
static bool is_private(const struct reader *r, uint64_t function)
{
	size_t size = CONSTRUCTOR_MAX, at = 0;
	_cleanup_free_ uint8_t *code = read_code(r->data, function, &size);
	struct insn insn;

	while (code && insn_read(code + at, size - at, function + at, &insn) &&
	       is_harmless(r, &insn)) {
		if (insn.op == INSN_JUMP || insn.op == INSN_RETURN)
			return true;
		at += insn.size;
	}
	return false;
}

bool code_constructs(const struct elf_data *data, const struct elf_view *view,
		     int fd)
{
	const struct reader reader = {data, view};
	size_t n, harmless = 0;
	const struct elf_fixup *entries =
		elf_data_fixups(data, elf_data_constructors(data), &n);

	for (size_t i = 0; i < n; i++)
		harmless += entries[i].kind == ELF_FIXUP_RELATIVE &&
			    is_private(&reader, (uint64_t)entries[i].addend);
	return elf_view_constructs(view, fd, harmless);
}
