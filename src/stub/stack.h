/* SPDX-License-Identifier: MIT */
/*
 * Another stack for a first call. A first call is a dlopen, with constructors,
 * but fibers and pools of threads have stacks of 16 KiB, of which a frame of
 * their own may have taken half. Where less than STACK_LEFT is left, the call
 * is made on a stack of ours. Elsewhere it is not: debuggers, collectors and
 * longjmp() do better with one stack.
 */
#ifndef STUB_STACK_H
#define STUB_STACK_H

/* Calls fn(data), which may throw; signals must be blocked, as who jumps out of it
 * keeps the stack. */
void stack_call(void (*fn)(void *data), void *data);

/* Within that: calls fn(data), which may throw, on the stack of who made the first
 * call, whose own functions expect that one. */
void stack_call_back(void (*fn)(void *data), void *data);

#endif
