/* SPDX-License-Identifier: MIT */
/*
 * The index of what a directory's plugins provide, as it is written: ids in their
 * order, what can open files by rank, and keys. Reading it is reader.h's.
 */
#ifndef CATALOG_IDS_H
#define CATALOG_IDS_H

#include "catalog/format.h"
#include "catalog/keys.h"
#include "catalog/spool.h"
#include "catalog/table.h"

struct provided_id;
struct provided_opener;

/* Of what is no plugin: its number counts from there, until all are known. */
#define ID_INDEX_BAD (UINT32_C(1) << 31)

struct id_index {
	struct provided_id *ids; /* when all are there: sorted by id */
	size_t count, room;
	struct provided_opener
		*openers; /* when all are there: sorted by rank */
	size_t opener_count, opener_room;
	char *strings; /* ids as they came, each with its NUL */
	size_t strings_size, strings_room;
	size_t distinct;     /* ids */
	uint64_t characters; /* of them, with their NULs */
	uint64_t bytes;	     /* of openers */
	struct key_index keys;
};

/* Gathers what a plugin provides. at: of its metadata in the spool. false: out of
 * memory. */
bool id_index_add(struct id_index *index, const struct catalog_metadata *m,
		  uint32_t plugin, uint64_t at);
void id_index_clear(struct id_index *index);

/* All are there: of them, `count` are plugins. */
void id_index_finish(struct id_index *index, size_t count);

/* Adds its sections, if there is anything. */
void id_index_lay_out(const struct id_index *index, struct catalog_header *h);

/* Writes them, in their order. */
void id_index_write(struct id_index *index, struct spool *spool,
		    const struct catalog_header *h, struct output *out);

#endif
