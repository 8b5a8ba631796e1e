/* SPDX-License-Identifier: MIT */
/*
 * The loading stack: which modules this thread is loading, one inside the other.
 * A constructor's calls into its own module must go through at once. And how
 * many loads there are in all threads, as a fork waits until others have ended
 * theirs (src/fork.c).
 */
#ifndef LOAD_LOADING_H
#define LOAD_LOADING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct dlazy_module;

/*
 * One load in progress. Not on the stack: an exception that a constructor
 * throws through dlopen ends the load without loading_leave() if the C++ runtime
 * came after this library (load.c); a stale frame must not be stale memory.
 */
struct loading_frame {
	struct dlazy_module *module;
	struct loading_frame *outer; /* of the thread */
	struct loading_frame *other; /* of the module; under load_lock */
	pid_t thread;
	int flags;		 /* the linker was asked with these */
	const char *object;	 /* and so; NULL: as module_object() says */
	const void *asker;	 /* the object (dl_object()) that touches it */
	unsigned refusals;	 /* of the module, when this load began */
	bool late;		 /* the module was LOADED before it began */
	bool requiring;		 /* what its module requires is being loaded */
	bool in_linker;		 /* has the linker's lock, or waits for it */
	_Atomic(bool) was_asked; /* the linker, for the file */
	uint64_t
		linker_ns; /* how long it was there, if anybody wants to know */
};

/* This thread begins to load a module; NULL: out of memory. */
struct loading_frame *loading_enter(struct dlazy_module *module);

/* It has ended, and so has what it began in between. */
void loading_leave(const struct dlazy_module *module);

/* After the linker was asked, which under LD_AUDIT (glibc 2.36) sets the
 * thread-local variables of what was there at the start to 0, once. */
void loading_return(struct loading_frame *frame);

/* Whether this thread is loading this module: we are in its constructor. */
bool loading_has_module(const struct dlazy_module *module);

/* Whether this thread has that frame. */
bool loading_is_own(const struct loading_frame *frame);

/* Whether this thread is loading anything. */
bool loading_is_inside(void);

/*
 * Returns true if this thread is in the linker for a load, so that no other
 * thread is: in a constructor, or asked for something while the linker
 * relocates.
 */
bool loading_has_linker(void);

/* Whether another thread is loading anything. */
bool loading_is_elsewhere(void);

/* This thread's frames of a module, linked by `other`. */
struct loading_frame *loading_frames_of(const struct dlazy_module *module);

/*
 * This thread calls the linker, but not for a load; or it walks over the linker's
 * list of objects, with signals blocked. A fork waits for it.
 */
void loading_begin_call(void);
void loading_end_call(void);
void loading_begin_walk(void);
void loading_end_walk(void);

/* Once, before all else here. */
void loading_begin(void);

/* fork(2): waits a while for other threads' loads, and lets none begin until it
 * is done. */
void loading_fork_prepare(void);
void loading_fork_done(void);
/*
 * To be called in the child of fork(2), before loading_fork_done(). Returns
 * true if other threads were loading.
 */
bool loading_after_fork(void);

#endif
