/* SPDX-License-Identifier: MIT */
/*
 * The plugin files of a directory, and their sidecars, as they are at one moment:
 * sorted, each with its identity. Of a large directory a scan has this in memory
 * and little else; so it is compact.
 */
#ifndef CATALOG_INVENTORY_H
#define CATALOG_INVENTORY_H

#include "base/file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct listed_file {
	struct file_identity identity;
	uint32_t file;	  /* in inventory.names */
	uint32_t sidecar; /* one more than its index; 0: there is none */
	uint32_t
		length; /* of the plugin's name, which the file's begins with */
};

struct listed_sidecar {
	struct file_identity identity;
	uint32_t file; /* in inventory.names */
	uint32_t length;
};

/* Of what was listed, whatever the order. */
struct inventory_digest {
	uint64_t files; /* the names of plugin files */
	uint64_t all;	/* all names, and identities */
};

struct inventory {
	bool is_brief;		   /* its digest is all that is kept */
	struct listed_file *files; /* by name, then by file */
	size_t count, room;
	struct listed_sidecar *sidecars;
	size_t sidecar_count, sidecar_room;
	char *names;
	size_t names_size, names_room;
	struct inventory_digest digest;
	uint64_t settled_ns; /* from then on, no change would go unseen */
	uint64_t start_ns;
	struct file_identity directory;
};

void inventory_clear(struct inventory *inventory);
#define _cleanup_inventory_ _cleanup_(inventory_clear)

/* 0 or, with message, a state: the directory cannot be listed. */
int inventory_read(int dirfd, const char *dir, struct inventory *ret);

/* The same, but of files only whether they are the same is kept. */
int inventory_read_brief(int dirfd, const char *dir, struct inventory *ret);

/*
 * Lists when all has been left alone so long that later changes show. A time in
 * the future, a directory without rest, or times of seconds where nobody is patient,
 * are not waited for: then what is written is not fresh, and looked at again by
 * the next one; records of such files are marked as young.
 */
int inventory_settle(int dirfd, const char *dir, bool patient,
		     struct inventory *ret);

/* The longest that this waits for what has fine times. */
#define INVENTORY_SETTLE_NS 25000000u

/* How much longer than a time's grain something is left alone. */
#define INVENTORY_MARGIN_NS 5000000u

bool inventory_same_files(const struct inventory *a, const struct inventory *b);
bool inventory_equal(const struct inventory *a, const struct inventory *b);

const char *inventory_file(const struct inventory *inventory, size_t i);

/* Its sidecar; all 0: there is none. */
struct file_identity inventory_sidecar(const struct inventory *inventory,
				       size_t i);

/* Whether two files are of one plugin name. */
bool inventory_same_name(const struct inventory *inventory, size_t i, size_t k);

/* As strcmp(), of a file's plugin name. */
int inventory_compare_name(const struct inventory *inventory, size_t i,
			   const char *name);

/* Whether a file's name is a plugin's: "*.so" or "*.so.VERSION". */
bool scan_is_plugin_name(const char *file);

#endif
