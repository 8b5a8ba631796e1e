/* SPDX-License-Identifier: MIT */
/*
 * What a thread does when another thread is loading the module that it needs.
 *
 * The dynamic linker's lock would do the waiting, but not in one case: a
 * constructor of the module starts a thread, the thread touches the module,
 * and the constructor joins it. That thread must not ask the linker, whose
 * lock the constructor's thread holds. So a thread that finds a module LOADING
 * first looks at what the loading thread is doing.
 */
#ifndef LOAD_WAIT_H
#define LOAD_WAIT_H

struct dlazy_module;

enum wait_answer {
	WAIT_ASK,    /* go on to dlopen: it is loaded, or failed, or the loading
			thread itself waits for the linker's lock */
	WAIT_JOINED, /* a loading thread is waiting for this one to end */
	WAIT_ENDED,  /* nobody is loading it any more */
};

/*
 * Waits until no other thread is loading m, or until it is clear that waiting
 * is wrong. Holds no lock while it does, and asks for at most WAIT_SECONDS:
 * then the linker decides.
 */
enum wait_answer wait_for_loader(struct dlazy_module *m);

/* The same, until no thread calls what the host wants done after m's load
 * (load/onload.c). */
enum wait_answer wait_for_preparer(struct dlazy_module *m);

/* Wakes the waiting: a load has ended. load_lock must be held. */
void wait_end_locked(void);

/* Once, before all else here; and in the child of fork(2), where nobody waits. */
void wait_begin(void);

#endif
