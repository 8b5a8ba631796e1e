/* SPDX-License-Identifier: MIT */
/*
 * Beside the text there is a copy in which each scalar is ended by a NUL where its
 * quote or the next comma was, and strings are without escapes, which are never
 * shorter. So a value that is found in the text stands at the same place in the
 * copy, ready to be given out, and looking up writes nothing. A host that lists
 * what plugins are asks for thousands of values: where objects and arrays end is
 * kept, too.
 */
#include "meta/document.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/jsonread.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

struct document {
	char *text;
	char *sources;
	char *scalars;
	struct json_ends ends;
};

void document_free(struct document *d)
{
	if (!d)
		return;
	free(d->text);
	free(d->sources);
	free(d->scalars);
	free(d->ends.containers);
	free(d);
}

/* Ends the scalar at `value` in the copy. false: out of memory. */
static bool end_scalar(struct document *d, const char *value)
{
	char *to = d->scalars + (value - d->text);

	if (*value != '"') {
		to[json_behind(value) - value] = '\0';
		return true;
	}
	_cleanup_free_ char *string = json_read_string(value);
	if (string)
		strcpy(to, string);
	return string != NULL;
}

static bool keep_end(struct json_ends *ends, const struct json_walk *walk)
{
	if (!array_reserve(&ends->containers, ends->count, &ends->room,
			   sizeof(*ends->containers)))
		return false;
	ends->containers[ends->count++] =
		(struct json_container){walk->value, walk->at};
	return true;
}

/* Each value in turn, whatever it is in: containers are entered. */
static bool end_scalars(struct document *d)
{
	struct json_walk stack[64] = {json_walk(d->text)};
	size_t depth = 1;

	while (depth) {
		struct json_walk *walk = &stack[depth - 1];

		if (!json_walk_next(walk)) {
			depth--;
			continue;
		}
		if (*walk->value != '{' && *walk->value != '[') {
			if (!end_scalar(d, walk->value))
				return false;
			continue;
		}
		if (!keep_end(&d->ends, walk))
			return false;
		if (depth < sizeof(stack) / sizeof(stack[0]))
			stack[depth++] = json_walk(walk->value);
	}
	return true;
}

int document_new(const char *text, const char *sources, struct document **ret)
{
	struct document *d = calloc(1, sizeof(*d));

	if (d) {
		d->text = strdup(text);
		d->sources = strdup(sources ? sources : "{}");
		d->scalars = strdup(text);
	}
	if (!d || !d->text || !d->sources || !d->scalars || !end_scalars(d)) {
		document_free(d);
		return status_fail(DLAZY_ENOMEM, "no memory for metadata");
	}
	*ret = d;
	return 0;
}

const char *document_text(const struct document *d)
{
	return d->text;
}

const char *document_sources(const struct document *d)
{
	return d->sources;
}

const char *document_property(const struct document *d, const char *key)
{
	const char *value = json_pointer(d->text, key, &d->ends);

	if (!value || *value == '{' || *value == '[' || *value == 'n')
		return NULL;
	return d->scalars + (value - d->text);
}
