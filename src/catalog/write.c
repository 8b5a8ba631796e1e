/* SPDX-License-Identifier: MIT */
/*
 * Catalogs from records: sizes first, then everything into one block of
 * exactly that size. Equal records give equal bytes.
 */
#include "catalog/format.h"

#include "base/hash.h"
#include "base/status.h"
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

/* A power of two, at least twice n: one bucket in two is free at least. */
static uint64_t bucket_count(size_t n)
{
	uint64_t buckets = 2;

	while (buckets < 2 * (uint64_t)n)
		buckets *= 2;
	return buckets;
}

static struct catalog_header lay_out(const struct catalog_source *source)
{
	struct catalog_header h;
	uint64_t all = source->count + source->bad;

	format_header_begin(&h);
	h.count = (uint32_t)source->count;
	h.bad = (uint32_t)source->bad;
	h.buckets = (uint32_t)bucket_count(all);
	h.flags = source->flags;
	h.directory = source->directory;
	h.scan_start_ns = source->scan_start_ns;
	h.entries_offset = sizeof(h);
	h.buckets_offset =
		h.entries_offset + all * sizeof(struct catalog_entry);
	h.size = h.buckets_offset + h.buckets * sizeof(struct catalog_bucket);
	for (size_t i = 0; i < all; i++)
		h.size += record_size(source->records[i]);
	h.checksum = format_header_checksum(&h);
	return h;
}

/*
 * Enters a name, unless it is there: a bad record is not found by a name that
 * a good one has, even if the good one's bucket were damaged.
 */
static void enter_name(struct catalog_bucket *buckets, uint32_t count,
		       const struct record *const *records, size_t index)
{
	const char *name = record_name(records[index]);
	uint64_t hash = hash_string(name);
	uint32_t tag = (uint32_t)(hash >> 32);
	uint32_t i = (uint32_t)hash & (count - 1);

	for (; buckets[i].index; i = (i + 1) & (count - 1))
		if (buckets[i].hash == tag &&
		    !strcmp(record_name(records[buckets[i].index - 1]), name))
			return;
	buckets[i] = (struct catalog_bucket){tag, (uint32_t)index + 1};
}

static void fill(uint8_t *data, const struct catalog_header *h,
		 const struct catalog_source *source)
{
	struct catalog_entry *entries = (void *)(data + h->entries_offset);
	struct catalog_bucket *buckets = (void *)(data + h->buckets_offset);
	uint64_t offset = h->buckets_offset + h->buckets * sizeof(*buckets);

	memcpy(data, h, sizeof(*h));
	for (size_t i = 0; i < source->count + source->bad; i++) {
		const struct record *r = source->records[i];
		memcpy(data + offset, r, record_size(r));
		entries[i] = (struct catalog_entry){offset, r->checksum};
		enter_name(buckets, h->buckets, source->records, i);
		offset += record_size(r);
	}
}

int catalog_encode(const struct catalog_source *source, void **ret_data,
		   size_t *ret_size)
{
	/* More would not fit the header's 32-bit counts. */
	if (source->count + source->bad > UINT32_MAX / 4)
		return status_fail(DLAZY_ENOMEM, "too many plugins");

	struct catalog_header h = lay_out(source);
	uint8_t *data = h.size <= SIZE_MAX ? calloc(1, h.size) : NULL;
	if (!data)
		return status_fail(DLAZY_ENOMEM, "no memory for a catalog");
	fill(data, &h, source);
	*ret_data = data;
	*ret_size = h.size;
	return 0;
}
