/* SPDX-License-Identifier: MIT */
/*
 * What went wrong, in words. A function that can fail for more than one cause
 * returns 0 or a negated DLAZY_E... and has put the words (what was tried, on
 * which file, what came back, what to do) into this thread's message first.
 *
 * The message is bounded: what does not fit is cut, never allocated.
 */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#include <dlazy/dlazy.h>

#include <stdbool.h>

/* Bytes that a message can hold, its NUL included. */
#define STATUS_MESSAGE_MAX 1024

/*
 * Sets this thread's message and status; returns -status, so that a failing
 * function ends with `return status_fail(DLAZY_EIO, "...", ...)`.
 * status: a positive DLAZY_E... constant.
 */
int status_fail(int status, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same of DLAZY_ENOMEM: "what: out of memory"; what may be NULL. */
int status_no_memory(const char *what);

/*
 * Puts "format: " before the message that a callee left, keeping its status;
 * returns that status, negated.
 */
int status_prefix(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* The short text of a status (either sign), for instance "no such symbol". */
const char *status_text(int status);

/*
 * The DLAZY_E... constant (positive) that fits an errno. An errno that is a fact
 * about the path (nothing there, a loop of links, no regular file, too long a
 * name) gives DLAZY_ENOENT, DLAZY_EFORMAT or DLAZY_EINVAL. Every other one is a
 * state of who asks: DLAZY_ENOMEM or DLAZY_EIO.
 */
int status_from_errno(int error);

/*
 * Whether a failure with this status (either sign) comes from the state of who
 * asked (no memory, no descriptors, an I/O error, no permission on the way, an
 * interruption, a lock, a deadline) and not from the file that was asked about.
 * A state passes: nothing that depends on it may be kept, in a file or in
 * memory, and no other answer may be given in its place ("not there").
 */
bool status_is_state(int status);

/*
 * How many failures of this thread have been states so far. Who draws a
 * conclusion from many answers, where a failure to read is one of them ("cannot
 * be told"), compares before and after: if it is another number, the conclusion
 * may be used once, and not kept.
 */
unsigned status_state_count(void);

/* This thread's message, without taking it; "" if there is none. */
const char *status_message(void);

/* This thread's last failure, negated; 0 if none. */
int status_last(void);

/* Whether something has failed since status_clear(). */
bool status_is_pending(void);

/* Forgets the message (not the status): a probe's failure that is no news. */
void status_clear(void);

/*
 * Failures that were recovered from stay unseen: the host is told of a failure
 * only when a public function, or a stub, ends with it. status_publish() does
 * that; if none is pending, NULL was a result, and no message is left.
 */
void status_publish(void);

/* The published message, once (then NULL), and its status, negated: what
 * dlazy_error() and dlazy_last_status() return. */
const char *status_take_published(void);
int status_published(void);

/*
 * The same apart, for who asks as dlerror() does (src/dlfcn.c): a call of a stub
 * that fails in between changes nothing of it. status_keep() keeps what is
 * pending, and leaves it so.
 */
void status_keep(void);
void status_drop_kept(void);
const char *status_take_kept(void);

#endif
