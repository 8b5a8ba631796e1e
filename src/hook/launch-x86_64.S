/* SPDX-License-Identifier: MIT */
/*
 * Where the kernel begins a process of launch.c: void _start(void), with argc, the
 * arguments and the environment on the stack. Calls launch_start(stack), which does
 * not return.
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

/* As in cpu-x86_64.S. */
	.section .note.gnu.property, "a"
	.balign	8
	.long	4, 16, 5
	.asciz	"GNU"
	.long	0xc0000002, 4
	.long	3, 0

	.section .note.GNU-stack, "", @progbits
