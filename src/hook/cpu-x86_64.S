/* SPDX-License-Identifier: MIT */
/*
 * Trampolines, inits and the clock for x86-64, System V ABI. Trampolines and inits
 * touch neither the stack nor a register that can carry an argument, so
 * that vector arguments, variadic calls and static chains pass as they are, and
 * unwinding needs one description for each table.
 */
#include "hook/cpu.h"

/*
 * trampoline i:  if (!cpu_called[i])
 *		cpu_called[i] = 1;
 *	    goto *cpu_targets[i];
 *
 * It is read before it is written, so that threads do not fight for its cache
 * line. Keeps all but the flags.
 */
	.section .text.cpu_trampolines, "ax", @progbits
	.balign 4096
	.globl	cpu_trampolines
	.hidden	cpu_trampolines
	.type	cpu_trampolines, @function
cpu_trampolines:
	.cfi_startproc
	.set	i, 0
	.rept	CPU_TRAMPOLINES
	endbr64
	cmpb	$0, cpu_called + i(%rip)
	je	1f
	jmp	*cpu_targets + 8 * i(%rip)
1:	movb	$1, cpu_called + i(%rip)
	jmp	*cpu_targets + 8 * i(%rip)
	.balign	CPU_TRAMPOLINE_SIZE, 0xcc
	.set	i, i + 1
	.endr
	.cfi_endproc
	.size	cpu_trampolines, . - cpu_trampolines

/* init i:  hook_init(argc, argv, envp, i); */
	.section .text.cpu_inits, "ax", @progbits
	.balign 4096
	.globl	cpu_inits
	.hidden	cpu_inits
	.type	cpu_inits, @function
cpu_inits:
	.cfi_startproc
	.set	i, 0
	.rept	CPU_INITS
	endbr64
	mov	$i, %ecx
	jmp	hook_init
	.balign	CPU_INIT_SIZE, 0xcc
	.set	i, i + 1
	.endr
	.cfi_endproc
	.size	cpu_inits, . - cpu_inits

	.bss
	.balign 4096
	.globl	cpu_called, cpu_targets
	.hidden	cpu_called, cpu_targets
	.type	cpu_called, @object
	.type	cpu_targets, @object
cpu_called:
	.zero	CPU_TRAMPOLINES
	.size	cpu_called, CPU_TRAMPOLINES
cpu_targets:
	.zero	CPU_TRAMPOLINES * 8
	.size	cpu_targets, CPU_TRAMPOLINES * 8

/* uint64_t cpu_ticks(void) */
	.text
	.globl	cpu_ticks
	.hidden	cpu_ticks
	.type	cpu_ticks, @function
	.balign	16
cpu_ticks:
	.cfi_startproc
	endbr64
	rdtsc
	shl	$32, %rdx
	or	%rdx, %rax
	ret
	.cfi_endproc
	.size	cpu_ticks, . - cpu_ticks

#include "stub/marks-x86_64.S"
