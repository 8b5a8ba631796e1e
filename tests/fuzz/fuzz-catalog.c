/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a catalog. They are given once as they are, and once with the
 * checksums put right, so that what lies behind them is reached.
 * Built and run by tests/fuzz/run.
 */
#include "base/hash.h"
#include "catalog/catalog.h"
#include "catalog/format.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_record(const struct record *r)
{
	struct record_symbol s, found;
	size_t n;

	record_build_id(r, &n);
	for (size_t i = 0; i < record_needs_count(r); i++)
		n += strlen(record_need(r, i));
	for (size_t i = 0; i < record_dlopen_note_count(r); i++)
		n += strlen(record_dlopen_note(r, i));
	for (size_t i = 0; i < 64 && record_symbol_at(r, i, &s); i++)
		record_find(r, s.name, s.version, &found);
	record_find(r, "dlazy", NULL, &found);
}

static void read_catalog(const uint8_t *data, size_t size)
{
	void *copy = malloc(size + 1);
	struct catalog *c;
	size_t index;

	memcpy(copy, data, size);
	if (catalog_open_memory(copy, size, &c) < 0)
		return;
	size_t all = catalog_count(c) + catalog_bad_count(c);
	for (size_t i = 0; i < all && i < 64; i++) {
		const struct record *r = catalog_record(c, i);
		if (!r)
			continue;
		read_record(r);
		catalog_find(c, record_name(r), &index, NULL);
	}
	catalog_find(c, "absent", &index, NULL);
	catalog_close(c);
}

static void mend_record(uint8_t *data, size_t size, struct catalog_entry *entry)
{
	entry->offset &= ~(uint64_t)(FORMAT_ALIGN - 1);
	if (entry->offset > size ||
	    size - entry->offset < sizeof(struct record))
		return;
	struct record *r = (struct record *)(data + entry->offset);
	if (r->size < sizeof(*r) || r->size > size - entry->offset)
		return;
	r->checksum =
		hash_bytes(&r->size, r->size - offsetof(struct record, size));
	entry->checksum = r->checksum;
}

/* The checksums of a table's blocks, where it lies in the file. */
static void mend_table(uint8_t *data, size_t size,
		       const struct catalog_header *h,
		       enum format_section section)
{
	uint64_t at = h->sections[section].offset;

	for (uint64_t i = 0; i < h->sections[section].size / FORMAT_BLOCK;
	     i++, at += FORMAT_BLOCK) {
		if (at < sizeof(*h) || at > size || size - at < FORMAT_BLOCK)
			return;
		uint64_t sum = format_block_checksum(h, section, i, data + at);
		memcpy(data + at + FORMAT_BLOCK_ROOM, &sum, sizeof(sum));
	}
}

static void mend(uint8_t *data, size_t size)
{
	struct catalog_header *h = (struct catalog_header *)data, own;

	format_header_begin(&own);
	memcpy(h, &own, offsetof(struct catalog_header, size));
	h->size = size;
	const struct catalog_section *table = &h->sections[FORMAT_ENTRIES];
	for (uint64_t i = 0; i < 64 && i < (uint64_t)h->count + h->bad; i++) {
		uint64_t at = table->offset +
			      format_table_at(i, sizeof(struct catalog_entry));
		if (at % FORMAT_ALIGN || at < sizeof(*h) || at > size ||
		    size - at < sizeof(struct catalog_entry))
			break;
		mend_record(data, size, (struct catalog_entry *)(data + at));
	}
	h->flags |= FORMAT_INDEXED;
	h->checksum = format_header_checksum(h);
	for (unsigned i = 0; i < FORMAT_SECTIONS; i++)
		if (i != FORMAT_RECORDS)
			mend_table(data, size, h, (enum format_section)i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_catalog(data, size);
	if (size < sizeof(struct catalog_header))
		return 0;
	uint8_t *mended = malloc(size);
	memcpy(mended, data, size);
	mend(mended, size);
	read_catalog(mended, size);
	free(mended);
	return 0;
}
