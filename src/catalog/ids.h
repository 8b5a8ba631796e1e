/* SPDX-License-Identifier: MIT */
/*
 * The index of what a directory's plugins provide, as it is written: ids in their
 * order, and what can open files by rank. Reading it is reader.h's.
 */
#ifndef CATALOG_IDS_H
#define CATALOG_IDS_H

#include "catalog/format.h"

struct provided_id;

struct id_index {
	struct provided_id *ids; /* sorted by id */
	size_t count, room;
	struct provided_id *openers; /* sorted by rank */
	size_t opener_count, opener_room;
	size_t distinct;     /* ids */
	uint64_t characters; /* of them, with their NULs */
	uint64_t bytes;	     /* of openers */
};

/* Gathers what is provided. 0 or -DLAZY_ENOMEM, with message. */
int id_index_gather(struct id_index *index,
		    const struct catalog_source *source);
void id_index_clear(struct id_index *index);

/* Adds its sections, if there is anything. */
void id_index_lay_out(const struct id_index *index, struct catalog_header *h);

/* Writes them, without the checksums of their blocks. */
void id_index_fill(const struct id_index *index,
		   const struct catalog_source *source, uint8_t *data,
		   const struct catalog_header *h);

#endif
