/* SPDX-License-Identifier: MIT */
/*
 * What serves standalone stubs (`dlazy stub --standalone`) where the process has no
 * libdlazy: the slow path of stub/, and behind it as little as will do. It is linked
 * into other people's programs, with glibc or musl, and uses nothing but what both
 * have; there is one copy in each object that has such stubs.
 *
 * No lock is held while the dynamic linker, a constructor or a function of the
 * program may run. A thread that finds the library not loaded asks the dynamic
 * linker, whose own lock makes it wait for others. doc/limits.md says what libdlazy
 * does beyond that.
 */
#include "alone/peer.h"

#include "base/bound.h"
#include "base/cleanup.h" /* weak references to the unwinder */
#include "stub/linked.h"
#include "stub/pool.h"
#include "stub/stack.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* musl has none; it knows no versions. */
extern __typeof__(dlvsym) dlvsym __attribute__((weak));

__asm__(".section .comment\n\t.asciz \"dlazy: SPDX-License-Identifier: "
	"MIT-0\"\n\t"
	".previous");

#define VERSIONED_MAX 512

/* ------------------------------------------------------------------ */
/* Interruptions                                                      */

struct interruptions {
	sigset_t mask;
	int cancel_state;
};

BOUND(pthread_setcancelstate);
BOUND(sigdelset);
BOUND(sigfillset);
BOUND(sigprocmask);

/* All but those that a thread raises by what it does. */
static void block_interruptions(struct interruptions *ret)
{
	static const int raised[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE,
				     SIGTRAP, SIGSYS, SIGABRT};
	sigset_t all;

	sigfillset(&all);
	for (size_t i = 0; i < sizeof(raised) / sizeof(*raised); i++)
		sigdelset(&all, raised[i]);
	sigprocmask(SIG_BLOCK, &all, &ret->mask);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &ret->cancel_state);
}

static void allow_interruptions(struct interruptions *before)
{
	pthread_setcancelstate(before->cancel_state, &before->cancel_state);
	sigprocmask(SIG_SETMASK, &before->mask, NULL);
}

/* ------------------------------------------------------------------ */
/* Who is loading                                                     */

/*
 * A constructor that calls its own library gets the address, but publishes
 * nothing: to other threads the library is not there before its constructors
 * have ended. An entry is written by its thread alone.
 */
#define LOADING_MAX 16
static struct loading {
	_Atomic(int) thread; /* 0: free */
	const struct linked *linked;
} loading[LOADING_MAX];

static int this_thread(void)
{
	return (int)syscall(SYS_gettid);
}

static bool is_loading(const struct linked *l, int thread)
{
	for (int i = 0; i < LOADING_MAX; i++)
		if (loading[i].thread == thread && loading[i].linked == l)
			return true;
	return false;
}

/* NULL: there is no room. */
static struct loading *begin_loading(const struct linked *l, int thread)
{
	for (int i = 0; i < LOADING_MAX; i++) {
		int none = 0;

		if (!atomic_compare_exchange_strong(&loading[i].thread, &none,
						    thread))
			continue;
		loading[i].linked = l;
		return &loading[i];
	}
	return NULL;
}

static void end_loading(struct loading **l)
{
	if (!*l)
		return;
	(*l)->linked = NULL;
	(*l)->thread = 0;
}

/* ------------------------------------------------------------------ */
/* Loading                                                            */

static struct linked_alone *state_of(const struct linked *l)
{
	return (struct linked_alone *)linked_at(l, l->state);
}

struct loaded {
	void *handle;
	bool published;
};

/* Keeps the words for NAME_error(), too. */
static int fail(const struct linked *l, int status, const char *what,
		const char *words)
{
	const char *feature = linked_string(l, l->feature);
	const char *package = linked_string(l, l->package);
	struct linked_alone *state = state_of(l);

	snprintf(state->words, sizeof(state->words), "%s%s%s%s%s%s%s", feature,
		 *feature ? " is not available: " : "",
		 *package ? "install " : "", package, *package ? ": " : "",
		 what, words);
	return -status;
}

/* In a program that runs for another user a name is searched for where the
 * system has libraries, which the dynamic linker sees to. */
static bool may_open(const char *file)
{
	return *file == '/' || !strchr(file, '/') || !getauxval(AT_SECURE);
}

static bool is_absent(const char *words, const char *file)
{
	return strstr(words, file) && strstr(words, strerror(ENOENT));
}

static int open_library(const struct linked *l, void **ret)
{
	int status = 0;

	for (const char *file = linked_string(l, l->files); *file;
	     file += strlen(file) + 1) {
		if (!may_open(file))
			continue;
		*ret = dlopen(file, RTLD_LAZY | RTLD_GLOBAL);
		if (*ret)
			return 0;
		const char *words = dlerror();
		int this = is_absent(words ? words : "", file) ? DLAZY_ENOENT
							       : DLAZY_ELOAD;
		/* Of several, one that is there and broken is told of. */
		if (status == 0 || this == DLAZY_ELOAD)
			status = fail(l, this, "", words ? words : file);
	}
	return status ? status
		      : fail(l, DLAZY_ENOENT, "",
			     "its path is not for a program of another user");
}

/*
 * The program's function is called once, by the first thread that comes; others
 * wait until it has returned. Its own calls go in.
 */
static int call_on_load(const struct linked *l, int thread, bool *ret_inside)
{
	static const struct timespec pause = {.tv_nsec = 1000000};
	struct linked_alone *state = state_of(l);
	int owner = 0;

	while (!atomic_compare_exchange_strong(&state->owner, &owner, thread)) {
		if (state->is_told)
			return 0;
		if (owner == thread) {
			*ret_inside = true;
			return 0;
		}
		/* It may have been a thread of this process's parent. */
		if (syscall(SYS_tgkill, getpid(), owner, 0) < 0 &&
		    errno == ESRCH)
			atomic_compare_exchange_strong(&state->owner, &owner,
						       0);
		else
			nanosleep(&pause, NULL);
		owner = 0;
	}
	int status =
		state->is_told ? 0 : state->on_load(NULL, state->load_data);
	if (status == 0)
		state->is_told = 1;
	state->owner = 0;
	return status < 0 ? fail(l, -status, "",
				 "the function of NAME_on_load() has failed")
			  : 0;
}

static int load(const struct linked *l, struct loaded *ret)
{
	struct linked_alone *state = state_of(l);
	void *handle =
		atomic_load_explicit(&state->handle, memory_order_acquire);
	int thread = this_thread();

	*ret = (struct loaded){handle, true};
	if (handle)
		return 0;
	bool inside = is_loading(l, thread);
	_cleanup_(end_loading) struct loading *entry = begin_loading(l, thread);
	int status = open_library(l, &ret->handle);
	if (status == 0 && state->on_load && !inside)
		status = call_on_load(l, thread, &inside);
	ret->published = status == 0 && entry && !inside;
	if (ret->published)
		atomic_store_explicit(&state->handle, ret->handle,
				      memory_order_release);
	return status;
}

/* ------------------------------------------------------------------ */
/* Symbols                                                            */

static void *look_up(void *handle, const char *symbol)
{
	const char *at = strchr(symbol, '@');
	char name[VERSIONED_MAX];

	if (!at)
		return dlsym(handle, symbol);
	if ((size_t)(at - symbol) >= sizeof(name))
		return NULL;
	memcpy(name, symbol, (size_t)(at - symbol));
	name[at - symbol] = '\0';
	return dlvsym ? dlvsym(handle, name, at + 1) : dlsym(handle, name);
}

static const char *name_of(const struct linked *l, linked_slot *slot)
{
	const linked_slot *slots = linked_at(l, l->slots);

	return l->abi == LINKED_ABI ? linked_name(l, (uint32_t)(slot - slots))
				    : ((struct linked_named *)slot)->name;
}

struct question {
	const struct linked *linked;
	linked_slot *slot;  /* NULL: only load */
	const char *symbol; /* NAME_has(): is it there? */
	const struct peer *peer;
	int status;
	void *target;
};

static void find_symbol(struct question *q, const struct loaded *loaded)
{
	const char *symbol = name_of(q->linked, q->slot);

	q->target = look_up(loaded->handle, symbol);
	if (!q->target) {
		const char *words = dlerror();
		q->status = fail(q->linked, DLAZY_ENOSYM,
				 "another version than the stub was made for: ",
				 words ? words : symbol);
	} else if (loaded->published) {
		atomic_store_explicit(q->slot, q->target, memory_order_release);
	}
}

/* Of the library itself, not of one that it needs. */
static bool has_symbol(void *handle, const char *symbol)
{
	void *address = *symbol ? look_up(handle, symbol) : NULL;
	struct link_map *map;
	Dl_info info;

	if (!address) {
		dlerror();
		return false;
	}
	return !dladdr(address, &info) ||
	       dlinfo(handle, RTLD_DI_LINKMAP, &map) < 0 ||
	       info.dli_fbase == (void *)map->l_addr;
}

/* Once the library is loaded without it, libdlazy is no longer asked. */
static void answer(void *data)
{
	struct question *q = data;
	struct loaded loaded;

	if (!atomic_load(&state_of(q->linked)->handle))
		q->peer = peer_find();
	if (q->peer)
		return;
	q->status = load(q->linked, &loaded);
	if (q->status < 0)
		return;
	if (q->symbol)
		q->status = has_symbol(loaded.handle, q->symbol);
	else if (q->slot)
		find_symbol(q, &loaded);
}

static void ask(struct question *q)
{
	__attribute__((
		cleanup(allow_interruptions))) struct interruptions before;
	struct linked_alone *state = state_of(q->linked);

	block_interruptions(&before);
	stack_call(answer, q);
	if (!q->peer || atomic_exchange(&state->is_handed, 1))
		return;
	if (state->on_failure)
		q->peer->on_failure(state->on_failure, state->failure_data,
				    q->linked);
	if (state->on_load)
		q->peer->on_load(state->on_load, state->load_data, q->linked);
}

/* ------------------------------------------------------------------ */
/* Failures                                                           */

static void put(const char *text)
{
	size_t size = strlen(text);

	while (size) {
		ssize_t n = write(STDERR_FILENO, text, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		text += n;
		size -= (size_t)n;
	}
}

__attribute__((noinline)) static void *replacement(const struct question *q,
						   const void *caller)
{
	const struct linked_alone *state = state_of(q->linked);
	const char *symbol = name_of(q->linked, q->slot);
	int once = 0;
	const struct dlazy_failure failure = {
		sizeof(failure), NULL,	 symbol, q->status,
		state->words,	 caller, &once};
	void *instead =
		state->on_failure
			? state->on_failure(&failure, state->failure_data)
			: NULL;
	char text[768];

	if (instead)
		return instead;
	snprintf(text, sizeof(text),
		 "dlazy: %s() of \"%s\" cannot be called\n"
		 "  reason:   %s\n"
		 "  to do:    ask before the call (NAME_available()), or set a "
		 "hook (NAME_on_failure())\n",
		 symbol, linked_string(q->linked, q->linked->files),
		 state->words);
	put(text);
	abort();
}

/* ------------------------------------------------------------------ */
/* What stub files call                                               */

void *stub_miss(void *slot, const void *caller, const struct linked *l)
{
	struct question q = {.linked = l, .slot = slot};
	int saved = errno;

	ask(&q);
	if (q.peer)
		q.target = q.peer->ask(slot, caller, l);
	else if (!q.target)
		q.target = replacement(&q, caller);
	errno = saved;
	return q.target;
}

int dlazy_alone_load(const struct linked *l)
{
	struct question q = {.linked = l};

	ask(&q);
	return q.peer ? q.peer->load(l) : q.status;
}

int dlazy_alone_available(const struct linked *l)
{
	struct question q = {.linked = l};

	ask(&q);
	return q.peer ? q.peer->available(l) : q.status == 0;
}

int dlazy_alone_has(const char *symbol, const void *unused,
		    const struct linked *l)
{
	struct question q = {.linked = l, .symbol = symbol};

	if (!symbol)
		return 0;
	ask(&q);
	return q.peer ? q.peer->has(symbol, unused, l) : q.status > 0;
}

const char *dlazy_alone_error(const struct linked *l)
{
	struct linked_alone *state = state_of(l);
	const struct peer *peer = state->is_handed ? peer_find() : NULL;

	if (peer)
		return peer->error(l);
	return *state->words ? state->words : NULL;
}

struct dlazy_module *dlazy_alone_module(const struct linked *l)
{
	const struct peer *peer = peer_find();

	return peer ? peer->module(l) : NULL;
}

int dlazy_alone_on_failure(dlazy_failure_fn *fn, void *data,
			   const struct linked *l)
{
	struct linked_alone *state = state_of(l);

	state->failure_data = data;
	atomic_store(&state->on_failure, fn);
	return state->is_handed ? peer_find()->on_failure(fn, data, l) : 0;
}

int dlazy_alone_on_load(dlazy_load_fn *fn, void *data, const struct linked *l)
{
	struct linked_alone *state = state_of(l);

	if (state->is_handed)
		return peer_find()->on_load(fn, data, l);
	state->load_data = data;
	state->is_told = 0;
	atomic_store(&state->on_load, fn);
	/* It is loaded: now. */
	return fn && atomic_load(&state->handle) ? fn(NULL, data) : 0;
}
