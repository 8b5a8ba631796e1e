/* SPDX-License-Identifier: MIT */
/*
 * Forbidding loads. There is one phase at a time, of the whole process. It
 * changes under load_lock. Whether there is one at all is read without the
 * lock, from forbid_on. A thread that then takes the lock may find that the phase
 * is over; then nothing is forbidden.
 *
 * What the environment forbids holds until the host calls dlazy_forbid_loading().
 *
 * A seal forbids first and then waits. A load counts itself (load/loading.c), and then
 * looks whether it is forbidden: so either the seal sees it, or it sees the seal.
 */
#include "load/forbid.h"

#include "base/atomic.h"
#include "base/setting.h"
#include "base/status.h"
#include "load/dl.h"
#include "load/loading.h"
#include "load/module.h"
#include "load/policy.h"
#include "stub/stub.h"

#include <fnmatch.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PHASE_MAX 128	/* bytes, with its NUL */
#define PATTERN_MAX 256 /* the same; as long as a file's name can be */

enum author { NOBODY, HOST, ENVIRONMENT, SEALING, SEAL };

struct phase {
	enum author author;
	char name[PHASE_MAX]; /* the host's */
	const void *caller;   /* who forbade it */
};

_Atomic(bool) forbid_on;
static struct phase phase; /* under load_lock */

/* The lists of the environment, which do not change; NULL: not set. */
static const char *forbidden, *allowed;

int forbid_loading(const char *name, const void *caller)
{
	struct phase next = {.author = name ? HOST : NOBODY, .caller = caller};

	if (name && !name[0])
		return status_fail(DLAZY_EINVAL,
				   "dlazy_forbid_loading: the phase has no "
				   "name (NULL ends it)");
	if (name)
		snprintf(next.name, sizeof(next.name), "%s", name);
	LOCKED(&load_lock);
	if (phase.author >= SEALING)
		return status_fail(DLAZY_EBUSY,
				   "dlazy_forbid_loading: this process is "
				   "sealed (dlazy_seal()), for good");
	phase = next;
	atomic_store_explicit(&forbid_on, name != NULL, memory_order_relaxed);
	return 0;
}

static struct phase before_seal; /* under load_lock */

/* Which thread seals, and which discard, of all and of this one. Under load_lock. */
static pthread_t sealer;
static unsigned discarding;
static _Thread_local unsigned discarding_here
	__attribute__((tls_model("initial-exec")));

enum forbid_seal forbid_seal(const void *caller)
{
	LOCKED(&load_lock);
	if (phase.author == SEAL)
		return FORBID_SEAL_DONE;
	if (phase.author == SEALING)
		return FORBID_SEAL_ELSEWHERE;
	before_seal = phase;
	phase = (struct phase){SEALING, "sealed (dlazy_seal())", caller};
	sealer = pthread_self();
	atomic_store_explicit(&forbid_on, true, memory_order_relaxed);
	return FORBID_SEAL_BEGUN;
}

static void end_seal_locked(bool done)
{
	if (done)
		phase.author = SEAL;
	else
		phase = before_seal;
	atomic_store_explicit(&forbid_on, phase.author != NOBODY,
			      memory_order_relaxed);
}

void forbid_end_seal(bool done)
{
	LOCKED(&load_lock);
	end_seal_locked(done);
}

bool forbid_is_sealed(void)
{
	LOCKED(&load_lock);
	return phase.author == SEAL ||
	       (phase.author == SEALING && !discarding_here);
}

bool forbid_begin_discarding(void)
{
	LOCKED(&load_lock);
	if (phase.author == SEAL || (phase.author == SEALING &&
				     !discarding_here && !loading_is_inside()))
		return false;
	discarding++;
	discarding_here++;
	return true;
}

void forbid_end_discarding(const bool *begun)
{
	if (!*begun)
		return;
	LOCKED(&load_lock);
	discarding--;
	discarding_here--;
}

bool forbid_is_discarding(void)
{
	LOCKED(&load_lock);
	return discarding > 0;
}

bool forbid_is_discarding_here(void)
{
	return discarding_here > 0;
}

void forbid_after_fork(void)
{
	LOCKED(&load_lock);
	discarding = discarding_here;
	if (phase.author == SEALING && !pthread_equal(sealer, pthread_self()))
		end_seal_locked(stub_is_sealed());
}

/* A pattern that is too long matches nothing. */
static void check_list(const char *variable, const char *list)
{
	for (size_t n; list && *list; list += n + (list[n] == ',')) {
		n = strcspn(list, ",");
		if (n < PATTERN_MAX)
			continue;
		setting_refuse(variable, list,
			       "a pattern is longer than any name");
		return;
	}
}

void forbid_begin(void)
{
	forbidden = secure_getenv("DLAZY_FORBID");
	allowed = secure_getenv("DLAZY_ALLOW");
	if (!forbidden && !allowed)
		return;
	check_list("DLAZY_FORBID", forbidden);
	check_list("DLAZY_ALLOW", allowed);
	/* The host may change its environment. */
	forbidden = strdup(forbidden ? forbidden : "*");
	allowed = strdup(allowed ? allowed : "");
	ATOMIC_SHARED(&forbid_on);
	LOCKED(&load_lock);
	if (!forbidden || !allowed || phase.author != NOBODY)
		return;
	phase.author = ENVIRONMENT;
	atomic_store_explicit(&forbid_on, true, memory_order_relaxed);
}

/* Whether a name matches one of the patterns between commas. */
static bool is_listed(const char *list, const char *name)
{
	char pattern[PATTERN_MAX];

	for (; *list; list += *list == ',') {
		size_t n = strcspn(list, ",");
		if (n < sizeof(pattern)) {
			memcpy(pattern, list, n);
			pattern[n] = '\0';
			if (fnmatch(pattern, name, 0) == 0)
				return true;
		}
		list += n;
	}
	return false;
}

/* What is forbidden to this thread: not what it is in the middle of, for which a seal
 * waits. */
static struct phase current(void)
{
	bool inside = loading_is_inside() || discarding_here;

	LOCKED(&load_lock);
	return phase.author == SEALING && inside ? before_seal : phase;
}

/* Not to wait for a constructor or a destructor that waits for us. */
static bool is_linker_busy(void)
{
	return loading_is_elsewhere() || forbid_is_discarding();
}

/* Its words; each its own function, as a thread's stack may be small and this is
 * rarely needed. */
__attribute__((noinline)) static int refuse(const struct phase *p,
					    const struct dlazy_module *m,
					    const struct touch *touch)
{
	bool may_wait = !is_linker_busy();
	char toucher[256], forbidder[256];

	dl_describe(touch->caller, may_wait, toucher, sizeof(toucher));
	dl_describe(p->caller, may_wait, forbidder, sizeof(forbidder));
	return status_fail(DLAZY_EBUSY,
			   "%s: %s was asked for by %s in the phase \"%s\", "
			   "for which %s has forbidden to load",
			   m->path, touch->symbol ? touch->symbol : "loading",
			   toucher, p->name, forbidder);
}

__attribute__((noinline)) static int refuse_finally(
	const struct dlazy_module *m, const struct touch *touch)
{
	char toucher[256];

	dl_describe(touch->caller, !is_linker_busy(), toucher, sizeof(toucher));
	return status_fail(DLAZY_EBUSY,
			   "%s: %s was asked for by %s, but the environment "
			   "forbids to load %s (DLAZY_FORBID=%.100s "
			   "DLAZY_ALLOW=%.100s)",
			   m->path, touch->symbol ? touch->symbol : "loading",
			   toucher, m->name, forbidden, allowed);
}

int forbid_check(const struct dlazy_module *m, const struct touch *touch,
		 bool *ret_final)
{
	struct phase now = current();

	*ret_final = now.author == ENVIRONMENT;
	if (now.author == HOST || now.author >= SEALING)
		return refuse(&now, m, touch);
	if (now.author == ENVIRONMENT && is_listed(forbidden, m->name) &&
	    !is_listed(allowed, m->name))
		return refuse_finally(m, touch);
	return policy_check(m);
}
