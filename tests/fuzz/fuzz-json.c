/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as the JSON of a plugin's metadata: what json_check() takes is walked,
 * and looked up in as a document. Built and run by tests/fuzz/run.
 */
#include "base/json.h"
#include "base/jsonread.h"
#include "meta/document.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_up(const char *text)
{
	static const char *const keys[] = {
		"",   "/",     "name", "/a~1b/m~0n/3", "/provides/0/id",
		"/0", "/0/0/", "/~",   "/~2"};
	struct document *d;

	if (document_new(text, NULL, &d) < 0)
		return;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *value = document_property(d, keys[i]);

		/* It must end within the copy. */
		if (value && strlen(value) > strlen(text))
			abort();
	}
	document_free(d);
}

static void walk_top(const char *text)
{
	struct json_walk walk = json_walk(text);
	int64_t number;

	while (json_walk_next(&walk)) {
		char *key = json_read_string(walk.key);
		char *value = json_read_string(walk.value);

		if (key && !json_is(walk.key, key) &&
		    !strstr(key, "\xef\xbf\xbd"))
			abort();
		json_read_integer(walk.value, &number);
		json_member(walk.value, key ? key : "id");
		free(key);
		free(value);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct json_flaw flaw;

	memcpy(text, data, size);
	text[size] = '\0';
	/* Damaged texts are not read behind their NUL either. */
	walk_top(text);
	if (json_check(text, &flaw))
		look_up(text);
	free(text);
	return 0;
}
