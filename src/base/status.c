/* SPDX-License-Identifier: MIT */
/*
 * The thread's last failure, kept in thread-local storage of a fixed size, so
 * that reporting "out of memory" needs none.
 */
#include "base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct failure {
	int status;  /* negated */
	bool unread; /* message not yet taken */
	char message[STATUS_MESSAGE_MAX];
};

static _Thread_local struct failure last; /* inside the library */
static _Thread_local struct failure told; /* to the host */

int status_fail(int status, const char *format, ...)
{
	char message[STATUS_MESSAGE_MAX];
	va_list args;

	/* Arguments may point into the old message. */
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	memcpy(last.message, message, sizeof(message));
	last.status = -status;
	last.unread = true;
	return -status;
}

int status_prefix(const char *format, ...)
{
	char callee[STATUS_MESSAGE_MAX], what[STATUS_MESSAGE_MAX / 2];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	memcpy(callee, last.message, sizeof(callee));
	/* Cut where it does not fit: that is what the return value tells. */
	int n = snprintf(last.message, sizeof(last.message), "%s: %s", what,
			 callee);
	if (n < 0)
		last.message[0] = '\0';
	last.unread = true;
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
		return DLAZY_ENOENT;
	case ENOMEM:
		return DLAZY_ENOMEM;
	case EINVAL:
	case ENAMETOOLONG:
		return DLAZY_EINVAL;
	default:
		return DLAZY_EIO;
	}
}

const char *status_message(void)
{
	return last.message;
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
	strcpy(told.message, last.message);
}

const char *status_take_published(void)
{
	if (!told.unread)
		return NULL;
	told.unread = false;
	return told.message;
}

int status_published(void)
{
	return told.status;
}
