/* SPDX-License-Identifier: MIT */
/*
 * The gate between loads and forks. A child that is forked while another
 * thread is in the dynamic linker inherits an object half relocated; so a fork
 * waits, for a bounded time, until no other thread is loading, and what could
 * not be waited for is marked in the child (module_after_fork()).
 *
 * It also keeps this thread's stack of modules being loaded: a constructor's
 * calls into its own module must go through at once.
 */
#ifndef LOAD_LOADING_H
#define LOAD_LOADING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct dlazy_module;

/* Puts the gate before fork(2), once: before the first lock of the layer is
 * taken. */
void gate_install(void);

/*
 * One load in progress. Not on the stack: an exception that a constructor
 * throws through dlopen ends the load without gate_leave() if the C++ runtime
 * came after this library (load.c); a stale frame must not be stale memory.
 */
struct gate_frame {
	struct dlazy_module *module;
	struct gate_frame *outer; /* of the thread */
	struct gate_frame *other; /* of the module; under load_lock */
	pid_t thread;
	bool in_linker; /* has the linker's lock, or waits for it */
	uint64_t
		linker_ns; /* how long it was there, if anybody wants to know */
};

/* This thread begins to load a module; NULL: out of memory. */
struct gate_frame *gate_enter(struct dlazy_module *module);

/* It has ended, and so has what it began in between. */
void gate_leave(const struct dlazy_module *module);

/* After the linker was asked, which under LD_AUDIT (glibc 2.36) sets the
 * thread-local variables of what was there at the start to 0, once. */
void gate_return(struct gate_frame *frame);

/* Whether this thread is loading this module: we are in its constructor. */
bool gate_is_loading(const struct dlazy_module *module);

/* Whether this thread is loading anything. */
bool gate_is_inside(void);

/* Whether it is in the linker for that, so that no other is: in a constructor,
 * or asked for something while the linker relocates. */
bool gate_has_linker(void);

/* Whether another thread is loading anything. */
bool gate_is_elsewhere(void);

/* This thread's frames of a module, linked by `other`. */
struct gate_frame *gate_frames_of(const struct dlazy_module *module);

#endif
