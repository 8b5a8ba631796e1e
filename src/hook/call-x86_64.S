/* SPDX-License-Identifier: MIT */
/*
 * System calls. Alone in a file, as what lives in other processes maps no more than
 * it needs.
 */

/* long cpu_call(long number, long a, long b, long c, long d, long e, long f) */
	.text
	.globl	cpu_call
	.hidden	cpu_call
	.type	cpu_call, @function
	.balign	16
cpu_call:
	.cfi_startproc
	endbr64
	mov	%rdi, %rax
	mov	%rsi, %rdi
	mov	%rdx, %rsi
	mov	%rcx, %rdx
	mov	%r8, %r10
	mov	%r9, %r8
	mov	8(%rsp), %r9
	syscall
	ret
	.cfi_endproc
	.size	cpu_call, . - cpu_call

#include "stub/marks-x86_64.S"
