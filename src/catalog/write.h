/* SPDX-License-Identifier: MIT */
/*
 * Making a catalog: records and metadata are given one after the other, and kept in
 * a spool; when all are there, sizes come first, then everything in its order. So
 * memory grows by some 40 bytes and the ids for each plugin, and not by what is
 * known of it. Equal records give equal bytes.
 */
#ifndef CATALOG_WRITE_H
#define CATALOG_WRITE_H

#include "catalog/ids.h"

/* What is in the spool of one plugin file: its record, its metadata behind. */
struct harvested;

struct harvest {
	struct spool spool;
	struct harvested *good, *bad; /* in the order of their names */
	size_t good_count, good_room, bad_count, bad_room;
	uint32_t flags; /* of the catalog */
	struct id_index ids;
};

/* place, relative to dirfd: where the catalog goes; NULL: memory alone. */
struct harvest harvest_begin(int dirfd, const char *place);
void harvest_end(struct harvest *harvest);

/*
 * Adds a file, of those of its sort (plugin or none, by its record) the last by name.
 * Says what it says of itself, or NULL. 0 or, with message, -DLAZY_ENOMEM or a state.
 */
int harvest_add(struct harvest *harvest, const struct record *record,
		const struct catalog_metadata *metadata);

/* What else stands in a catalog. */
struct catalog_facts {
	uint32_t flags;
	struct file_identity directory;
	uint64_t scan_start_ns;
};

/* The bytes of a catalog, malloc'd. 0 or, with message, -DLAZY_ENOMEM or a state.
 * Nothing can be added any more. */
int catalog_encode(struct harvest *harvest, const struct catalog_facts *facts,
		   void **ret_data, size_t *ret_size);

/* The same to a file, as file_replace() does. */
int catalog_write(struct harvest *harvest, const struct catalog_facts *facts,
		  int dirfd, const char *file, mode_t mode);

#endif
