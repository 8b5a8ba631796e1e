/* SPDX-License-Identifier: MIT */
/*
 * Room for a first call. Fibers and pools of threads have stacks of 16 KiB, of
 * which a frame of their own may have taken half; a first call is a dlopen, with
 * constructors. Where less than STACK_LEFT is left it is made on a stack of ours.
 * Elsewhere not: debuggers, collectors and longjmp() rather have one stack.
 */
#ifndef STUB_STACK_H
#define STUB_STACK_H

/* Calls fn(data), which may throw; signals must be blocked, as who jumps out of it
 * keeps the stack. */
void stack_call(void (*fn)(void *data), void *data);

#endif
