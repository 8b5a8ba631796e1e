/* SPDX-License-Identifier: MIT */
/*
 * Writing JSON as it comes, to a stdio stream: commas are put by state, and
 * nothing is allocated, so that a ledger can be written at exit too. Write
 * errors stay in the stream (ferror).
 *
 * Values stand in an array, behind a key of an object, or alone:
 *
 *   struct json j = json_to(stdout);
 *   json_begin_object(&j);
 *   json_string_at(&j, "name", "png");
 *   json_begin_array_at(&j, "needs");
 *   json_string(&j, "libc.so.6");
 *   json_end_array(&j);
 *   json_end_object(&j);
 *   json_finish(&j);
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* How deep values can be nested, written or checked. */
#define JSON_DEPTH_MAX 64

struct json {
	FILE *out;
	unsigned depth;	  /* open objects and arrays */
	uint64_t started; /* bit d: the one at depth d + 1 has a member */
	bool after_key;	  /* the next value belongs to a key */
};

static inline struct json json_to(FILE *out)
{
	return (struct json){.out = out};
}

void json_begin_object(struct json *j);
void json_end_object(struct json *j);
void json_begin_array(struct json *j);
void json_end_array(struct json *j);

/* Everything begun has been ended: a newline. */
void json_finish(struct json *j);

void json_key(struct json *j, const char *key);

/* Bytes that are not UTF-8 become U+FFFD. NULL: null. */
void json_string(struct json *j, const char *value);
void json_integer(struct json *j, int64_t value);
void json_unsigned(struct json *j, uint64_t value);
void json_bool(struct json *j, bool value);
void json_null(struct json *j);

/* The shortest digits that read back as the same value, whatever the locale;
 * null for NaN and infinities, which JSON does not have. */
void json_double(struct json *j, double value);
void json_long_double(struct json *j, long double value);

/* The text itself if it is one JSON value, else as a string. */
void json_text(struct json *j, const char *text);

/* A key of an object, and its value. */
static inline void json_string_at(struct json *j, const char *key,
				  const char *value)
{
	json_key(j, key);
	json_string(j, value);
}

static inline void json_integer_at(struct json *j, const char *key,
				   int64_t value)
{
	json_key(j, key);
	json_integer(j, value);
}

static inline void json_unsigned_at(struct json *j, const char *key,
				    uint64_t value)
{
	json_key(j, key);
	json_unsigned(j, value);
}

static inline void json_bool_at(struct json *j, const char *key, bool value)
{
	json_key(j, key);
	json_bool(j, value);
}

static inline void json_double_at(struct json *j, const char *key, double value)
{
	json_key(j, key);
	json_double(j, value);
}

static inline void json_null_at(struct json *j, const char *key)
{
	json_key(j, key);
	json_null(j);
}

static inline void json_begin_object_at(struct json *j, const char *key)
{
	json_key(j, key);
	json_begin_object(j);
}

static inline void json_begin_array_at(struct json *j, const char *key)
{
	json_key(j, key);
	json_begin_array(j);
}

/* Whether `text` is exactly one JSON value (RFC 8259), white space aside. */
bool json_is_valid(const char *text);

/* The same; if not, says at which byte, and what was expected there. */
struct json_flaw {
	size_t offset;
	const char *expected;
};
bool json_check(const char *text, struct json_flaw *ret);

/* The digits json_double and json_long_double write ("nan", "inf" too), for
 * people; returns buffer. */
#define JSON_NUMBER_MAX 64
const char *json_format_double(double value, char buffer[JSON_NUMBER_MAX]);
const char *json_format_long_double(long double value,
				    char buffer[JSON_NUMBER_MAX]);

#endif
