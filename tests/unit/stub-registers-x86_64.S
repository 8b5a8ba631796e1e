/* SPDX-License-Identifier: MIT */
/*
 * See stub-registers-x86_64.h. Offsets in struct registers: general 0, mask 64,
 * vector 128.
 */
	.text

	.macro	function name
	.globl	\name
	.type	\name, @function
	.balign	16
\name:
	endbr64
	.endm

/* rbx holds the struct, r12 the code: a callee keeps both. */
	.macro	begin_call
	push	%rbx
	push	%r12
	sub	$8, %rsp
	mov	%rdi, %rbx
	mov	%rsi, %r12
	.endm

	.macro	end_call
	mov	(%rbx), %rax
	mov	8(%rbx), %rdi
	mov	16(%rbx), %rsi
	mov	24(%rbx), %rdx
	mov	32(%rbx), %rcx
	mov	40(%rbx), %r8
	mov	48(%rbx), %r9
	mov	56(%rbx), %r10
	call	*%r12
	add	$8, %rsp
	pop	%r12
	pop	%rbx
	ret
	.endm

	.macro	begin_store
	lea	registers_seen(%rip), %r11
	mov	%rax, (%r11)
	mov	%rdi, 8(%r11)
	mov	%rsi, 16(%r11)
	mov	%rdx, 24(%r11)
	mov	%rcx, 32(%r11)
	mov	%r8, 40(%r11)
	mov	%r9, 48(%r11)
	mov	%r10, 56(%r11)
	.endm

	.macro	load16 move, register
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	\move	128 + 64 * \n(%rbx), %\register\n
	.endr
	.endm

	.macro	store16 move, register
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	\move	%\register\n, 128 + 64 * \n(%r11)
	.endr
	.endm

	function registers_call_sse
	begin_call
	load16	movdqu, xmm
	end_call

	function registers_store_sse
	begin_store
	store16	movdqu, xmm
	ret

	function registers_call_avx
	begin_call
	load16	vmovdqu, ymm
	end_call

	function registers_store_avx
	begin_store
	store16	vmovdqu, ymm
	ret

	function registers_call_avx512
	begin_call
	load16	vmovdqu64, zmm
	.irp	n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	vmovdqu64 128 + 64 * \n(%rbx), %zmm\n
	.endr
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7
	kmovq	64 + 8 * \n(%rbx), %k\n
	.endr
	end_call

	function registers_store_avx512
	begin_store
	store16	vmovdqu64, zmm
	.irp	n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	vmovdqu64 %zmm\n, 128 + 64 * \n(%r11)
	.endr
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7
	kmovq	%k\n, 64 + 8 * \n(%r11)
	.endr
	ret

	function registers_call_restored
	sub	$8, %rsp
	mov	$0xe6, %eax
	xor	%edx, %edx
	xrstor	(%rdi)
	call	*%rsi
	add	$8, %rsp
	ret

	function registers_call_chain
	mov	%rdi, %r10
	jmp	*%rsi

	function registers_al
	movzbl	%al, %eax
	ret

	function registers_r10
	mov	%r10, %rax
	ret

	.section .note.GNU-stack, "", @progbits
