/* SPDX-License-Identifier: MIT */
/*
 * Failing at a first touch. The words are put together while the thread cannot
 * be interrupted, as during all of a first touch. The module's hook is asked,
 * then the process's. If neither gives anything to call in the symbol's place,
 * all that is known is written to standard error, and the process ends.
 *
 * Hooks are called without a lock, and are interrupted as the caller is.
 */
#include "load/failure.h"

#include "base/event.h"
#include "base/interrupt.h"
#include "base/utf8.h"
#include "load/dl.h"
#include "load/loading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
	dlazy_failure_fn *fn;
	void *data;
} on_failure; /* of the process; under load_lock */

void failure_set_hook(dlazy_failure_fn *fn, void *data)
{
	LOCKED(&load_lock);
	on_failure.fn = fn;
	on_failure.data = data;
}

static void write_all(const char *text)
{
	for (size_t n = strlen(text); n > 0;) {
		ssize_t written = write(STDERR_FILENO, text, n);
		if (written <= 0)
			return;
		text += written;
		n -= (size_t)written;
	}
}

/* A thread that a constructor waits for must not wait for that constructor. */
static bool may_wait(int status)
{
	return status != -DLAZY_EDEADLK &&
	       (status != -DLAZY_EBUSY || !loading_is_elsewhere());
}

#define WORDS_ON_STACK (2 * STATUS_MESSAGE_MAX)

/* The last words; too much for a small stack. */
struct last_words {
	char caller[512], declarer[512], advice[1024];
	char text[STATUS_MESSAGE_MAX + 4096];
};

static struct last_words *last_words(void)
{
	static struct last_words without_memory;
	struct last_words *words = malloc(sizeof(*words));

	if (!words)
		words = &without_memory;
	words->text[0] = '\0';
	return words;
}

/* What others have named stays on its line: no path forges an advice. */
static void add(struct last_words *w, const char *label, const char *said)
{
	size_t used = strlen(w->text) + strlen(label);

	if (used >= sizeof(w->text))
		return;
	strcat(w->text, label);
	snprintf(w->text + used, sizeof(w->text) - used, "%s", said);
	for (char *c = w->text + used; (c = strchr(c, '\n'));)
		*c = '?';
}

/* What to do: something that helps who follows it to the letter. */
static void advise(const struct dlazy_module *m, int status,
		   bool by_environment, char *buffer, size_t size)
{
	if (by_environment)
		snprintf(buffer, size,
			 "if it is to be loaded, name it in DLAZY_ALLOW");
	else if (status == -DLAZY_EBUSY)
		snprintf(buffer, size,
			 "touch it at another time: dlazy_load() before");
	else if (m->kind && m->kind->advise)
		m->kind->advise(m, status, buffer, size);
	else
		snprintf(buffer, size,
			 "run `dlazy check %s`; a host that can go on without "
			 "it sets a hook with dlazy_on_failure()",
			 m->path);
}

/* The documented default: all that is known, in one piece, then abort(). */
__attribute__((noreturn)) static void give_up(const struct dlazy_failure *f,
					      bool by_environment)
{
	static const struct dlazy_module none = {.name = "", .path = ""};
	const struct dlazy_module *m = f->module ? f->module : &none;
	struct last_words *w = last_words();
	bool wait = may_wait(f->status);

	dl_describe(f->caller, wait, w->caller, sizeof(w->caller));
	dl_describe(m->declared_by, wait, w->declarer, sizeof(w->declarer));
	advise(m, f->status, by_environment, w->advice, sizeof(w->advice));
	add(w, "dlazy: ", f->symbol ? f->symbol : "");
	add(w, f->symbol ? "() of module \"" : "module \"", m->name);
	add(w, f->symbol ? "\" cannot be called: " : "\" cannot be loaded: ",
	    status_text(f->status));
	add(w, "\n  file:     ", m->path);
	add(w, "\n  reason:   ", f->message);
	add(w, "\n  called:   by ", w->caller);
	add(w, "\n  declared: by ", w->declarer);
	add(w, "\n  to do:    ", w->advice);
	add(w, "\n", "");
	utf8_clean(w->text);
	write_all(w->text);
	event_abort();
	abort();
}

void failure_give_up(struct dlazy_module *m, const struct touch *touch,
		     int status)
{
	char message[STATUS_MESSAGE_MAX];

	strcpy(message, status_message());
	struct dlazy_failure failure = {
		sizeof(failure), m,   touch->symbol, status, message,
		touch->caller,	 NULL};
	give_up(&failure, true);
}

static size_t words_size(const char *message, const char *symbol)
{
	return strlen(message) + 1 + (symbol ? strlen(symbol) + 1 : 0);
}

/* Message and symbol, which are the thread's and the callee's, one behind the
 * other; NULL: out of memory. */
static char *keep_words(const char *message, const char *symbol)
{
	char *words = malloc(words_size(message, symbol));

	if (!words)
		return NULL;
	strcpy(words, message);
	if (symbol)
		strcpy(words + strlen(message) + 1, symbol);
	return words;
}

static void *ask_hooks(const struct stub_failure *failure)
{
	void *replacement = NULL;

	LOCK_ASSERT_NONE();
	for (int i = 0; i < 2 && !replacement; i++)
		if (failure->hooks[i].fn)
			replacement = failure->hooks[i].fn(
				&failure->told, failure->hooks[i].data);
	return replacement;
}

/* In a fork handler we hold the locks, but for an uninterrupted scope. */
static void *ask_hooks_in_fork(const struct stub_failure *failure)
{
	UNINTERRUPTED();
	return ask_hooks(failure);
}

/* Puts the words where nobody has to free them; room for all of them, or none. */
static void move_words(struct stub_failure *failure, char *to, size_t room)
{
	if (room < failure->words_size)
		return;
	memcpy(to, failure->words, failure->words_size);
	failure->told.message = to;
	if (failure->told.symbol)
		failure->told.symbol = to + strlen(to) + 1;
	free(TAKE_PTR(failure->words));
}

/* A hook may jump out of this, so words of the usual length are on the stack. */
void *failure_instead(struct stub_failure *failure)
{
	size_t room =
		failure->words_size <= WORDS_ON_STACK ? failure->words_size : 0;
	char on_stack[room + 1];

	if (failure->words)
		move_words(failure, on_stack, room);
	_cleanup_free_ char *words __attribute__((unused)) = failure->words;
	int once = 0;

	failure->told.once = &once;
	void *replacement = interrupts_in_fork() ? ask_hooks_in_fork(failure)
						 : ask_hooks(failure);

	if (!replacement)
		give_up(&failure->told, false);
	if (failure->keep && !once)
		failure->keep(failure, replacement);
	return replacement;
}

void failure_prepare(struct dlazy_module *m, const struct touch *touch,
		     int status, struct stub_failure *ret)
{
	char *words = keep_words(status_message(), touch->symbol);
	const char *symbol =
		words && touch->symbol ? words + strlen(words) + 1 : NULL;

	const void *object = dl_object(touch->caller);

	status_publish();
	*ret = (struct stub_failure){
		.words_size = words ? words_size(words, symbol) : 0,
		.told = {sizeof(ret->told), m, symbol, status,
			 words ? words : status_text(status), touch->caller,
			 NULL},
		.words = words,
		.instead = failure_instead,
	};
	LOCKED(&load_lock);
	const struct opener *opener = m ? module_hook_locked(m, object) : NULL;
	ret->hooks[0].fn = opener ? opener->on_failure : NULL;
	ret->hooks[0].data = opener ? opener->on_failure_data : NULL;
	ret->hooks[1].fn = on_failure.fn;
	ret->hooks[1].data = on_failure.data;
}
