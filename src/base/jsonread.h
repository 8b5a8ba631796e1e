/* SPDX-License-Identifier: MIT */
/*
 * Reading JSON in place: the values of a text that json_check() has taken. A value
 * is a pointer to its first character; nothing is built, and nothing allocated but
 * the strings that are asked for. A text that was damaged since gives wrong values,
 * but is not read behind its NUL.
 */
#ifndef BASE_JSONREAD_H
#define BASE_JSONREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where objects and arrays of a text end, in the order of their beginnings: who
 * looks into a text often need not read over them each time. */
struct json_ends {
	struct json_container {
		const char *value, *behind;
	} * containers;
	size_t count, room;
};

/* Goes through an object or an array; anything else has no members. */
struct json_walk {
	const char *at;	 /* the next member, or the end */
	const char *key; /* of the member, its opening quote; NULL in arrays */
	const char *value;	      /* of the member */
	const struct json_ends *ends; /* or NULL: they are looked for */
};

struct json_walk json_walk(const char *value);

/* The next member; false: there are no more. */
bool json_walk_next(struct json_walk *walk);

/* The place behind a value. */
const char *json_behind(const char *value);

/* The value of a key; NULL: there is none, or `object` (may be NULL) is no object. */
const char *json_member(const char *object, const char *key);

/* What a JSON Pointer (RFC 6901) stands for, or else a key of the top; or NULL. ends
 * are those of the text, or NULL. */
const char *json_pointer(const char *text, const char *pointer,
			 const struct json_ends *ends);

/* Whether a string value is exactly that. */
bool json_is(const char *value, const char *string);

/* The bytes of a string value, malloc'd; NULL: no string (NULL is none), or no
 * memory. A NUL in it (\u0000) becomes U+FFFD. */
char *json_read_string(const char *value);

/* An integer value; false: it is none, or does not fit. */
bool json_read_integer(const char *value, int64_t *ret);

#endif
