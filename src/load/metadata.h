/* SPDX-License-Identifier: MIT */
/*
 * What plugins say of themselves: their texts (meta/texts.h), merged by the JSON
 * module, which is loaded at the first plugin that has one. No lock may be held.
 */
#ifndef LOAD_METADATA_H
#define LOAD_METADATA_H

#include "catalog/scan.h"
#include "load/module.h"
#include "meta/document.h"
#include "meta/texts.h"

struct metadata {
	struct meta_texts texts;   /* with the problems of each */
	struct document *document; /* NULL: there are none that are usable */
};

/* Of the plugin file at an absolute path. 0, or, with message, a state, or
 * -DLAZY_ENOSYS: there is no JSON module. */
int metadata_read(const char *path, struct metadata *ret);
void metadata_clear(struct metadata *metadata);

/*
 * What a plugin says of itself, for a catalog; scan_metadata_fn's. What is known
 * already of an unchanged file and sidecar is kept; what a changed file was probed
 * for is forgotten, and it is due. A plugin without metadata costs nothing here, and
 * without the JSON module the texts are left for later.
 */
int metadata_scan(const struct scan_plugin *plugin, void *data,
		  struct catalog_metadata **ret);

/*
 * The same where the caller says what static facts and probes give, and which flags
 * it has: its sidecar and note are read, and all is merged anew. *ret NULL: there is
 * nothing to be kept.
 */
int metadata_scan_given(const struct scan_plugin *plugin,
			const struct metadata_given *given,
			struct catalog_metadata **ret);

/* Whether metadata of a catalog that came to its place then are of these files. */
bool metadata_is_of(const struct catalog_metadata *m,
		    const struct meta_files *files, uint64_t placed_ns);

/* Whether they are of the files in `dir` as they are now. */
bool metadata_is_current(const char *dir, const struct catalog_metadata *m,
			 uint64_t placed_ns);

/* Where they are not: what the plugin says now, as metadata_scan(). old may be
 * NULL. */
int metadata_again(const char *dir, const char *file,
		   const struct catalog_metadata *old,
		   struct catalog_metadata **ret);

/* What a plugin that is in no catalog says, for who asks in the same way. *ret NULL:
 * nothing. 0, or as metadata_read(). */
int metadata_of_file(const char *path, const char *name,
		     struct catalog_metadata **ret);

/*
 * Of a module, as its files are now; *ret lives as long as the module. NULL: it
 * has none. 0, or as metadata_read(), or -DLAZY_EFORMAT: what it has is not
 * usable.
 */
int metadata_of_module(struct dlazy_module *m, const struct document **ret);

/* What a catalog said of it that was given out last; lives as long as the module.
 * NULL: nothing. */
const struct catalog_metadata *metadata_said(struct dlazy_module *m);

/* The same by what a catalog has, which is of these files. */
int metadata_of_catalog(struct dlazy_module *m, const struct meta_files *files,
			const struct catalog_metadata *said,
			const struct document **ret);

/* Where the JSON module is, instead of the installed place: for tests. */
void metadata_use_module(const char *path);

#endif
