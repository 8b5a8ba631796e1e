/* SPDX-License-Identifier: MIT */
/*
 * What a plugin says of itself, as a catalog keeps it: one relocatable block of
 * bytes for each plugin that says something, which serves in memory and in the
 * file alike, as records do (record.h). It has the merged JSON text, so that a
 * fresh catalog needs no JSON library; what can be asked for is beside it, found
 * without reading the text.
 *
 * Who fills one: a scan asks the function in scan_options.metadata for each
 * plugin (scan.h). load/metadata.h has the one for sidecars and notes,
 * metadata_scan(); what static facts and probes give, it merges and keeps. It goes
 * like this in the tool:
 *
 *     static int probe(const struct scan_plugin *plugin, void *data,
 *                      struct catalog_metadata **ret)
 *     {
 *             struct metadata_given given;           // texts that are JSON objects
 *             metadata_keep(plugin->former, &given); // what is known already
 *             if (it is due: plugin->same_file says whether the file has changed)
 *                     set given.text[METADATA_STATIC], given.text[METADATA_PROBE],
 *                     given.probe (words, or NULL), given.flags, given.prober
 *             return metadata_scan_given(plugin, &given, ret);
 *     }
 *
 * Who reads one: catalog_metadata() of catalog.h.
 *
 * As with records, a block is trusted after metadata_check() only as far as its size
 * goes; strings live as long as the block.
 */
#ifndef CATALOG_METADATA_H
#define CATALOG_METADATA_H

#include "base/file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct catalog_metadata;

/* What is behind a plugin's name in that of its sidecar. */
#define METADATA_SIDECAR_SUFFIX ".dlazy.json"

/* The sources, best first: of two that have a key, the first one's counts. */
enum metadata_source {
	METADATA_SIDECAR,
	METADATA_NOTE,
	METADATA_STATIC,
	METADATA_PROBE,
	METADATA_SOURCES
};

/* Of a thing that does not say. */
#define METADATA_RANK_DEFAULT 500

enum metadata_flags {
	METADATA_DUE = 1 << 0,	  /* a probe is to be run (again) */
	METADATA_PROBED = 1 << 1, /* one was: .probe says how it ended */
	METADATA_CRASHED = 1 << 2,
	METADATA_TIMED_OUT = 1 << 3,
	/* When the sidecar was read, its times did not tell it from a later self;
	 * or the texts could not be merged. It is read again at its next use. */
	METADATA_YOUNG = 1 << 4,
};

/* What neither the sidecar nor the note says; kept while the file is the same. */
struct metadata_given {
	const char *text[METADATA_SOURCES]; /* of METADATA_STATIC and
					       METADATA_PROBE; NULL: none */
	const char *probe; /* words: how the probe failed; NULL: it did not */
	unsigned flags;	   /* enum metadata_flags */
	uint64_t prober;   /* tells a probe from its later self; 0: none */
};

/* What a block is made of. */
struct metadata_draft {
	const char *name; /* of the plugin, and of its file */
	const char *file;
	struct file_identity plugin; /* the file; all 0: it travels */
	const char *text;	     /* the merged object, or NULL */
	const char *sources;	     /* an object: each key's source, or NULL */
	const char *problem;	     /* what is not usable, or NULL */
	struct file_identity sidecar; /* all 0: there is none */
	uint64_t sidecar_content;     /* a hash, for what travels; or 0 */
	struct metadata_given given;
};

/* A malloc'd block of all this; text has passed json_check(). 0 or -DLAZY_ENOMEM,
 * with message. */
int metadata_encode(const struct metadata_draft *draft,
		    struct catalog_metadata **ret);

/* Is there a sound block at `data`? NULL if not. */
const struct catalog_metadata *metadata_check(const void *data, size_t size);

size_t metadata_size(const struct catalog_metadata *m);

/* The merged JSON text, and the source of each key, also an object; NULL: none. */
const char *metadata_text(const struct catalog_metadata *m);
const char *metadata_sources(const struct catalog_metadata *m);

/* What of the sidecar or the note is not usable, in words; NULL: all is. */
const char *metadata_problem(const struct catalog_metadata *m);

/* How the probe failed, in words; NULL: it did not, or none was run. */
const char *metadata_probe(const struct catalog_metadata *m);
unsigned metadata_flags(const struct catalog_metadata *m);

/* "NAME/MAJOR.MINOR", or NULL. */
const char *metadata_interface(const struct catalog_metadata *m);

/* Whether it says that it is to be loaded before it is used. */
bool metadata_is_early(const struct catalog_metadata *m);

/* Of the plugin. */
const char *metadata_name(const struct catalog_metadata *m);
const char *metadata_file(const struct catalog_metadata *m);

/* Which files were read: see metadata_draft. */
struct file_identity metadata_plugin(const struct catalog_metadata *m);
struct file_identity metadata_sidecar(const struct catalog_metadata *m);
uint64_t metadata_sidecar_content(const struct catalog_metadata *m);

/* What was given, to be given again; texts are the block's. m may be NULL: none. */
void metadata_keep(const struct catalog_metadata *m,
		   struct metadata_given *ret);

/* One thing that a plugin provides. */
struct metadata_provided {
	const char *id;		 /* "": not to be found by id */
	const char *description; /* or NULL */
	const char *symbol;	 /* or NULL */
	int rank;
};

size_t metadata_provided_count(const struct catalog_metadata *m);

/* false: there are not so many. */
bool metadata_provided(const struct catalog_metadata *m, size_t i,
		       struct metadata_provided *ret);

enum metadata_matcher_kind {
	METADATA_MIME = 1,
	METADATA_GLOB,
	METADATA_MAGIC,
};

/* What a provided thing can open. */
struct metadata_matcher {
	enum metadata_matcher_kind kind;
	const char *text;     /* MIME type or glob */
	uint64_t offset;      /* MAGIC: in the file, */
	const uint8_t *bytes; /* these, already masked */
	const uint8_t *mask;  /* of the same size; NULL: all bits count */
	size_t size;
};

/* How many matchers the i-th thing has. */
size_t metadata_patterns(const struct catalog_metadata *m, size_t i);

/* The k-th of the i-th thing; false: there are not so many. */
bool metadata_matcher(const struct catalog_metadata *m, size_t i, size_t k,
		      struct metadata_matcher *ret);

#endif
