/* SPDX-License-Identifier: MIT */
/*
 * The text grows in a stdio stream in memory. What a plugin says need not be
 * UTF-8: base/json.h replaces what is not.
 */
#include "probe/text.h"

#include "base/memstream.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Memory ran out for an id: the text would say less than there is. */
static bool is_short;

bool probe_text_begin(struct probe_text *text)
{
	is_short = false;
	*text = (struct probe_text){.bytes = NULL};
	FILE *out = open_memstream(&text->bytes, &text->size);
	if (!out)
		return false;
	text->json = json_to(out);
	json_begin_object(&text->json);
	json_unsigned_at(&text->json, "schema", 1);
	return true;
}

char *probe_text_end(struct probe_text *text)
{
	json_end_object(&text->json);
	if (memstream_end(text->json.out, &text->bytes) && !is_short)
		return text->bytes;
	free(text->bytes);
	errno = ENOMEM;
	return NULL;
}

void probe_text_member(struct json *j, const char *key, const char *value)
{
	if (!value || !*value)
		return;
	json_string_at(j, key, value);
}

/* RFC 3986, 2.3: unreserved characters; whatever the locale. */
static bool is_unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c && strchr("-._~", c));
}

/* malloc'd; NULL: out of memory. */
static char *encode_id(const char *prefix, const char *name)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t n = strlen(prefix);
	char *id = malloc(n + 3 * strlen(name) + 1);

	if (!id)
		return NULL;
	memcpy(id, prefix, n);
	for (; *name; name++) {
		unsigned char c = (unsigned char)*name;

		if (is_unreserved(c)) {
			id[n++] = *name;
			continue;
		}
		id[n++] = '%';
		id[n++] = digits[c >> 4];
		id[n++] = digits[c & 15];
	}
	id[n] = '\0';
	return id;
}

void probe_text_provide(struct json *j, const char *prefix, const char *name,
			const char *description)
{
	char *id = encode_id(prefix, name);

	is_short |= !id;
	json_begin_object(j);
	json_string_at(j, "id", id);
	free(id);
	probe_text_member(j, "description", description);
}

/* Whether it reads back, and is as good with the six digits that "%g" gives. */
static bool stands_for(double decimal, float value)
{
	char its[JSON_NUMBER_MAX], values[JSON_NUMBER_MAX];

	snprintf(its, sizeof(its), "%g", decimal);
	snprintf(values, sizeof(values), "%g", (double)value);
	return (float)decimal == value && !strcmp(its, values);
}

void probe_text_float(struct json *j, float value)
{
	char digits[JSON_NUMBER_MAX];
	double decimal = (double)value;

	for (int n = 6; isfinite(value) && n <= 12; n++) {
		snprintf(digits, sizeof(digits), "%.*g", n, (double)value);
		decimal = strtod(digits, NULL);
		if (stands_for(decimal, value))
			break;
	}
	json_double(j, decimal);
}
