/* SPDX-License-Identifier: MIT */
/*
 * The type of a function as a string (dlazy.h, dlazy_call): "d(dd)" takes two
 * doubles and returns one.
 *
 * The arguments of a variadic part are written as C passes them: float as d,
 * integers narrower than int as i. The other letters are refused there, as
 * libffi would.
 *
 * signature.c needs libc alone and keeps no state: the ffi module carries a
 * copy of it.
 */
#ifndef BASE_SIGNATURE_H
#define BASE_SIGNATURE_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

#define SIGNATURE_ARGUMENTS_MAX 64

struct signature {
	char result;				 /* a letter, 'v' for none */
	char arguments[SIGNATURE_ARGUMENTS_MAX]; /* letters, without '.' */
	unsigned count;				 /* of all arguments */
	unsigned fixed; /* those before the '.'; count if there is none */
	bool variadic;
};

/*
 * Takes a signature apart. NULL on success, else why not, in static words, with
 * *ret_at the place of the offending character (text's length: its end).
 */
const char *signature_parse(const char *text, struct signature *ret,
			    size_t *ret_at);

/* Bytes of a value of that letter; 0 for 'v'. */
size_t signature_size(char letter);

/* What the letter means in C, for messages: "unsigned long". */
const char *signature_type_name(char letter);

/* signature_parse() with a message: 0 or -DLAZY_EINVAL. */
static inline int signature_check(const char *text, struct signature *ret)
{
	size_t at;
	const char *why = signature_parse(text, ret, &at);

	if (!why)
		return 0;
	if (!text[at])
		return status_fail(DLAZY_EINVAL,
				   "signature \"%s\", at its end: %s", text,
				   why);
	return status_fail(DLAZY_EINVAL,
			   "signature \"%s\", character %zu ('%c'): %s", text,
			   at + 1, text[at], why);
}

#endif
