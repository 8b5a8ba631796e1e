/* SPDX-License-Identifier: MIT */
/*
 * A decoder of a few instructions of x86-64: those that occur in functions
 * that only return what is known beforehand, and in constructors that have no
 * effect of their own. Every other instruction is unknown.
 */
#ifndef LINK_CODE_INSN_H
#define LINK_CODE_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As encoded; r8 and those behind it are not known. */
enum insn_register {
	INSN_RAX = 0,
	INSN_RDX = 2,
	INSN_RBX = 3,
	INSN_RSP = 4,
	INSN_RBP = 5,
	INSN_REGISTERS = 8
};

enum insn_op {
	INSN_NOTHING,	   /* endbr64, nop */
	INSN_PUSH,	   /* reg */
	INSN_POP,	   /* reg */
	INSN_LEAVE,	   /* rsp = rbp, and pop that */
	INSN_STACK,	   /* rsp += value */
	INSN_COPY,	   /* reg = from */
	INSN_NUMBER,	   /* reg = value */
	INSN_ADDRESS,	   /* reg = value, an address of the file's */
	INSN_LOAD,	   /* reg = the 8 bytes at the address `value` */
	INSN_STORE,	   /* those bytes, or fewer, = something */
	INSN_LOAD_STACK,   /* reg = the 8 bytes at from + value */
	INSN_STORE_STACK,  /* those bytes = reg */
	INSN_COMPARE,	   /* reg with those bytes */
	INSN_CANARY,	   /* reg = the stack protector's */
	INSN_CHECK,	   /* reg -= that, or ^= */
	INSN_JUMP_UNEQUAL, /* to the address `value` */
	INSN_JUMP,
	INSN_CALL,
	INSN_RETURN,
};

struct insn {
	enum insn_op op;
	unsigned reg, from;
	uint64_t value;
	size_t size; /* in bytes */
};

/* The one at the begin of some code, which has that address; false: it is not
 * known, or cut off. */
bool insn_read(const uint8_t *code, size_t size, uint64_t address,
	       struct insn *ret);

#endif
