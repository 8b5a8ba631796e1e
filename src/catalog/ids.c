/* SPDX-License-Identifier: MIT */
/*
 * Ids and openers are gathered from the metadata of all plugins, sorted, and
 * written. Of one id, and of openers, the best ranked comes first, and of equal
 * ones the first plugin by name.
 */
#include "catalog/ids.h"

#include "base/array.h"
#include "base/hash.h"
#include "base/status.h"

/* One thing that a plugin provides. */
struct provided_id {
	const char *id;
	uint32_t plugin;
	uint32_t provided;
	int32_t rank;
};

static int compare_ranks(const void *a, const void *b)
{
	const struct provided_id *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank > y->rank ? -1 : 1;
	if (x->plugin != y->plugin)
		return x->plugin < y->plugin ? -1 : 1;
	return (x->provided > y->provided) - (x->provided < y->provided);
}

static int compare_ids(const void *a, const void *b)
{
	const struct provided_id *x = a, *y = b;
	int order = strcmp(x->id, y->id);

	return order ? order : compare_ranks(a, b);
}

static uint64_t opener_size(const struct catalog_metadata *m, size_t provided)
{
	struct metadata_matcher matcher;
	uint64_t size = sizeof(struct catalog_opener);

	for (size_t k = 0; metadata_matcher(m, provided, k, &matcher); k++)
		size += sizeof(struct metadata_pattern) + matcher.size + 1 +
			(matcher.mask ? matcher.size : 0);
	return format_align(size);
}

static bool gather_one(struct id_index *index, const struct catalog_metadata *m,
		       const struct provided_id *p)
{
	if (p->id[0]) {
		if (!array_reserve(&index->ids, index->count, &index->room,
				   sizeof(*index->ids)))
			return false;
		index->ids[index->count++] = *p;
	}
	if (metadata_patterns(m, p->provided) == 0)
		return true;
	if (!array_reserve(&index->openers, index->opener_count,
			   &index->opener_room, sizeof(*index->openers)))
		return false;
	index->openers[index->opener_count++] = *p;
	index->bytes += opener_size(m, p->provided);
	return true;
}

static bool gather_plugin(struct id_index *index,
			  const struct catalog_metadata *m, uint32_t plugin)
{
	struct metadata_provided provided;

	for (size_t i = 0; metadata_provided(m, i, &provided); i++) {
		struct provided_id p = {provided.id, plugin, (uint32_t)i,
					provided.rank};

		if (!gather_one(index, m, &p))
			return false;
	}
	return true;
}

static bool is_new_id(const struct id_index *index, size_t i)
{
	return i == 0 || strcmp(index->ids[i].id, index->ids[i - 1].id) != 0;
}

int id_index_gather(struct id_index *index, const struct catalog_source *source)
{
	*index = (struct id_index){.ids = NULL};
	for (size_t i = 0; i < source->count + source->bad; i++) {
		const struct catalog_metadata *m =
			source->metadata ? source->metadata[i] : NULL;

		if (m && !gather_plugin(index, m, (uint32_t)i))
			return status_fail(DLAZY_ENOMEM,
					   "no memory for a catalog");
	}
	if (index->count)
		qsort(index->ids, index->count, sizeof(*index->ids),
		      compare_ids);
	if (index->opener_count)
		qsort(index->openers, index->opener_count,
		      sizeof(*index->openers), compare_ranks);
	for (size_t i = 0; i < index->count; i++)
		if (is_new_id(index, i)) {
			index->distinct++;
			index->characters += strlen(index->ids[i].id) + 1;
		}
	return 0;
}

void id_index_clear(struct id_index *index)
{
	free(index->ids);
	free(index->openers);
	*index = (struct id_index){.ids = NULL};
}

static uint64_t bucket_count(const struct id_index *index)
{
	return format_bucket_count(index->distinct, FORMAT_ID_BUCKETS_LEAST);
}

void id_index_lay_out(const struct id_index *index, struct catalog_header *h)
{
	if (index->count) {
		format_add_section(
			h, FORMAT_IDS,
			format_table_size(index->count,
					  sizeof(struct catalog_id)));
		format_add_section(
			h, FORMAT_ID_BUCKETS,
			format_table_size(bucket_count(index),
					  sizeof(struct catalog_bucket)));
		format_add_section(h, FORMAT_STRINGS,
				   format_table_size(index->characters, 1));
	}
	/* One word more, of size 0: the end. */
	if (index->opener_count)
		format_add_section(h, FORMAT_OPENERS,
				   format_table_size(index->bytes / 8 + 1, 8));
}

/* Copies bytes into a table of bytes or words, at a byte of its contents. */
static void put_bytes(uint8_t *data, const struct catalog_header *h,
		      enum format_section section, uint64_t at,
		      const void *bytes, size_t size)
{
	const uint8_t *from = bytes;

	while (size) {
		size_t room = FORMAT_BLOCK_ROOM - at % FORMAT_BLOCK_ROOM;
		size_t n = size < room ? size : room;

		memcpy(format_element(data, h, section, at, 1), from, n);
		at += n;
		from += n;
		size -= n;
	}
}

static void enter_id(uint8_t *data, const struct catalog_header *h,
		     uint64_t buckets, const char *id, size_t first)
{
	uint64_t hash = hash_string(id);
	uint32_t i = (uint32_t)hash;
	struct catalog_bucket *b =
		format_bucket(data, h, FORMAT_ID_BUCKETS, buckets, i);

	while (b->index)
		b = format_bucket(data, h, FORMAT_ID_BUCKETS, buckets, ++i);
	*b = (struct catalog_bucket){(uint32_t)(hash >> 32),
				     (uint32_t)first + 1};
}

static void fill_ids(const struct id_index *index, uint8_t *data,
		     const struct catalog_header *h)
{
	uint64_t string = 0, next = 0;

	for (size_t i = 0; i < index->count; i++) {
		const struct provided_id *p = &index->ids[i];
		size_t length = strlen(p->id);

		if (is_new_id(index, i)) {
			string = next;
			next += length + 1;
			put_bytes(data, h, FORMAT_STRINGS, string, p->id,
				  length + 1);
			enter_id(data, h, bucket_count(index), p->id, i);
		}
		struct catalog_id *id =
			format_element(data, h, FORMAT_IDS, i, sizeof(*id));
		*id = (struct catalog_id){string, (uint32_t)length, p->plugin,
					  p->provided, p->rank};
	}
}

/* The matchers of an opener: patterns, then what they point to. */
static void put_matchers(uint8_t *data, const struct catalog_header *h,
			 uint64_t head, const struct catalog_opener *opener,
			 const struct catalog_metadata *m)
{
	struct metadata_matcher matcher;
	uint32_t at = opener->matchers.offset;
	uint32_t to = at + opener->matchers.count *
				   (uint32_t)sizeof(struct metadata_pattern);

	for (size_t k = 0; metadata_matcher(m, opener->provided, k, &matcher);
	     k++, at += sizeof(struct metadata_pattern)) {
		uint32_t size = (uint32_t)matcher.size;
		struct metadata_pattern pattern = {
			.offset = matcher.offset,
			.kind = matcher.kind,
			.bytes = to,
			.size = size,
			.mask = matcher.mask ? to + size + 1 : 0,
		};

		put_bytes(data, h, FORMAT_OPENERS, head + at, &pattern,
			  sizeof(pattern));
		put_bytes(data, h, FORMAT_OPENERS, head + to, matcher.bytes,
			  size);
		to += size + 1;
		if (!matcher.mask)
			continue;
		put_bytes(data, h, FORMAT_OPENERS, head + to, matcher.mask,
			  size);
		to += size;
	}
}

static void fill_openers(const struct id_index *index,
			 const struct catalog_source *source, uint8_t *data,
			 const struct catalog_header *h)
{
	uint64_t head = 0;

	for (size_t i = 0; i < index->opener_count; i++) {
		const struct provided_id *p = &index->openers[i];
		const struct catalog_metadata *m = source->metadata[p->plugin];
		struct catalog_opener opener = {
			.size = (uint32_t)opener_size(m, p->provided),
			.plugin = p->plugin,
			.provided = p->provided,
			.rank = p->rank,
			.matchers = {sizeof(opener),
				     (uint32_t)metadata_patterns(m,
								 p->provided)},
		};

		put_bytes(data, h, FORMAT_OPENERS, head, &opener,
			  sizeof(opener));
		put_matchers(data, h, head, &opener, m);
		head += opener.size;
	}
}

void id_index_fill(const struct id_index *index,
		   const struct catalog_source *source, uint8_t *data,
		   const struct catalog_header *h)
{
	fill_ids(index, data, h);
	fill_openers(index, source, data, h);
}
