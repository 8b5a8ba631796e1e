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

/* Standalone stubs (src/alone) have the slow path alone. */
#ifndef DLAZY_ALONE

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

#endif /* DLAZY_ALONE */

/*
 * void stub_slow(struct slot *slot in x16)
 * {
 *	save argument registers;
 *	x16 = stub_miss(slot, return address, NULL);
 *	restore them;
 *	goto *x16;
 * }
 *
 * void dlazy_linked_slow(linked_slot *slot at sp, struct linked *l behind it)
 *
 * The same with l in the place of NULL; drops both words on its way. x9 to x14
 * carry nothing into a function, so they are free to use.
 *
 * The return address is signed while it is in memory, with the stack pointer
 * of before the call of the stub, as who unwinds expects.
 */
#define FRAME 240
#define SLOT (FRAME)
#define LINKED (FRAME + 8)
#define ABOVE (FRAME + 16)

	.text
#ifndef DLAZY_ALONE
	.globl	stub_slow
	.hidden	stub_slow
	.type	stub_slow, %function
	.balign	16
stub_slow:
	.cfi_startproc
	hint	#34			/* bti c */
	stp	x16, xzr, [sp, #-16]!
	.cfi_def_cfa_offset 16
	b	slow_path
	.cfi_endproc
	.size	stub_slow, . - stub_slow
#else
	.hidden	dlazy_linked_slow, dlazy_linked_slow_named
#endif

	.globl	dlazy_linked_slow
	.type	dlazy_linked_slow, %function
	.globl	dlazy_linked_slow_named
	.type	dlazy_linked_slow_named, %function
	.balign	16
dlazy_linked_slow:
dlazy_linked_slow_named:
	.cfi_startproc
	.cfi_def_cfa_offset 16
	hint	#34			/* bti c */
slow_path:
	add	x16, sp, #16
	mov	x17, x30
	hint	#8			/* pacia1716 */
	stp	x29, x17, [sp, #-FRAME]!
	.cfi_def_cfa_offset ABOVE
	.cfi_offset x29, -ABOVE
	.cfi_offset x30, -ABOVE + 8
	.cfi_negate_ra_state
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
	ldr	x0, [sp, #SLOT]
	mov	x1, x30
	ldr	x2, [sp, #LINKED]
	bl	stub_miss
	mov	x9, x0
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
	ldp	x29, x17, [sp]
	.cfi_restore x29
	add	x16, sp, #ABOVE
	hint	#12			/* autia1716 */
	mov	x30, x17
	.cfi_restore x30
	.cfi_negate_ra_state
	add	sp, sp, #ABOVE
	.cfi_def_cfa_offset 0
	mov	x16, x9
	br	x16
	.cfi_endproc
	.size	dlazy_linked_slow, . - dlazy_linked_slow
	.size	dlazy_linked_slow_named, . - dlazy_linked_slow_named

/*
 * void stub_call_on(void *top, void (*fn)(void *), void *data)
 *
 * The frame is described by x29, which is on the caller's stack: who unwinds
 * comes back there.
 */
	.globl	stub_call_on
	.hidden	stub_call_on
	.type	stub_call_on, %function
	.balign	16
stub_call_on:
	.cfi_startproc
	hint	#25			/* paciasp */
	.cfi_negate_ra_state
	stp	x29, x30, [sp, #-16]!
	.cfi_def_cfa_offset 16
	.cfi_offset x29, -16
	.cfi_offset x30, -8
	mov	x29, sp
	.cfi_def_cfa_register x29
	mov	sp, x0
	mov	x0, x2
	blr	x1
	mov	sp, x29
	.cfi_def_cfa_register sp
	ldp	x29, x30, [sp], #16
	.cfi_restore x29
	.cfi_restore x30
	.cfi_def_cfa_offset 0
	hint	#29			/* autiasp */
	.cfi_negate_ra_state
	ret
	.cfi_endproc
	.size	stub_call_on, . - stub_call_on

/* One object without these marks takes BTI and PAC from the whole library, so
 * they do not depend on compiler flags. */
	.section .note.gnu.property, "a"
	.balign	8
	.word	4, 16, 5	/* sizes, NT_GNU_PROPERTY_TYPE_0 */
	.asciz	"GNU"
	.word	0xc0000000, 4	/* GNU_PROPERTY_AARCH64_FEATURE_1_AND */
	.word	3, 0		/* BTI | PAC */

	.section .note.GNU-stack, "", %progbits
