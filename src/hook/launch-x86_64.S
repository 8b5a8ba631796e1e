/* SPDX-License-Identifier: MIT */
/*
 * Where the kernel begins a process of launch.c: void _start(void), with argc, the
 * arguments and the environment on the stack. Calls launch_start(stack), which does
 * not return. And its system calls.
 */
	.text
	.globl	_start
	.type	_start, @function
_start:
	.cfi_startproc
	.cfi_undefined rip
	endbr64
	xor	%ebp, %ebp
	mov	%rsp, %rdi
	and	$-16, %rsp
	call	launch_start
	hlt
	.cfi_endproc
	.size	_start, . - _start

/* long cpu_call(long number, long a, long b, long c, long d, long e, long f): that of
 * cpu-x86_64.S has much beside it that would be mapped here, too. */
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

/* As in cpu-x86_64.S. */
	.section .note.gnu.property, "a"
	.balign	8
	.long	4, 16, 5
	.asciz	"GNU"
	.long	0xc0000002, 4
	.long	3, 0

	.section .note.GNU-stack, "", @progbits
