/* SPDX-License-Identifier: MIT */
/*
 * A machine that functions of a plugin file are followed on: registers, the
 * file's segments as they are once relocated, a stack and a heap, all in memory
 * of our own. Nothing of the plugin is run by the CPU, and no call leaves it:
 * what the plugin needs of libc and libstdc++ is modelled for a few functions
 * (outside.c), and any other call ends the attempt, as does every instruction
 * that is not understood, every address that is none, and a bound on steps.
 *
 * What is written when the file is loaded may be other than the file has it. So
 * data that can be written are not read, unless the file's initialisers have been
 * followed on the same machine.
 *
 * Only x86-64 code is understood.
 */
#ifndef LINK_FACTS_MACHINE_H
#define LINK_FACTS_MACHINE_H

#include "base/array.h"
#include "base/cleanup.h"
#include "elf/view.h"
#include "link/code/relocations.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As encoded. */
enum machine_register {
	MACHINE_RAX,
	MACHINE_RCX,
	MACHINE_RDX,
	MACHINE_RBX,
	MACHINE_RSP,
	MACHINE_RBP,
	MACHINE_RSI,
	MACHINE_RDI,
	MACHINE_REGISTERS = 16
};

union machine_vector {
	uint8_t bytes[16];
	uint16_t words[8];
	uint32_t ints[4];
	uint64_t longs[2];
	float floats[4];
	double doubles[2];
};

struct machine_flags {
	bool carry, zero, sign, overflow, parity;
};

/* Memory in one piece. */
struct machine_memory {
	uint64_t start, size;
	uint8_t *bytes;
};

static inline bool machine_is_in(const struct machine_memory *memory,
				 uint64_t address, uint64_t size)
{
	return address >= memory->start &&
	       range_within(address - memory->start, size, memory->size);
}

/* A segment, or the part of one that is read-only once relocated. */
struct machine_segment {
	uint64_t start, end;
	bool is_writable, is_code;
};

enum machine_trouble {
	MACHINE_FINE,
	MACHINE_NOT_INITIALISED, /* initialisers have to be followed first */
	MACHINE_UNKNOWN,	 /* something is not understood */
};

#define MACHINE_SEGMENTS_MAX 32

struct machine {
	const struct elf_view *view;
	const struct elf_data *data;
	struct machine_memory image, stack, heap;
	uint64_t heap_used;
	struct machine_segment segments[MACHINE_SEGMENTS_MAX];
	size_t segment_count;
	bool is_initialised; /* data that can be written may be read */
	enum machine_trouble trouble;
	uint64_t steps;
	uint64_t registers[MACHINE_REGISTERS];
	union machine_vector vectors[16];
	struct machine_flags flags;
	uint64_t next; /* the instruction's address */
};

/*
 * Makes a machine of an open file, relocated. view, data: of the same file, and
 * kept for as long. 0 or, with message, a status; machine_end() in any case.
 */
int machine_begin(struct machine *m, int fd, const char *name,
		  const struct elf_view *view, const struct elf_data *data);
void machine_end(struct machine *m);
static inline void cleanup_machine(struct machine *m)
{
	machine_end(m);
}
#define _cleanup_machine_ _cleanup_(cleanup_machine)

/* Follows what the linker would call after loading the file. false: trouble. */
bool machine_initialise(struct machine *m);

/* Follows a function with up to two arguments, to its end. *ret (may be NULL) is
 * what it returns. false: trouble. */
bool machine_call(struct machine *m, uint64_t function, uint64_t first,
		  uint64_t second, uint64_t *ret);

/* The address of one of the file's own functions; 0: it does not export it. */
uint64_t machine_function(const struct machine *m, const char *name);

/* The bytes at an address; NULL, and trouble: they cannot be had. */
void *machine_at(struct machine *m, uint64_t address, uint64_t size,
		 bool to_write);

/* The text at an address; NULL, and trouble: there is none that ends. */
const char *machine_text(struct machine *m, uint64_t address);

/* New memory, all 0; 0, and trouble: there is no more. */
uint64_t machine_allocate(struct machine *m, uint64_t size);

/* ------------------------------------------------------------------ */
/* Parts of it, for each other                                        */

/* What a call of another file's function does (outside.c). address: it was called
 * at, which is none of this file's. false: it is not known. */
bool machine_call_outside(struct machine *m, uint64_t address);

/* The name of the symbol that a reference went to; NULL: it is none's. */
const char *machine_outside_name(const struct machine *m, uint64_t address);

/* An instruction, decoded. */
struct machine_insn {
	unsigned opcode; /* 0x100 and more: behind 0f */
	unsigned prefix; /* 0, 0xf2, 0xf3, or 0x66 */
	bool has_66, has_rex;
	unsigned size;	  /* of operands: 2, 4 or 8 */
	unsigned reg, rm; /* of ModRM, with REX */
	bool is_memory;	  /* what rm means is at `address` */
	bool is_thread;	  /* which counts from the thread's own */
	uint64_t address;
	uint64_t number; /* behind all, extended with its sign */
};

/* Decodes what is next, and moves on behind it. false: it is not understood. */
bool machine_decode(struct machine *m, struct machine_insn *ret);

/* Do it, if it is of theirs. false: it is not. */
bool machine_do_integer(struct machine *m, const struct machine_insn *insn);
bool machine_do_vector(struct machine *m, const struct machine_insn *insn);

/* What rm means, as a number of so many bytes. */
uint64_t machine_get(struct machine *m, const struct machine_insn *insn,
		     unsigned size);
void machine_set(struct machine *m, const struct machine_insn *insn,
		 unsigned size, uint64_t value);

/* A register; of one byte, as the instruction has them. */
uint64_t machine_register(const struct machine *m, unsigned reg, unsigned size,
			  bool has_rex);
void machine_set_register(struct machine *m, unsigned reg, unsigned size,
			  bool has_rex, uint64_t value);

static inline bool machine_fail(struct machine *m)
{
	if (m->trouble == MACHINE_FINE)
		m->trouble = MACHINE_UNKNOWN;
	return false;
}

#endif
