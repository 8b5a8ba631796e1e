/* SPDX-License-Identifier: MIT */
/*
 * Ids and openers are gathered from the metadata of all plugins, sorted, and
 * written. Several entries of one id stand in the order of their ranks, and equal
 * ranks in the order of the plugins' names; so do openers. Matchers are most of
 * what an opener has, so they are read from the spool when they are written.
 */
#include "catalog/ids.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/hash.h"

#include <errno.h>
#include <stdlib.h>

/* One thing that a plugin provides. */
struct provided_id {
	size_t string; /* in id_index.strings */
	uint32_t plugin;
	uint32_t provided;
	int32_t rank;
};

/* One that can open files. */
struct provided_opener {
	uint64_t at; /* of its plugin's metadata in the spool */
	uint32_t size;
	uint32_t plugin;
	uint32_t provided;
	int32_t rank;
};

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static int compare_openers(const void *a, const void *b)
{
	const struct provided_opener *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank > y->rank ? -1 : 1;
	if (x->plugin != y->plugin)
		return COMPARE(x->plugin, y->plugin);
	return COMPARE(x->provided, y->provided);
}

static int compare_ids(const void *a, const void *b, void *strings)
{
	const struct provided_id *x = a, *y = b;
	const char *base = strings;
	int order = strcmp(base + x->string, base + y->string);

	if (order)
		return order;
	if (x->rank != y->rank)
		return x->rank > y->rank ? -1 : 1;
	if (x->plugin != y->plugin)
		return COMPARE(x->plugin, y->plugin);
	return COMPARE(x->provided, y->provided);
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

/* Keeps an id's characters. false: out of memory. */
static bool keep_string(struct id_index *index, const char *id, size_t *ret)
{
	size_t size = strlen(id) + 1;

	if (size > index->strings_room - index->strings_size) {
		size_t room = 2 * (index->strings_size + size);
		char *strings = realloc(index->strings, room);

		if (!strings)
			return false;
		index->strings = strings;
		index->strings_room = room;
	}
	memcpy(index->strings + index->strings_size, id, size);
	*ret = index->strings_size;
	index->strings_size += size;
	return true;
}

static bool add_id(struct id_index *index, const char *id, uint32_t plugin,
		   uint32_t provided, int rank)
{
	struct provided_id new = {
		.plugin = plugin, .provided = provided, .rank = rank};

	if (!array_reserve(&index->ids, index->count, &index->room,
			   sizeof(*index->ids)) ||
	    !keep_string(index, id, &new.string))
		return false;
	index->ids[index->count++] = new;
	return true;
}

static bool add_opener(struct id_index *index, const struct catalog_metadata *m,
		       const struct provided_opener *new)
{
	if (!array_reserve(&index->openers, index->opener_count,
			   &index->opener_room, sizeof(*index->openers)))
		return false;
	index->openers[index->opener_count++] = *new;
	index->bytes += opener_size(m, new->provided);
	return key_index_promise(&index->keys, m, new->provided);
}

bool id_index_add(struct id_index *index, const struct catalog_metadata *m,
		  uint32_t plugin, uint64_t at)
{
	struct metadata_provided provided;

	for (size_t i = 0; metadata_provided(m, i, &provided); i++) {
		struct provided_opener opener = {at, (uint32_t)metadata_size(m),
						 plugin, (uint32_t)i,
						 provided.rank};

		if (provided.id[0] && !add_id(index, provided.id, plugin,
					      opener.provided, provided.rank))
			return false;
		if (metadata_patterns(m, i) && !add_opener(index, m, &opener))
			return false;
	}
	return true;
}

static const char *id_of(const struct id_index *index, size_t i)
{
	return index->strings + index->ids[i].string;
}

static bool is_new_id(const struct id_index *index, size_t i)
{
	return i == 0 || strcmp(id_of(index, i), id_of(index, i - 1)) != 0;
}

/* The index of its record, where those of no plugins stand last. */
static uint32_t final_number(uint32_t plugin, size_t count)
{
	return plugin & ID_INDEX_BAD
		       ? (plugin & ~ID_INDEX_BAD) + (uint32_t)count
		       : plugin;
}

void id_index_finish(struct id_index *index, size_t count)
{
	for (size_t i = 0; i < index->count; i++)
		index->ids[i].plugin =
			final_number(index->ids[i].plugin, count);
	for (size_t i = 0; i < index->opener_count; i++)
		index->openers[i].plugin =
			final_number(index->openers[i].plugin, count);
	if (index->count)
		qsort_r(index->ids, index->count, sizeof(*index->ids),
			compare_ids, index->strings);
	if (index->opener_count)
		qsort(index->openers, index->opener_count,
		      sizeof(*index->openers), compare_openers);
	index->distinct = 0;
	index->characters = 0;
	for (size_t i = 0; i < index->count; i++)
		if (is_new_id(index, i)) {
			index->distinct++;
			index->characters += strlen(id_of(index, i)) + 1;
		}
}

void id_index_clear(struct id_index *index)
{
	free(index->ids);
	free(index->openers);
	free(index->strings);
	key_index_clear(&index->keys);
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
	key_index_lay_out(&index->keys, h);
}

static void write_ids(const struct id_index *index,
		      const struct catalog_header *h, struct output *out)
{
	uint64_t string = 0, next = 0;
	struct table t;

	table_begin(&t, out, h, FORMAT_IDS);
	for (size_t i = 0; i < index->count; i++) {
		const struct provided_id *p = &index->ids[i];
		size_t length = strlen(id_of(index, i));

		if (is_new_id(index, i)) {
			string = next;
			next += length + 1;
		}
		struct catalog_id id = {string, (uint32_t)length, p->plugin,
					p->provided, p->rank};
		table_element(&t, &id, sizeof(id));
	}
	table_end(&t);
}

static void write_id_buckets(const struct id_index *index,
			     const struct catalog_header *h, struct output *out)
{
	_cleanup_free_ struct catalog_bucket *buckets =
		calloc(bucket_count(index), sizeof(*buckets));
	uint64_t mask = bucket_count(index) - 1;
	struct table t;

	if (!buckets) {
		output_fail(out, ENOMEM);
		return;
	}
	for (size_t i = 0; i < index->count; i++) {
		uint64_t hash = hash_string(id_of(index, i));
		uint64_t at = (uint32_t)hash & mask;

		if (!is_new_id(index, i))
			continue;
		while (buckets[at].index)
			at = (at + 1) & mask;
		buckets[at] = (struct catalog_bucket){(uint32_t)(hash >> 32),
						      (uint32_t)i + 1};
	}
	table_begin(&t, out, h, FORMAT_ID_BUCKETS);
	for (uint64_t i = 0; i <= mask; i++)
		table_element(&t, &buckets[i], sizeof(buckets[i]));
	table_end(&t);
}

static void write_strings(const struct id_index *index,
			  const struct catalog_header *h, struct output *out)
{
	struct table t;

	table_begin(&t, out, h, FORMAT_STRINGS);
	for (size_t i = 0; i < index->count; i++)
		if (is_new_id(index, i))
			table_bytes(&t, id_of(index, i),
				    strlen(id_of(index, i)) + 1);
	table_end(&t);
}

/* The patterns of an opener; then what they point to, in the same order. */
static void write_patterns(struct table *t, const struct catalog_opener *opener,
			   const struct catalog_metadata *m)
{
	struct metadata_matcher matcher;
	uint32_t to = opener->matchers.offset +
		      opener->matchers.count *
			      (uint32_t)sizeof(struct metadata_pattern);

	for (size_t k = 0; metadata_matcher(m, opener->provided, k, &matcher);
	     k++) {
		uint32_t size = (uint32_t)matcher.size;
		struct metadata_pattern pattern = {
			.offset = matcher.offset,
			.kind = matcher.kind,
			.bytes = to,
			.size = size,
			.mask = matcher.mask ? to + size + 1 : 0,
		};

		table_bytes(t, &pattern, sizeof(pattern));
		to += size + 1 + (matcher.mask ? size : 0);
	}
}

/* Returns how many bytes. */
static uint64_t write_pointed(struct table *t,
			      const struct catalog_opener *opener,
			      const struct catalog_metadata *m)
{
	struct metadata_matcher matcher;
	uint64_t size = 0;

	for (size_t k = 0; metadata_matcher(m, opener->provided, k, &matcher);
	     k++) {
		table_bytes(t, matcher.bytes, matcher.size);
		table_bytes(t, "", 1);
		if (matcher.mask)
			table_bytes(t, matcher.mask, matcher.size);
		size += matcher.size + 1 + (matcher.mask ? matcher.size : 0);
	}
	return size;
}

static void write_opener(struct table *t, const struct provided_opener *p,
			 const struct catalog_metadata *m)
{
	static const uint8_t zeros[FORMAT_ALIGN];
	struct catalog_opener opener = {
		.size = (uint32_t)opener_size(m, p->provided),
		.plugin = p->plugin,
		.provided = p->provided,
		.rank = p->rank,
		.matchers = {sizeof(opener),
			     (uint32_t)metadata_patterns(m, p->provided)},
	};
	uint64_t size = sizeof(opener);

	table_bytes(t, &opener, sizeof(opener));
	write_patterns(t, &opener, m);
	size += opener.matchers.count * sizeof(struct metadata_pattern);
	size += write_pointed(t, &opener, m);
	table_bytes(t, zeros, format_align(size) - size);
}

static void write_openers(struct id_index *index, struct spool *spool,
			  const struct catalog_header *h, struct output *out)
{
	uint64_t at = 0;
	struct table t;

	table_begin(&t, out, h, FORMAT_OPENERS);
	for (size_t i = 0; i < index->opener_count && !out->error; i++) {
		const struct provided_opener *p = &index->openers[i];
		_cleanup_free_ struct catalog_metadata *m = malloc(p->size);

		if (!m || spool_read(spool, p->at, m, p->size) < 0) {
			output_fail(out, m ? EIO : ENOMEM);
			break;
		}
		write_opener(&t, p, m);
		key_index_add_opener(&index->keys, m, p->provided, at, out);
		at += opener_size(m, p->provided);
	}
	table_end(&t);
}

void id_index_write(struct id_index *index, struct spool *spool,
		    const struct catalog_header *h, struct output *out)
{
	if (index->count) {
		write_ids(index, h, out);
		write_id_buckets(index, h, out);
		write_strings(index, h, out);
	}
	key_index_begin(&index->keys);
	if (index->opener_count)
		write_openers(index, spool, h, out);
	key_index_write(&index->keys, h, out);
}
