/* SPDX-License-Identifier: MIT */
/*
 * Recognising functions that only return what is known beforehand. A function is
 * followed from its beginning to its return along a straight line. What each
 * register holds is tracked, and each word of the stack that the function writes.
 * The comparison of a stack protector (-fstack-protector-all puts one in every
 * function) is followed if it is seen to compare equal values.
 *
 * Source: psABI for x86-64, 3.2.1: which registers are the caller's.
 */
#include "link/code/functions.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "link/code/insn.h"

#include <stdlib.h>
#include <string.h>

#define FUNCTION_MAX 96 /* bytes; nobody needs as many to say one thing */
#define STACK_WORDS 32	/* below the return address */
#define CONSTRUCTOR_MAX 1024
#define SIGHT_MAX 48 /* what others' functions are known by */

/* ------------------------------------------------------------------ */
/* Constant functions                                                 */

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
	static const uint8_t callers[] = {INSN_RBX, INSN_RBP};
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

static bool result_of(const struct run *run, struct code_constant *ret)
{
	struct value rax = run->registers[INSN_RAX];

	if (!run->returned || !is_clean(run) || has_second(run))
		return false;
	switch (rax.kind) {
	case BEFORE:
		*ret = (struct code_constant){CODE_CONSTANT_NOTHING, 0};
		return rax.number == INSN_RAX;
	case NUMBER:
	case EQUAL:
		*ret = (struct code_constant){CODE_CONSTANT_NUMBER, rax.number};
		return true;
	case ADDRESS:
		*ret = (struct code_constant){CODE_CONSTANT_ADDRESS,
					      rax.number};
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

bool code_returns_constant(const struct elf_data *data, uint64_t function,
			   uint64_t size, struct code_constant *ret)
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

/*
 * Does the linker put into this slot the address of another file's symbol of
 * that name?
 */
static bool is_slot_of(const struct reader *r, uint64_t slot, const char *name)
{
	size_t n;
	const struct elf_fixup *fixup = elf_data_fixups(
		r->data, (struct elf_range){slot, slot + 1}, &n);
	struct elf_symbol symbol;

	return n == 1 && elf_view_symbol(r->view, fixup->symbol, &symbol) &&
	       !symbol.defined && strcmp(symbol.name, name) == 0;
}

static bool is_for_streams(const struct reader *r, uint64_t slot)
{
	return is_slot_of(r, slot, "_ZNSt8ios_base4InitC1Ev") || /* Init() */
	       is_slot_of(r, slot, "_ZNSt8ios_base4InitD1Ev") || /* ~Init() */
	       is_slot_of(r, slot, "__cxa_atexit");
}

/* Some code that is looked at. */
struct sight {
	uint8_t *code; /* malloc'd; NULL: there is none */
	size_t size;
	uint64_t address;
};

static void sight_end(struct sight *sight)
{
	free(sight->code);
}
#define _cleanup_sight_ _cleanup_(sight_end)

/* Without the endbr64 that functions may begin with. */
static struct sight look_at(const struct reader *r, uint64_t address)
{
	static const uint8_t endbr[] = {0xf3, 0x0f, 0x1e, 0xfa};
	struct sight sight = {.size = SIGHT_MAX, .address = address};

	sight.code = read_code(r->data, address, &sight.size);
	if (sight.code && sight.size >= sizeof(endbr) &&
	    memcmp(sight.code, endbr, sizeof(endbr)) == 0) {
		sight.size -= sizeof(endbr);
		sight.address += sizeof(endbr);
		memmove(sight.code, sight.code + sizeof(endbr), sight.size);
	}
	return sight;
}

/* Bytes in hexadecimal, "?" for any, each behind a blank. */
static bool is_like(const struct sight *sight, const char *pattern)
{
	size_t at = 0;

	for (; *pattern; pattern += strcspn(pattern + 1, " ") + 1, at++) {
		if (!sight->code || at >= sight->size)
			return false;
		if (pattern[1] != '?' &&
		    strtoul(pattern, NULL, 16) != sight->code[at])
			return false;
	}
	return true;
}

/*
 * The address that an instruction refers to. The instruction ends `end` bytes
 * behind the begin of the code, and its distance begins `before` bytes before
 * that end.
 */
static uint64_t meant(const struct sight *sight, size_t end, size_t before)
{
	int32_t distance;

	memcpy(&distance, sight->code + end - before, sizeof(distance));
	return sight->address + end + (uint64_t)(int64_t)distance;
}

/* Each file's own, by their code as GCC's crtbegin and glibc's crti have it. */

#define ANY4 " ? ? ? ?"

/* if (__gmon_start__) __gmon_start__(); */
static bool is_init(const struct reader *r, uint64_t function)
{
	_cleanup_sight_ struct sight sight = look_at(r, function);

	return (is_like(&sight, " 48 83 ec 8 48 8b 5" ANY4 " 48 85 c0 74 2"
				" ff d0 48 83 c4 8 c3") ||
		is_like(&sight, " 48 83 ec 8 48 8b 5" ANY4 " 48 85 c0 74 5"
				" e8" ANY4 " 48 83 c4 8 c3")) &&
	       is_slot_of(r, meant(&sight, 11, 4), "__gmon_start__");
}

static bool is_fini(const struct reader *r, uint64_t function)
{
	_cleanup_sight_ struct sight sight = look_at(r, function);

	return is_like(&sight, " 48 83 ec 8 48 83 c4 8 c3");
}

/* register_tm_clones: how far from the end of a table to its begin? */
static bool is_register_clones(const struct reader *r, uint64_t function)
{
	_cleanup_sight_ struct sight sight = look_at(r, function);

	return is_like(&sight, " 48 8d 3d" ANY4 " 48 8d 35" ANY4 " 48 29 fe") ||
	       is_like(&sight,
		       " 48 8d 3d" ANY4 " 48 8d 35" ANY4 " 55 48 29 fe");
}

/* frame_dummy: goes on to register_tm_clones. */
static bool is_frame_dummy(const struct reader *r, uint64_t function)
{
	_cleanup_sight_ struct sight sight = look_at(r, function);
	size_t at = is_like(&sight, " 55 48 89 e5 5d") ? 5 : 0;
	struct insn insn;

	return sight.code &&
	       insn_read(sight.code + at, sight.size - at, sight.address + at,
			 &insn) &&
	       insn.op == INSN_JUMP && is_register_clones(r, insn.value);
}

/* __do_global_dtors_aux: if (!completed) { if (__cxa_finalize) ... */
static bool is_dtors_aux(const struct reader *r, uint64_t function)
{
	_cleanup_sight_ struct sight sight = look_at(r, function);
	size_t end = 0;

	if (is_like(&sight, " 80 3d" ANY4 " 0 75 ? 48 83 3d" ANY4 " 0"))
		end = 17;
	else if (is_like(&sight, " 80 3d" ANY4 " 0 75 ? 55 48 83 3d" ANY4 " 0"))
		end = 18;
	return end && is_slot_of(r, meant(&sight, end, 5), "__cxa_finalize");
}

/* A call goes to an entry of the PLT: a jump to what a slot has; it may have a
 * prefix (bnd). */
static bool calls_for_streams(const struct reader *r, uint64_t entry)
{
	_cleanup_sight_ struct sight sight = look_at(r, entry);
	size_t end = 0;

	if (is_like(&sight, " ff 25" ANY4))
		end = 6;
	else if (is_like(&sight, " f2 ff 25" ANY4))
		end = 7;
	return end && is_for_streams(r, meant(&sight, end, 4));
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

/* Does a constructor do nothing that others could notice? */
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

/* ------------------------------------------------------------------ */
/* What the linker calls                                              */

typedef bool known_fn(const struct reader *r, uint64_t function);

static bool is_known_constructor(const struct reader *r, uint64_t function)
{
	return is_frame_dummy(r, function) || is_private(r, function);
}

/*
 * For CPUs whose code is not read: a function of so few bytes does nothing,
 * and an array of one pointer is the compiler's.
 */
#define EMPTY_MAX 32

static bool seem_known(const struct reader *r, const struct elf_calls *calls)
{
	uint64_t size = elf_data_section_size(r->data, calls->function);

	return calls->function && size > 0 && size <= EMPTY_MAX &&
	       calls->pointers.end - calls->pointers.start <= sizeof(uint64_t);
}

/* Is all of it known? */
static bool are_known(const struct reader *r, struct elf_calls calls,
		      known_fn *is_own, known_fn *is_known)
{
	size_t n;
	const struct elf_fixup *fixups =
		elf_data_fixups(r->data, calls.pointers, &n);

	if (!elf_data_is_x86_64(r->data))
		return seem_known(r, &calls);
	if (calls.function && !is_own(r, calls.function))
		return false;
	/* Each pointer is to one of the file's functions. */
	if (n != (calls.pointers.end - calls.pointers.start) / sizeof(uint64_t))
		return false;
	for (size_t i = 0; i < n; i++)
		if (fixups[i].kind != ELF_FIXUP_RELATIVE ||
		    !is_known(r, (uint64_t)fixups[i].addend))
			return false;
	return true;
}

bool code_constructs(const struct elf_data *data, const struct elf_view *view)
{
	const struct reader reader = {data, view};

	return !are_known(&reader, elf_data_constructors(data), is_init,
			  is_known_constructor);
}

bool code_destructs(const struct elf_data *data, const struct elf_view *view)
{
	const struct reader reader = {data, view};

	return !are_known(&reader, elf_data_destructors(data), is_fini,
			  is_dtors_aux);
}
