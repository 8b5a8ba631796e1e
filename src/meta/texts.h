/* SPDX-License-Identifier: MIT */
/*
 * The texts in which a plugin's metadata are: NAME.dlazy.json beside NAME.so (the
 * sidecar), and the note that DLAZY_PLUGIN() makes. They are read, and found to
 * be JSON or not, here; what is in them is said by the module of meta/json.h,
 * which is only needed where there is one.
 */
#ifndef META_TEXTS_H
#define META_TEXTS_H

#include "base/cleanup.h"
#include "base/file.h"
#include "meta/json.h"

#include <stdbool.h>

/* Longer ones are not used. */
#define META_TEXT_MAX (1u << 20)

/* The sources, best first. */
enum { META_SIDECAR, META_NOTE, META_SOURCES };

struct meta_texts {
	struct json_source sources[META_SOURCES]; /* text is malloc'd */
};

/* Which the files are; all 0: absent. */
struct meta_files {
	struct file_identity plugin, sidecar;
};

/* The files of a plugin's path as they are now. 0 or a state. */
int meta_identify(const char *path, struct meta_files *ret);

/*
 * The texts of the plugin at an absolute path. What is unusable about them is no
 * failure, but told as that source's problem. 0, or, with message, a state; then,
 * too, meta_texts_clear() frees.
 */
int meta_texts_read(const char *path, struct meta_texts *ret);
void meta_texts_clear(struct meta_texts *texts);

/* Whether there is a text to be given to the JSON module. */
bool meta_texts_are_there(const struct meta_texts *texts);

#endif
