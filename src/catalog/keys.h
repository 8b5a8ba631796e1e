/* SPDX-License-Identifier: MIT */
/*
 * What plugins are found by besides names and ids: MIME types, files' names and
 * first bytes that they say they can open, and their SONAMEs. Each is a key, a hash
 * of few bytes: who looks up compares what it leads to. In a catalog keys stand in
 * the order of their hashes, of one hash the best first; a table of starts says
 * where to begin, so that a look-up takes the same with 10 plugins and 100,000.
 *
 * A name's key is what stands behind its last dot (".png"), or all of it if there
 * is none. First bytes have several: a shape is an offset and a length of 1, 2 or
 * 4, of which a catalog has few, and lists them under KEY_SHAPES. A glob or a magic
 * for which this does not do is under KEY_ANY_NAME or KEY_ANY_HEAD, which whoever
 * asks goes through as well.
 */
#ifndef CATALOG_KEYS_H
#define CATALOG_KEYS_H

#include "catalog/format.h"
#include "catalog/table.h"

/* More shapes than this are not listed. */
#define KEY_SHAPES_MAX 32u

/* An offset in what is looked at, times 8, and how many bytes there. */
static inline uint64_t key_shape_offset(uint32_t shape)
{
	return shape >> 3;
}

static inline uint32_t key_shape_length(uint32_t shape)
{
	return shape & 7;
}

/* Keys of what is asked for. */
uint32_t key_of_mime(const char *mime);
uint32_t key_of_name(const char *file);
uint32_t key_of_head(uint32_t shape, const uint8_t *bytes);
uint32_t key_of_soname(const char *soname);

/* Those that are the same always. */
enum key_kind { KEY_SHAPES, KEY_ANY_NAME, KEY_ANY_HEAD };
uint32_t key_of_kind(enum key_kind kind);

/* Those of a directory, as they are gathered. First SONAMEs, and how many openers
 * will have; when openers are written, theirs. */
struct key_index {
	struct catalog_key *keys;
	size_t count, room;
	size_t sonames;	   /* of these */
	uint64_t promised; /* of openers */
	uint32_t shapes[KEY_SHAPES_MAX];
	size_t shape_count;
	bool is_sorted; /* all are there */
};

/* false: out of memory. */
bool key_index_add_soname(struct key_index *index, const char *soname,
			  uint32_t plugin);

/* What a thing that can open files will have keys for. */
bool key_index_promise(struct key_index *index,
		       const struct catalog_metadata *m, size_t provided);
void key_index_lay_out(const struct key_index *index, struct catalog_header *h);

/* Then, each time that the catalog is written: begin, openers, write. at: of the
 * opener in its section, which is the same each time. */
void key_index_begin(struct key_index *index);
void key_index_add_opener(struct key_index *index,
			  const struct catalog_metadata *m, size_t provided,
			  uint64_t at, struct output *out);
void key_index_write(struct key_index *index, const struct catalog_header *h,
		     struct output *out);
void key_index_clear(struct key_index *index);

#endif
