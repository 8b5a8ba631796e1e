/* SPDX-License-Identifier: MIT */
/*
 * Keeping interrupts off: signals, whose handlers may call what we are just
 * doing or jump out of it, and cancellation, which unwinds from it. Both are
 * kept off while a lock of ours is held or the dynamic linker works. So a
 * handler that calls a stub finds nothing half done, and what is pending stays
 * pending until the caller goes on.
 *
 * 	UNINTERRUPTED();	until the end of the enclosing scope
 *
 * Scopes nest: the outermost one of a thread does the work, which is two
 * system calls. Threads and processes that are started meanwhile inherit its
 * mask.
 *
 * Signals that a thread raises by what it does (SIGSEGV and its like) stay
 * open: blocked, they would end the process.
 */
#ifndef BASE_INTERRUPT_H
#define BASE_INTERRUPT_H

#include "base/cleanup.h"

#include <signal.h>
#include <stdbool.h>

/*
 * The state to go back to. It is on the stack, as a thread's TLS may be set to
 * 0 in between (LD_AUDIT, see loading.c).
 */
struct interrupts {
	sigset_t mask;
	int cancel_state;
	bool outermost;
	bool left_fork; /* see below */
};

/* All signals but those that a thread raises by what it does. */
sigset_t interrupts_signals(void);

void interrupts_block(struct interrupts *ret);

/* A pending signal is delivered within, and its handler may not come back. */
void interrupts_restore(const struct interrupts *before);

/*
 * A thread that forks holds every lock from one of our fork handlers to the other
 * (fork.c), and handlers of others run in between, which may use this library. So
 * the outermost scope leaves that state, and its end enters it again.
 */
struct interrupts_fork {
	void (*leave)(void); /* may end it: in the child */
	void (*enter)(void);
};

/* From the end of the enclosing scope on, which is an uninterrupted one. */
void interrupts_begin_fork(const struct interrupts_fork *fork);

/*
 * Returns true if this thread is between our fork handlers, and leave() has
 * not ended that.
 */
bool interrupts_in_fork(void);

/* As interrupts_block(), but leaves nothing: it is over. */
void interrupts_end_fork(struct interrupts *ret);

#define UNINTERRUPTED()                                                       \
	_cleanup_(interrupts_restore)                                         \
		__attribute__((unused)) struct interrupts interrupts_before_; \
	interrupts_block(&interrupts_before_)

#endif
