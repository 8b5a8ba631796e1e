/* SPDX-License-Identifier: MIT */
/*
 * Stubs for x86-64, System V ABI. Keeps what can carry an argument: rax (al:
 * the count of vector registers of a variadic call), rdi rsi rdx rcx r8 r9,
 * r10 (static chain), and the vector registers whole, as wide as this CPU has
 * them. r11 is the ABI's scratch register between caller and callee: it holds
 * the slot's address, which is the stub's identity.
 *
 * x87 and MMX are not touched. MXCSR is not restored: a module's constructor
 * may set it for good (-ffast-math does), and a lazy first call must leave it
 * as an eager load would.
 */
#include "stub/pool.h"
#include "stub/slow-x86_64.h"

/*
 * stub i:  goto *stub_slots[i].target;     keeps all but r11
 *
 * rsp is never moved, so one frame description serves the whole pool.
 */
	.section .text.stub_pool, "ax", @progbits
	.balign 4096
	.globl	stub_pool
	.hidden	stub_pool
	.type	stub_pool, @function
stub_pool:
	.cfi_startproc
	.set	slot, 0
	.rept	STUB_POOL
	endbr64
	lea	stub_slots + slot(%rip), %r11
	jmp	*(%r11)
	.balign	STUB_SIZE, 0xcc
	.set	slot, slot + STUB_SIZE
	.endr
	.cfi_endproc
	.size	stub_pool, . - stub_pool

	.section .bss.stub_slots, "aw", @nobits
	.balign 4096
	.globl	stub_slots
	.hidden	stub_slots
	.type	stub_slots, @object
stub_slots:
	.zero	STUB_POOL * STUB_SIZE
	.size	stub_slots, . - stub_slots

/*
 * void stub_slow(struct slot *slot in r11)
 * {
 *	save argument registers;
 *	r11 = stub_miss(slot, return address);
 *	restore them;
 *	goto *r11;
 * }
 *
 * The frame: saved rbp, the nine registers below it, eight bytes for MXCSR,
 * then the vectors. Its description is by rbp, so it holds wherever rsp is.
 */
	.macro	enter name
	.globl	\name
	.hidden	\name
	.type	\name, @function
	.balign	16
\name:
	.cfi_startproc
	endbr64
	push	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset %rbp, -16
	mov	%rsp, %rbp
	.cfi_def_cfa_register %rbp
	push	%rax
	push	%rdi
	push	%rsi
	push	%rdx
	push	%rcx
	push	%r8
	push	%r9
	push	%r10
	sub	$8, %rsp
	.endm

	.macro	miss
	mov	%r11, %rdi
	mov	8(%rbp), %rsi
	call	stub_miss
	mov	%rax, %r11
	.endm

	.macro	leave_to_r11 name
	mov	-64(%rbp), %r10
	mov	-56(%rbp), %r9
	mov	-48(%rbp), %r8
	mov	-40(%rbp), %rcx
	mov	-32(%rbp), %rdx
	mov	-24(%rbp), %rsi
	mov	-16(%rbp), %rdi
	mov	-8(%rbp), %rax
	leave
	.cfi_def_cfa %rsp, 8
	.cfi_restore %rbp
	jmp	*%r11
	.cfi_endproc
	.size	\name, . - \name
	.endm

/* The area of xsave and xsavec is aligned to 64. Its header must be zero but
 * for what the instruction itself writes (xsavec: the first 16 bytes; xsave:
 * some bits of the first 8). */
	.macro	reserve_area
	sub	stub_save_size(%rip), %rsp
	and	$-64, %rsp
	xor	%edx, %edx
	.irp	at, 0, 8, 16, 24, 32, 40, 48, 56
	mov	%rdx, 512 + \at(%rsp)
	.endr
	mov	$STUB_SAVE_MASK, %eax
	.endm

/* xrstor sets MXCSR from the area, or to its default if the SSE state was in
 * its initial configuration; the current one is put back behind it. */
	.macro	restore_area
	stmxcsr	-72(%rbp)
	mov	$STUB_SAVE_MASK, %eax
	xor	%edx, %edx
	xrstor	(%rsp)
	ldmxcsr	-72(%rbp)
	.endm

	.text

/* With xsavec: keeps zmm0-31, k0-7. */
	enter	stub_slow_xsavec
	reserve_area
	xsavec	(%rsp)
	miss
	restore_area
	leave_to_r11 stub_slow_xsavec

/* With xsave, where xsavec is not to be had: the same. */
	enter	stub_slow_xsave
	reserve_area
	xsave	(%rsp)
	miss
	restore_area
	leave_to_r11 stub_slow_xsave

/* With neither there is no AVX: keeps xmm0-15. */
	enter	stub_slow_sse
	sub	$256, %rsp
	and	$-16, %rsp
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movaps	%xmm\n, 16 * \n(%rsp)
	.endr
	miss
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movaps	16 * \n(%rsp), %xmm\n
	.endr
	leave_to_r11 stub_slow_sse

/* One object without these marks takes IBT and SHSTK from the whole library,
 * so they do not depend on compiler flags. */
	.section .note.gnu.property, "a"
	.balign	8
	.long	4, 16, 5	/* sizes, NT_GNU_PROPERTY_TYPE_0 */
	.asciz	"GNU"
	.long	0xc0000002, 4	/* GNU_PROPERTY_X86_FEATURE_1_AND */
	.long	3, 0		/* IBT | SHSTK */

	.section .note.GNU-stack, "", @progbits
