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
	const char *name; /* for *ret_sources of dlazy_json_merge() */
	const char
		*text; /* one JSON value that json_check() takes; NULL: none */
	char problem[256]; /* what of it is not used, and why; "": all is */
};

/*
 * Merges the objects key by key; the first source that has a key wins. A text
 * that is no object of this schema, or has a key twice, is left out; a known key
 * with a value of another kind, that key. *ret_text is the object, *ret_sources an
 * object with each key's source, both malloc'd; NULL where no source is left. 0 or
 * -DLAZY_ENOMEM.
 */
int dlazy_json_merge(struct json_source *sources, size_t n, char **ret_text,
		     char **ret_sources);

#endif
