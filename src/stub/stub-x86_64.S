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
#include "stub/save-x86_64.h"

/* Standalone stubs (src/alone) have the slow path alone. */
#ifndef DLAZY_ALONE

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

#endif /* DLAZY_ALONE */

/*
 * void stub_slow(struct slot *slot in r11)
 * {
 *	save argument registers;
 *	r11 = stub_miss(slot, return address, NULL);
 *	restore them;
 *	goto *r11;
 * }
 *
 * void dlazy_linked_slow(linked_slot *slot pushed, struct linked *l in r11)
 *
 * The same with l in the place of NULL; drops the pushed word on its way. It
 * may be called before any constructor has run, so how vector registers are
 * kept is chosen here, once the others are safe (save-x86_64.c).
 *
 * The frame, below the slot's address: rbp, the eight registers, l, MXCSR, then
 * the vectors. Its description is by rbp, so it holds wherever rsp is.
 */
#define SLOT	8(%rbp)
#define CALLER	16(%rbp)
#define LINKED	-72(%rbp)
#define MODE	-80(%rbp)

	.text
#ifndef DLAZY_ALONE
	.globl	stub_slow
	.hidden	stub_slow
	.type	stub_slow, @function
	.balign	16
stub_slow:
	.cfi_startproc
	endbr64
	push	%r11
	.cfi_def_cfa_offset 16
	xor	%r11d, %r11d
	jmp	slow_path
	.cfi_endproc
	.size	stub_slow, . - stub_slow
#else
	.hidden	dlazy_linked_slow, dlazy_linked_slow_named
#endif

	.globl	dlazy_linked_slow
	.type	dlazy_linked_slow, @function
	.globl	dlazy_linked_slow_named
	.type	dlazy_linked_slow_named, @function
	.balign	16
dlazy_linked_slow:
dlazy_linked_slow_named:
	.cfi_startproc
	.cfi_def_cfa_offset 16
	endbr64
slow_path:
	push	%rbp
	.cfi_def_cfa_offset 24
	.cfi_offset %rbp, -24
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
	push	%r11
	sub	$16, %rsp
	mov	stub_save_way(%rip), %eax
	test	%eax, %eax
	jnz	reserve
	call	stub_save_choose
reserve:
	sub	stub_save_size(%rip), %rsp
	and	$-64, %rsp
	cmp	$STUB_SAVE_SSE, %eax
	je	save_sse
/* The header of the area of xsave and xsavec must be zero but for what the
 * instruction itself writes (xsavec: the first 16 bytes; xsave: some bits of
 * the first 8). */
	cmp	$STUB_SAVE_XSAVE, %eax
	mov	$0, %edx
	.irp	at, 0, 8, 16, 24, 32, 40, 48, 56
	mov	%rdx, 512 + \at(%rsp)
	.endr
	mov	$STUB_SAVE_MASK, %eax
	je	save_xsave
	xsavec	(%rsp)
	jmp	ask
save_xsave:
	xsave	(%rsp)
	jmp	ask
save_sse:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movaps	%xmm\n, 16 * \n(%rsp)
	.endr
ask:
	mov	SLOT, %rdi
	mov	CALLER, %rsi
	mov	LINKED, %rdx
	call	stub_miss
	mov	%rax, %r11
	cmpl	$STUB_SAVE_SSE, stub_save_way(%rip)
	je	restore_sse
/* xrstor sets MXCSR from the area, or to its default if the SSE state was in
 * its initial configuration; the current one is put back behind it. */
	stmxcsr	MODE
	mov	$STUB_SAVE_MASK, %eax
	xor	%edx, %edx
	xrstor	(%rsp)
	ldmxcsr	MODE
	jmp	restore
restore_sse:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movaps	16 * \n(%rsp), %xmm\n
	.endr
restore:
	mov	-64(%rbp), %r10
	mov	-56(%rbp), %r9
	mov	-48(%rbp), %r8
	mov	-40(%rbp), %rcx
	mov	-32(%rbp), %rdx
	mov	-24(%rbp), %rsi
	mov	-16(%rbp), %rdi
	mov	-8(%rbp), %rax
	leave
	.cfi_def_cfa %rsp, 16
	.cfi_restore %rbp
	lea	8(%rsp), %rsp
	.cfi_def_cfa_offset 8
	jmp	*%r11
	.cfi_endproc
	.size	dlazy_linked_slow, . - dlazy_linked_slow
	.size	dlazy_linked_slow_named, . - dlazy_linked_slow_named

/*
 * void stub_call_on(void *top, void (*fn)(void *), void *data)
 *
 * The frame is described by rbp, which is on the caller's stack: who unwinds
 * comes back there.
 */
	.globl	stub_call_on
	.hidden	stub_call_on
	.type	stub_call_on, @function
	.balign	16
stub_call_on:
	.cfi_startproc
	endbr64
	push	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset %rbp, -16
	mov	%rsp, %rbp
	.cfi_def_cfa_register %rbp
	mov	%rdi, %rsp
	mov	%rdx, %rdi
	call	*%rsi
	leave
	.cfi_def_cfa %rsp, 8
	.cfi_restore %rbp
	ret
	.cfi_endproc
	.size	stub_call_on, . - stub_call_on

#include "stub/marks-x86_64.S"
