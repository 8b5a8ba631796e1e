/* SPDX-License-Identifier: MIT */
/*
 * The text that a probe answers with, as it is written: a JSON object in memory.
 */
#ifndef PROBE_TEXT_H
#define PROBE_TEXT_H

#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct probe_text {
	struct json json;
	char *bytes;
	size_t size;
};

/* Begins the object, with its "schema". false: out of memory. */
bool probe_text_begin(struct probe_text *text);

/* Ends it: malloc'd, or NULL: out of memory. */
char *probe_text_end(struct probe_text *text);

/* A member that is a text; none where the text is NULL or empty. */
void probe_text_member(struct json *j, const char *key, const char *value);

/*
 * Begins an object of "provides" with its id: the prefix as it is, such as
 * "frei0r/filter/", and behind it the name as one segment, percent-encoded; and
 * with a description, unless that is NULL or empty. json_end_object() ends it.
 */
void probe_text_provide(struct json *j, const char *prefix, const char *name,
			const char *description);

/* The shortest decimal number that reads back as the same float, and rounds as it
 * does; null for what is none. */
void probe_text_float(struct json *j, float value);

#endif
