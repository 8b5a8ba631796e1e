/* SPDX-License-Identifier: MIT */
/*
 * Writing a catalog of records: sizes first, then everything into one block of
 * exactly that size. Equal records give equal bytes.
 */
#include "catalog/format.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/status.h"
#include "catalog/ids.h"
#include "catalog/metadata.h"
#include "catalog/record.h"

#include <stdlib.h>

/* This program's own ELF header, from the link editor: no table of machines
 * here, and src/elf keeps <elf.h> to itself. */
extern const uint8_t __ehdr_start[] __attribute__((visibility("hidden")));
#define EHDR_MACHINE 18 /* offset of e_machine, in either class */

void format_header_begin(struct catalog_header *h)
{
	uint16_t machine;

	memset(h, 0, sizeof(*h));
	memcpy(&machine, __ehdr_start + EHDR_MACHINE, sizeof(machine));
	memcpy(h->magic, FORMAT_MAGIC, sizeof(h->magic));
	h->version = FORMAT_VERSION;
	h->byte_order = FORMAT_BYTE_ORDER;
	h->word_size = sizeof(void *);
	h->machine = machine;
}

uint64_t format_header_checksum(const struct catalog_header *h)
{
	return hash_bytes(h, offsetof(struct catalog_header, checksum));
}

uint64_t format_block_checksum(const struct catalog_header *h,
			       enum format_section section, uint64_t number,
			       const void *block)
{
	return hash_bytes_seeded(block, FORMAT_BLOCK_ROOM,
				 h->checksum + ((uint64_t)section << 56) +
					 number);
}

/* What a plugin says of itself, or NULL. */
static const struct catalog_metadata *source_metadata(
	const struct catalog_source *source, size_t i)
{
	return source->metadata ? source->metadata[i] : NULL;
}

/* The bytes of all metadata, and whether any plugin was probed. */
static uint64_t metadata_bytes(const struct catalog_source *source,
			       uint32_t *flags)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < source->count + source->bad; i++) {
		const struct catalog_metadata *m = source_metadata(source, i);

		if (!m)
			continue;
		bytes += metadata_size(m);
		if (metadata_flags(m) & (METADATA_PROBED | METADATA_DUE))
			*flags |= FORMAT_PROBED;
	}
	return bytes;
}

static struct catalog_header lay_out(const struct catalog_source *source,
				     const struct id_index *ids)
{
	struct catalog_header h;
	uint64_t all = source->count + source->bad, records = 0;

	format_header_begin(&h);
	h.count = (uint32_t)source->count;
	h.bad = (uint32_t)source->bad;
	h.buckets = (uint32_t)format_bucket_count(all, 2);
	h.flags = source->flags | FORMAT_INDEXED;
	h.directory = source->directory;
	h.scan_start_ns = source->scan_start_ns;
	h.size = sizeof(h);
	for (size_t i = 0; i < all; i++)
		records += record_size(source->records[i]);
	uint64_t metadata = metadata_bytes(source, &h.flags);
	format_add_section(
		&h, FORMAT_ENTRIES,
		format_table_size(all, sizeof(struct catalog_entry)));
	format_add_section(
		&h, FORMAT_BUCKETS,
		format_table_size(h.buckets, sizeof(struct catalog_bucket)));
	format_add_section(&h, FORMAT_RECORDS, records + metadata);
	if (metadata)
		format_add_section(
			&h, FORMAT_METADATA,
			format_table_size(all, sizeof(struct catalog_entry)));
	id_index_lay_out(ids, &h);
	h.checksum = format_header_checksum(&h);
	return h;
}

static struct catalog_bucket *bucket_at(uint8_t *data,
					const struct catalog_header *h,
					uint32_t i)
{
	return format_bucket(data, h, FORMAT_BUCKETS, h->buckets, i);
}

/*
 * Enters a name, unless it is there: a bad record is not found by a name that
 * a good one has, even if the good one's bucket were damaged.
 */
static void enter_name(uint8_t *data, const struct catalog_header *h,
		       const struct record *const *records, size_t index)
{
	const char *name = record_name(records[index]);
	uint64_t hash = hash_string(name);
	uint32_t tag = (uint32_t)(hash >> 32), i = (uint32_t)hash;
	struct catalog_bucket *b = bucket_at(data, h, i);

	for (; b->index; b = bucket_at(data, h, ++i))
		if (b->hash == tag &&
		    !strcmp(record_name(records[b->index - 1]), name))
			return;
	*b = (struct catalog_bucket){tag, (uint32_t)index + 1};
}

static void seal_table(uint8_t *data, const struct catalog_header *h,
		       enum format_section section)
{
	uint8_t *at = data + h->sections[section].offset;

	for (uint64_t i = 0; i < h->sections[section].size / FORMAT_BLOCK;
	     i++, at += FORMAT_BLOCK) {
		uint64_t sum = format_block_checksum(h, section, i, at);
		memcpy(at + FORMAT_BLOCK_ROOM, &sum, sizeof(sum));
	}
}

/* Metadata stand behind the records. */
static void fill_metadata(uint8_t *data, const struct catalog_header *h,
			  const struct catalog_source *source, uint64_t offset)
{
	if (h->sections[FORMAT_METADATA].size == 0)
		return;
	for (size_t i = 0; i < source->count + source->bad; i++) {
		const struct catalog_metadata *m = source_metadata(source, i);
		struct catalog_entry *entry = format_element(
			data, h, FORMAT_METADATA, i, sizeof(*entry));

		if (!m)
			continue;
		*entry = (struct catalog_entry){offset, m->checksum,
						(uint32_t)metadata_size(m), 0};
		memcpy(data + offset, m, metadata_size(m));
		offset += metadata_size(m);
	}
}

static void fill(uint8_t *data, const struct catalog_header *h,
		 const struct catalog_source *source,
		 const struct id_index *ids)
{
	uint64_t offset = h->sections[FORMAT_RECORDS].offset;

	memcpy(data, h, sizeof(*h));
	for (size_t i = 0; i < source->count + source->bad; i++) {
		const struct record *r = source->records[i];
		struct catalog_entry *entry = format_element(
			data, h, FORMAT_ENTRIES, i, sizeof(*entry));
		*entry = (struct catalog_entry){offset, r->checksum,
						(uint32_t)record_size(r), 0};
		memcpy(data + offset, r, record_size(r));
		enter_name(data, h, source->records, i);
		offset += record_size(r);
	}
	fill_metadata(data, h, source, offset);
	id_index_fill(ids, source, data, h);
	for (unsigned i = 0; i < FORMAT_SECTIONS; i++)
		if (i != FORMAT_RECORDS)
			seal_table(data, h, (enum format_section)i);
}

int catalog_encode(const struct catalog_source *source, void **ret_data,
		   size_t *ret_size)
{
	/* More would not fit the header's 32-bit counts. */
	if (source->count + source->bad > UINT32_MAX / 4)
		return status_fail(DLAZY_ENOMEM, "too many plugins");

	_cleanup_(id_index_clear) struct id_index ids = {.ids = NULL};
	int status = id_index_gather(&ids, source);
	if (status < 0)
		return status;
	struct catalog_header h = lay_out(source, &ids);
	uint8_t *data = h.size <= SIZE_MAX ? calloc(1, h.size) : NULL;
	if (!data)
		return status_fail(DLAZY_ENOMEM, "no memory for a catalog");
	fill(data, &h, source, &ids);
	*ret_data = data;
	*ret_size = h.size;
	return 0;
}
