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

#include "stub/marks-x86_64.S"
