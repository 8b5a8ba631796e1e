/* SPDX-License-Identifier: MIT */
/*
 * Writing the sections of a catalog one after the other, to a file or to memory.
 * A table's elements are given in their order; its blocks, with their checksums,
 * come of themselves.
 */
#ifndef CATALOG_TABLE_H
#define CATALOG_TABLE_H

#include "catalog/format.h"

/* Where the bytes go. */
struct output {
	int fd;		 /* -1: to memory */
	uint8_t *memory; /* of a file: what is not written yet */
	size_t room;	 /* of that */
	uint64_t at;	 /* of the next byte */
	size_t waiting;	 /* of a file: how many are not written yet */
	int error;	 /* errno of the first failure, or 0 */
};

/* To all of `memory`; or to a file, by way of it. */
struct output output_begin(int fd, void *memory, size_t room);
void output_bytes(struct output *out, const void *bytes, size_t size);
void output_fail(struct output *out, int error);

/* Whether all was written; if not, errno says why. */
bool output_end(struct output *out);

/* A table on its way out. */
struct table {
	struct output *out;
	const struct catalog_header *header;
	enum format_section section;
	uint64_t number; /* of the block */
	size_t used;	 /* of the block */
	uint8_t block[FORMAT_BLOCK];
};

void table_begin(struct table *table, struct output *out,
		 const struct catalog_header *header,
		 enum format_section section);

/* Appends an element that does not go over the end of a block; or bytes, which
 * do. */
void table_element(struct table *table, const void *element, size_t size);
void table_bytes(struct table *table, const void *bytes, size_t size);

/* Fills the section. */
void table_end(struct table *table);

#endif
