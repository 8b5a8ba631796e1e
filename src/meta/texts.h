/* SPDX-License-Identifier: MIT */
/*
 * The texts in which a plugin's metadata are: NAME.dlazy.json beside NAME.so (the
 * sidecar), and the note that DLAZY_PLUGIN() makes. Here they are
 * read, and checked to be JSON. The module of meta/json.h says what is in them; it
 * is needed only where there is such a text.
 */
#ifndef META_TEXTS_H
#define META_TEXTS_H

#include "base/cleanup.h"
#include "base/file.h"
#include "catalog/metadata.h"
#include "meta/json.h"

#include <stdbool.h>

/* Longer ones are not used. */
#define META_TEXT_MAX (1u << 20)

struct meta_texts {
	/* By enum metadata_source; each text is malloc'd. */
	struct json_source sources[METADATA_SOURCES];
};

/* Which the files are; all 0: absent. */
struct meta_files {
	struct file_identity plugin, sidecar;
};

/* The files of a plugin's path as they are now. 0 or a state. */
int meta_identify(const char *path, struct meta_files *ret);

/*
 * The sidecar and the note of the plugin at an absolute path; `which` has a bit for
 * each that is looked at. What is unusable about them is no failure, but told as
 * that source's problem. 0, or, with message, a state; then, too,
 * meta_texts_clear() frees.
 */
#define META_TEXTS_ALL (1u << METADATA_SIDECAR | 1u << METADATA_NOTE)
int meta_texts_read(const char *path, unsigned which, struct meta_texts *ret);

/* Adds what was made elsewhere: a text (copied) of METADATA_STATIC or
 * METADATA_PROBE. What is unusable is told as its problem. 0 or -DLAZY_ENOMEM. */
int meta_texts_add(struct meta_texts *texts, enum metadata_source source,
		   const char *text);
void meta_texts_clear(struct meta_texts *texts);

/* Whether there is a text to be given to the JSON module. */
bool meta_texts_are_there(const struct meta_texts *texts);

#endif
