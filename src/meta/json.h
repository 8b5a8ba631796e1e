/* SPDX-License-Identifier: MIT */
/*
 * The module json.so: metadata out of JSON texts. It is what needs jansson, so
 * that libdlazy does not; dlazy loads it when there is a text to read, and never
 * for plugins that have none.
 *
 * Exports exactly this function; any thread may call it.
 */
#ifndef META_JSON_H
#define META_JSON_H

#include <stddef.h>

/* One text, of a plugin's sidecar, say. */
struct json_source {
	const char *name; /* for json_document.sources */
	const char
		*text; /* one JSON value that json_check() takes; NULL: none */
	char problem[256]; /* what of it is not used, and why; "": all is */
};

/* What is known of one plugin: constant, so any number of threads may read it. */
struct json_document {
	const char *text;    /* the object */
	const char *sources; /* an object: each key's source */

	/* A top-level key, or a JSON Pointer (RFC 6901). Text, the digits of a
	 * number, "true" or "false"; lives as long as the document. NULL: absent,
	 * null, an object or an array. */
	const char *(*property)(const struct json_document *document,
				const char *key);
	void (*free)(struct json_document *document);
};

/*
 * Merges the objects key by key; the first source that has a key wins. A text
 * that is no object of this schema, or has a key twice, is left out; a known key
 * with a value of another kind, that key. 0 and the document, NULL where no
 * source is left; or -DLAZY_ENOMEM.
 */
int dlazy_json_merge(struct json_source *sources, size_t n,
		     struct json_document **ret);

#endif
