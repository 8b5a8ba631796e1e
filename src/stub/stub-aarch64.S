/* SPDX-License-Identifier: MIT */
/*
 * Stubs for AArch64, AAPCS64. Keeps what can carry an argument: x0-x7, x8
 * (indirect result), q0-q7, and what compilers use for the static chain (x15,
 * x18). x16 and x17 are the ABI's scratch registers between caller and callee:
 * x16 holds the slot's address, which is the stub's identity. Functions of the
 * variant calling convention (SVE arguments) are never called through stubs.
 *
 * FPCR is not restored: what a module's constructor sets stays, as if loaded
 * eagerly.
 */
#include "stub/pool.h"

/* The largest page this CPU can have. */
#define PAGE_MAX 65536

/*
 * stub i:  goto *load_acquire(&stub_slots[i].target);	keeps all but x16, x17
 *
 * The load acquires: see slot.h. adr reaches 1 MiB, so the linker refuses an
 * output in which the slots are farther away. sp is never moved, so one frame
 * description serves the whole pool.
 */
	.section .text.stub_pool, "ax", %progbits
	.balign	PAGE_MAX
	.globl	stub_pool
	.hidden	stub_pool
	.type	stub_pool, %function
stub_pool:
	.cfi_startproc
	.set	slot, 0
	.rept	STUB_POOL
	hint	#34			/* bti c */
	adr	x16, stub_slots + slot
	ldar	x17, [x16]
	br	x17
	.set	slot, slot + STUB_SIZE
	.endr
	.cfi_endproc
	.size	stub_pool, . - stub_pool

	.section .bss.stub_slots, "aw", %nobits
	.balign	PAGE_MAX
	.globl	stub_slots
	.hidden	stub_slots
	.type	stub_slots, %object
stub_slots:
	.zero	STUB_POOL * STUB_SIZE
	.size	stub_slots, . - stub_slots

/*
 * void stub_slow(struct slot *slot in x16)
 * {
 *	save argument registers;
 *	x16 = stub_miss(slot, return address);
 *	restore them;
 *	goto *x16;
 * }
 *
 * The return address is signed while it is in memory.
 */
#define FRAME 240

	.text
	.globl	stub_slow
	.hidden	stub_slow
	.type	stub_slow, %function
	.balign	16
stub_slow:
	.cfi_startproc
	hint	#34			/* bti c */
	mov	x17, x30
	hint	#25			/* paciasp */
	.cfi_negate_ra_state
	stp	x29, x30, [sp, #-FRAME]!
	.cfi_def_cfa_offset FRAME
	.cfi_offset x29, -FRAME
	.cfi_offset x30, -FRAME + 8
	mov	x29, sp
	stp	x0, x1, [sp, #16]
	stp	x2, x3, [sp, #32]
	stp	x4, x5, [sp, #48]
	stp	x6, x7, [sp, #64]
	stp	x8, x15, [sp, #80]
	str	x18, [sp, #96]
	stp	q0, q1, [sp, #112]
	stp	q2, q3, [sp, #144]
	stp	q4, q5, [sp, #176]
	stp	q6, q7, [sp, #208]
	mov	x0, x16
	mov	x1, x17
	bl	stub_miss
	mov	x16, x0
	ldp	q6, q7, [sp, #208]
	ldp	q4, q5, [sp, #176]
	ldp	q2, q3, [sp, #144]
	ldp	q0, q1, [sp, #112]
	ldr	x18, [sp, #96]
	ldp	x8, x15, [sp, #80]
	ldp	x6, x7, [sp, #64]
	ldp	x4, x5, [sp, #48]
	ldp	x2, x3, [sp, #32]
	ldp	x0, x1, [sp, #16]
	ldp	x29, x30, [sp], #FRAME
	.cfi_def_cfa_offset 0
	.cfi_restore x29
	.cfi_restore x30
	hint	#29			/* autiasp */
	.cfi_negate_ra_state
	br	x16
	.cfi_endproc
	.size	stub_slow, . - stub_slow

/* void *stub_slow_entry(void) { return stub_slow; } */
	.globl	stub_slow_entry
	.hidden	stub_slow_entry
	.type	stub_slow_entry, %function
stub_slow_entry:
	.cfi_startproc
	hint	#34			/* bti c */
	adr	x0, stub_slow
	ret
	.cfi_endproc
	.size	stub_slow_entry, . - stub_slow_entry

/* One object without these marks takes BTI and PAC from the whole library, so
 * they do not depend on compiler flags. */
	.section .note.gnu.property, "a"
	.balign	8
	.word	4, 16, 5	/* sizes, NT_GNU_PROPERTY_TYPE_0 */
	.asciz	"GNU"
	.word	0xc0000000, 4	/* GNU_PROPERTY_AARCH64_FEATURE_1_AND */
	.word	3, 0		/* BTI | PAC */

	.section .note.GNU-stack, "", %progbits
