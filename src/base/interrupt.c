/* SPDX-License-Identifier: MIT */
/*
 * Keeping interrupts off. Signals are blocked by pthread_sigmask(), not by the
 * system call: libc's own two signals must stay open, or setuid() in another
 * thread would wait for this one.
 */
#include "base/interrupt.h"

#include "base/bound.h"

#include <pthread.h>
#include <string.h>

/* A first call begins with them, on its caller's stack. */
BOUND(pthread_setcancelstate);
BOUND(pthread_sigmask);

static _Thread_local bool blocked __attribute__((tls_model("initial-exec")));
static _Thread_local const struct interrupts_fork *in_fork
	__attribute__((tls_model("initial-exec")));

#ifdef __GLIBC__
#define BIT(signal) (1UL << ((signal)-1))

/* As sigfillset() and sigdelset() would, which a first call would be the first to
 * use, and the linker have to look up. (pthread_sigmask() leaves libc's own two
 * signals open all the same.) */
sigset_t interrupts_signals(void)
{
	unsigned long words[sizeof(sigset_t) / sizeof(unsigned long)];
	sigset_t signals;

	memset(words, 0xff, sizeof(words));
	words[0] &= ~(BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGFPE) | BIT(SIGILL) |
		      BIT(SIGTRAP) | BIT(SIGSYS));
	memcpy(&signals, words, sizeof(signals));
	return signals;
}
#else
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
#endif

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
