/* SPDX-License-Identifier: MIT */
/*
 * Reading a catalog from its beginning to its end, or looking up what its plugins
 * provide. A reader has a descriptor and a few buffers of its own, however many
 * plugins there are, and does not disturb those who use the catalog (catalog.h). It
 * shows the catalog as it was when the reader was opened, whatever takes its place
 * meanwhile.
 *
 * What is given out lives until the next call of the same function. One thread at a
 * time; no lock is needed.
 *
 * Functions that look return 1 (found), 0 (not there, the end), or, with message,
 * -DLAZY_EFORMAT (damaged), -DLAZY_ENOMEM or a state.
 */
#ifndef CATALOG_READER_H
#define CATALOG_READER_H

#include "catalog/catalog.h"

struct catalog_reader;

/* 0, or, with message, -DLAZY_EFORMAT: its file was replaced or changed; or a
 * state. */
int reader_open(struct catalog *c, struct catalog_reader **ret);
void reader_close(struct catalog_reader *r);

/* Those of catalog_count() and catalog_bad_count(). */
size_t reader_count(const struct catalog_reader *r);
size_t reader_bad_count(const struct catalog_reader *r);

/* When the catalog came to its place; 0: it is in memory. */
uint64_t reader_placed_ns(const struct catalog_reader *r);
bool reader_is_portable(const struct catalog_reader *r);

/* A thing that is provided. */
struct reader_id {
	const char *id;
	size_t plugin; /* index of its record */
	size_t provided;
	int rank;
};

/* The i-th in the order of ids, of one id the best ranked first. */
int reader_id(struct catalog_reader *r, size_t i, struct reader_id *ret);

/* The first that has exactly this id. */
int reader_find_id(struct catalog_reader *r, const char *id, size_t *ret);

/* The first whose id begins with, or comes after, these bytes. 0 or negative. */
int reader_seek_id(struct catalog_reader *r, const char *prefix, size_t size,
		   size_t *ret);

/* The first key of a hash, or of a later one (keys.h). 0 or negative. */
int reader_seek_key(struct catalog_reader *r, uint32_t hash, size_t *ret);

/* The i-th key. */
struct catalog_key;
int reader_key(struct catalog_reader *r, size_t i, struct catalog_key *ret);

/* What can open files, at its place; *at is then that of the next, by rank. */
struct reader_opener {
	size_t plugin, provided;
	int rank;
	const void *head; /* for reader_matcher() */
};
int reader_opener(struct catalog_reader *r, uint64_t *at,
		  struct reader_opener *ret);

/* The k-th matcher of it; false: there are not so many. */
bool reader_matcher(const struct reader_opener *opener, size_t k,
		    struct metadata_matcher *ret);

/* As catalog_metadata() and catalog_record(); 0: it has none. */
int reader_metadata(struct catalog_reader *r, size_t index,
		    const struct catalog_metadata **ret);
int reader_record(struct catalog_reader *r, size_t index,
		  const struct record **ret);

/* Whether there is a usable plugin of that name. */
int reader_has_name(struct catalog_reader *r, const char *name);

#endif
