/* SPDX-License-Identifier: MIT */
/*
 * Keeping interrupts off. Signals are blocked by pthread_sigmask(), not by the
 * system call: libc's own two signals must stay open, or setuid() in another
 * thread would wait for this one.
 */
#include "base/interrupt.h"

#include <pthread.h>

static _Thread_local bool blocked __attribute__((tls_model("initial-exec")));
static _Thread_local const struct interrupts_fork *in_fork
	__attribute__((tls_model("initial-exec")));

sigset_t interrupts_signals(void)
{
	static const int raised[] = {SIGSEGV, SIGBUS,  SIGFPE,
				     SIGILL,  SIGTRAP, SIGSYS};
	sigset_t signals;

	sigfillset(&signals);
	for (size_t i = 0; i < sizeof(raised) / sizeof(raised[0]); i++)
		sigdelset(&signals, raised[i]);
	return signals;
}

static void block(struct interrupts *ret)
{
	sigset_t signals = interrupts_signals();

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &ret->cancel_state);
	pthread_sigmask(SIG_BLOCK, &signals, &ret->mask);
	ret->outermost = true;
	ret->left_fork = false;
	blocked = true;
}

void interrupts_block(struct interrupts *ret)
{
	ret->outermost = !blocked;
	if (blocked)
		return;
	block(ret);
	if (!in_fork)
		return;
	ret->left_fork = true;
	in_fork->leave();
}

/* The mask is last: from there a handler may jump away. */
void interrupts_restore(const struct interrupts *before)
{
	if (!before->outermost)
		return;
	if (before->left_fork && in_fork)
		in_fork->enter();
	blocked = false;
	pthread_setcancelstate(before->cancel_state, NULL);
	pthread_sigmask(SIG_SETMASK, &before->mask, NULL);
}

/* If it is a constructor that forks, all is blocked already; to do it once more
 * changes nothing. */
void interrupts_begin_fork(const struct interrupts_fork *fork)
{
	in_fork = fork;
	blocked = false;
}

bool interrupts_in_fork(void)
{
	return in_fork != NULL;
}

void interrupts_end_fork(struct interrupts *ret)
{
	block(ret);
	in_fork = NULL;
}
