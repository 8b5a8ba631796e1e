/* SPDX-License-Identifier: MIT */
/*
 * The last failure of each thread. Its words are in memory that a thread gets
 * with its first failure and gives back at its end. Thread-local storage of
 * that size would have to be static (some of ours must be initial-exec), and a
 * plugin that needs this library would find no room for it. One thread,
 * usually the only one, needs nothing from the heap. A thread that gets no
 * memory still has its statuses, with one fixed sentence for words.
 */
#include "base/status.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct failure {
	int status;  /* negated */
	bool unread; /* message not yet taken */
};

static _Thread_local struct failure last; /* inside the library */
static _Thread_local unsigned states;
static _Thread_local struct failure told; /* to the host */
static _Thread_local struct failure kept; /* for its dlerror() */

struct words {
	char last[STATUS_MESSAGE_MAX];
	char told[STATUS_MESSAGE_MAX];
	char kept[STATUS_MESSAGE_MAX];
	char next[STATUS_MESSAGE_MAX]; /* being made; a stack may be small */
};

static _Thread_local struct words *own; /* NULL: none yet, or no memory */
static struct words first;
static atomic_flag first_is_taken = ATOMIC_FLAG_INIT;

static pthread_key_t at_end;
static bool has_key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void give_back(void *words)
{
	own = NULL;
	free(words);
}

static void make_key(void)
{
	has_key = pthread_key_create(&at_end, give_back) == 0;
}

/* NULL: out of memory. */
static struct words *words(void)
{
	if (own)
		return own;
	if (!atomic_flag_test_and_set(&first_is_taken))
		return own = &first;
	pthread_once(&once, make_key);
	own = calloc(1, sizeof(*own));
	if (own && has_key)
		pthread_setspecific(at_end, own);
	return own;
}

/* What there is to read. */
static const char *readable(const char *message, const struct failure *failure)
{
	if (message)
		return message;
	return failure->status ? "out of memory, also for saying more" : "";
}

int status_fail(int status, const char *format, ...)
{
	struct words *w = words();
	va_list args;

	/* Arguments may point into the old message. */
	va_start(args, format);
	if (w) {
		vsnprintf(w->next, sizeof(w->next), format, args);
		strcpy(w->last, w->next);
	}
	va_end(args);
	last.status = -status;
	last.unread = true;
	states += status_is_state(status);
	return -status;
}

int status_no_memory(const char *what)
{
	return what ? status_fail(DLAZY_ENOMEM, "%s: out of memory", what)
		    : status_fail(DLAZY_ENOMEM, "out of memory");
}

int status_prefix(const char *format, ...)
{
	va_list args;

	last.unread = true;
	if (!own)
		return last.status;
	va_start(args, format);
	vsnprintf(own->next, sizeof(own->next) / 2, format, args);
	va_end(args);
	/* Cut where it does not fit. */
	size_t n = strlen(own->next);
	snprintf(own->next + n, sizeof(own->next) - n, ": %s", own->last);
	strcpy(own->last, own->next);
	return last.status;
}

const char *status_text(int status)
{
	switch (status < 0 ? -status : status) {
	case 0:
		return "success";
#define STATUS_CASE(name, number, text) \
	case number:                    \
		return text;
		DLAZY_STATUS_MAP(STATUS_CASE)
#undef STATUS_CASE
	default:
		return "unknown status";
	}
}

int status_from_errno(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
		return DLAZY_ENOENT;
	case EISDIR:
	case ENODEV:
	case ENXIO: /* a socket */
	case EOVERFLOW:
		return DLAZY_EFORMAT;
	case ENOMEM:
		return DLAZY_ENOMEM;
	case EINVAL:
	case ENAMETOOLONG:
		return DLAZY_EINVAL;
	default:
		return DLAZY_EIO;
	}
}

bool status_is_state(int status)
{
	switch (status < 0 ? -status : status) {
	case DLAZY_ENOMEM:
	case DLAZY_EIO:
	case DLAZY_EBUSY:
	case DLAZY_EDEADLK:
		return true;
	default:
		return false;
	}
}

unsigned status_state_count(void)
{
	return states;
}

const char *status_message(void)
{
	return readable(own ? own->last : NULL, &last);
}

int status_last(void)
{
	return last.status;
}

bool status_is_pending(void)
{
	return last.unread;
}

void status_clear(void)
{
	last.unread = false;
}

void status_publish(void)
{
	told.unread = last.unread;
	if (!last.unread)
		return;
	last.unread = false;
	told.status = last.status;
	if (own)
		strcpy(own->told, own->last);
}

const char *status_take_published(void)
{
	if (!told.unread)
		return NULL;
	told.unread = false;
	return readable(own ? own->told : NULL, &told);
}

int status_published(void)
{
	return told.status;
}

void status_keep(void)
{
	kept = last;
	if (own)
		strcpy(own->kept, own->last);
}

void status_drop_kept(void)
{
	kept.unread = false;
}

const char *status_take_kept(void)
{
	if (!kept.unread)
		return NULL;
	kept.unread = false;
	return readable(own ? own->kept : NULL, &kept);
}
