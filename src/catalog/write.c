/* SPDX-License-Identifier: MIT */
/*
 * Writing a catalog: the header, which says where each section is, then one section
 * after the other. What is in the spool is copied as it is.
 */
#include "catalog/write.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/status.h"

#include <errno.h>
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

/* ------------------------------------------------------------------ */
/* Gathering                                                          */

struct harvested {
	uint64_t at; /* in the spool */
	uint64_t checksum, said_checksum;
	uint64_t name_hash;
	uint32_t size, said_size; /* said_size 0: it says nothing */
	bool early; /* that it is to be loaded before it is used */
};

/* More would not fit the header's 32-bit counts. */
#define HARVEST_MOST (UINT32_MAX / 8)

struct harvest harvest_begin(int dirfd, const char *place)
{
	return (struct harvest){.spool = spool_begin(dirfd, place)};
}

void harvest_end(struct harvest *h)
{
	spool_end(&h->spool);
	id_index_clear(&h->ids);
	free(h->good);
	free(h->bad);
	*h = harvest_begin(-1, NULL);
}

static int keep_metadata(struct harvest *h, const struct catalog_metadata *m,
			 uint32_t plugin, struct harvested *file)
{
	uint64_t at = h->spool.size;
	int status = spool_add(&h->spool, m, metadata_size(m));

	if (status < 0)
		return status;
	file->said_checksum = m->checksum;
	file->said_size = (uint32_t)metadata_size(m);
	file->early = metadata_is_early(m);
	if (metadata_flags(m) & (METADATA_PROBED | METADATA_DUE))
		h->flags |= FORMAT_PROBED;
	return id_index_add(&h->ids, m, plugin, at)
		       ? 0
		       : status_fail(DLAZY_ENOMEM, "no memory for a catalog");
}

static int keep_soname(struct harvest *h, const struct record *r,
		       uint32_t plugin)
{
	const char *soname = record_soname(r);

	if (!*soname || key_index_add_soname(&h->ids.keys, soname, plugin))
		return 0;
	return status_fail(DLAZY_ENOMEM, "no memory for a catalog");
}

int harvest_add(struct harvest *h, const struct record *r,
		const struct catalog_metadata *m)
{
	bool is_good = record_status(r) == 0;
	struct harvested **list = is_good ? &h->good : &h->bad;
	size_t *count = is_good ? &h->good_count : &h->bad_count;
	size_t *room = is_good ? &h->good_room : &h->bad_room;
	struct harvested file = {
		.at = h->spool.size,
		.checksum = r->checksum,
		.name_hash = hash_string(record_name(r)),
		.size = (uint32_t)record_size(r),
	};
	uint32_t number = (uint32_t)*count | (is_good ? 0 : ID_INDEX_BAD);

	if (*count > HARVEST_MOST)
		return status_fail(DLAZY_ENOMEM, "too many plugins");
	int status = spool_add(&h->spool, r, record_size(r));
	if (status == 0 && is_good)
		status = keep_soname(h, r, number);
	if (status == 0 && m)
		status = keep_metadata(h, m, number, &file);
	if (status < 0)
		return status;
	if (!array_reserve(list, *count, room, sizeof(**list)))
		return status_fail(DLAZY_ENOMEM, "no memory for a catalog");
	(*list)[(*count)++] = file;
	return 0;
}

static size_t all_count(const struct harvest *h)
{
	return h->good_count + h->bad_count;
}

/* Good ones first, then bad ones. */
static const struct harvested *file_at(const struct harvest *h, size_t i)
{
	return i < h->good_count ? &h->good[i] : &h->bad[i - h->good_count];
}

/* ------------------------------------------------------------------ */
/* Writing                                                            */

static bool has_metadata(const struct harvest *h)
{
	for (size_t i = 0; i < all_count(h); i++)
		if (file_at(h, i)->said_size)
			return true;
	return false;
}

/* One more, which is the end. */
static void lay_out_early(const struct harvest *h,
			  struct catalog_header *header)
{
	size_t count = 0;

	for (size_t i = 0; i < h->good_count; i++)
		count += h->good[i].early;
	if (count)
		format_add_section(
			header, FORMAT_EARLY,
			format_table_size(count + 1,
					  sizeof(struct catalog_early)));
}

static struct catalog_header lay_out(const struct harvest *h,
				     const struct catalog_facts *facts)
{
	struct catalog_header header;
	uint64_t all = all_count(h);

	format_header_begin(&header);
	header.count = (uint32_t)h->good_count;
	header.bad = (uint32_t)h->bad_count;
	header.buckets = (uint32_t)format_bucket_count(all, 2);
	header.flags = facts->flags | h->flags | FORMAT_INDEXED;
	header.directory = facts->directory;
	header.scan_start_ns = facts->scan_start_ns;
	header.size = sizeof(header);
	format_add_section(
		&header, FORMAT_ENTRIES,
		format_table_size(all, sizeof(struct catalog_entry)));
	format_add_section(&header, FORMAT_BUCKETS,
			   format_table_size(header.buckets,
					     sizeof(struct catalog_bucket)));
	format_add_section(&header, FORMAT_RECORDS, h->spool.size);
	if (has_metadata(h))
		format_add_section(
			&header, FORMAT_METADATA,
			format_table_size(all, sizeof(struct catalog_entry)));
	id_index_lay_out(&h->ids, &header);
	lay_out_early(h, &header);
	header.checksum = format_header_checksum(&header);
	return header;
}

static void write_entries(const struct harvest *h,
			  const struct catalog_header *header,
			  struct output *out)
{
	uint64_t base = header->sections[FORMAT_RECORDS].offset;
	struct table t;

	table_begin(&t, out, header, FORMAT_ENTRIES);
	for (size_t i = 0; i < all_count(h); i++) {
		const struct harvested *f = file_at(h, i);
		struct catalog_entry entry = {base + f->at, f->checksum,
					      f->size, 0};

		table_element(&t, &entry, sizeof(entry));
	}
	table_end(&t);
}

/* Metadata stand behind their record. */
static void write_metadata(const struct harvest *h,
			   const struct catalog_header *header,
			   struct output *out)
{
	uint64_t base = header->sections[FORMAT_RECORDS].offset;
	struct table t;

	if (header->sections[FORMAT_METADATA].size == 0)
		return;
	table_begin(&t, out, header, FORMAT_METADATA);
	for (size_t i = 0; i < all_count(h); i++) {
		const struct harvested *f = file_at(h, i);
		struct catalog_entry entry = {0, 0, 0, 0};

		if (f->said_size)
			entry = (struct catalog_entry){base + f->at + f->size,
						       f->said_checksum,
						       f->said_size, 0};
		table_element(&t, &entry, sizeof(entry));
	}
	table_end(&t);
}

static void write_early(const struct harvest *h,
			const struct catalog_header *header, struct output *out)
{
	struct catalog_early early = {0, 0};
	struct table t;

	if (header->sections[FORMAT_EARLY].size == 0)
		return;
	table_begin(&t, out, header, FORMAT_EARLY);
	for (size_t i = 0; i < h->good_count; i++) {
		early.index = (uint32_t)i + 1;
		if (h->good[i].early)
			table_element(&t, &early, sizeof(early));
	}
	early.index = 0;
	table_element(&t, &early, sizeof(early));
	table_end(&t);
}

/* A record that was added, malloc'd; NULL, with errno: it cannot be read. */
static struct record *read_back(struct harvest *h, size_t i)
{
	const struct harvested *f = file_at(h, i);
	_cleanup_free_ struct record *r = malloc(f->size);

	errno = ENOMEM;
	if (!r)
		return NULL;
	errno = EIO;
	return spool_read(&h->spool, f->at, r, f->size) < 0 ? NULL
							    : TAKE_PTR(r);
}

/* Whether two files whose names have one hash have one name. */
static bool is_same_name(struct harvest *h, size_t i, size_t k,
			 struct output *out)
{
	_cleanup_free_ struct record *a = read_back(h, i);
	_cleanup_free_ struct record *b = a ? read_back(h, k) : NULL;

	if (!b) {
		output_fail(out, errno);
		return false;
	}
	return !strcmp(record_name(a), record_name(b));
}

/*
 * Enters a name, unless it is there: a bad record is not found by a name that
 * a good one has, even if the good one's bucket were damaged.
 */
static void enter_name(struct harvest *h, struct catalog_bucket *buckets,
		       uint32_t mask, size_t index, struct output *out)
{
	uint64_t hash = file_at(h, index)->name_hash;
	uint32_t i = (uint32_t)hash & mask;

	for (; buckets[i].index; i = (i + 1) & mask) {
		size_t other = buckets[i].index - 1;

		if (file_at(h, other)->name_hash == hash &&
		    is_same_name(h, other, index, out))
			return;
	}
	buckets[i] = (struct catalog_bucket){(uint32_t)(hash >> 32),
					     (uint32_t)index + 1};
}

static void write_buckets(struct harvest *h,
			  const struct catalog_header *header,
			  struct output *out)
{
	_cleanup_free_ struct catalog_bucket *buckets =
		calloc(header->buckets, sizeof(*buckets));
	struct table t;

	if (!buckets) {
		output_fail(out, ENOMEM);
		return;
	}
	for (size_t i = 0; i < all_count(h); i++)
		enter_name(h, buckets, header->buckets - 1, i, out);
	table_begin(&t, out, header, FORMAT_BUCKETS);
	for (size_t i = 0; i < header->buckets; i++)
		table_element(&t, &buckets[i], sizeof(buckets[i]));
	table_end(&t);
}

#define PIECE 16384u

static void copy_spool(struct spool *spool, struct output *out)
{
	uint8_t piece[PIECE];

	for (uint64_t at = 0; at < spool->size && !out->error; at += PIECE) {
		uint64_t left = spool->size - at;
		size_t n = left < PIECE ? (size_t)left : PIECE;

		if (spool_read(spool, at, piece, n) < 0)
			output_fail(out, EIO);
		else
			output_bytes(out, piece, n);
	}
}

/* All sections, in the order in which they were laid out. */
static bool write_all(struct harvest *h, const struct catalog_header *header,
		      struct output *out)
{
	output_bytes(out, header, sizeof(*header));
	write_entries(h, header, out);
	write_buckets(h, header, out);
	copy_spool(&h->spool, out);
	write_metadata(h, header, out);
	id_index_write(&h->ids, &h->spool, header, out);
	write_early(h, header, out);
	return output_end(out);
}

int catalog_encode(struct harvest *h, const struct catalog_facts *facts,
		   void **ret_data, size_t *ret_size)
{
	id_index_finish(&h->ids, h->good_count);
	struct catalog_header header = lay_out(h, facts);
	_cleanup_free_ void *data =
		header.size <= SIZE_MAX ? malloc(header.size) : NULL;
	struct output out = output_begin(-1, data, header.size);

	if (!data)
		return status_fail(DLAZY_ENOMEM, "no memory for a catalog");
	if (!write_all(h, &header, &out))
		return status_fail(status_from_errno(errno),
				   "cannot make a catalog: %s",
				   strerror(errno));
	*ret_data = TAKE_PTR(data);
	*ret_size = header.size;
	return 0;
}

/* A catalog, on its way into a file. */
struct filling {
	struct harvest *harvest;
	const struct catalog_header *header;
	uint8_t waiting[PIECE];
};

static bool fill_file(int fd, void *data)
{
	struct filling *f = data;
	struct output out = output_begin(fd, f->waiting, sizeof(f->waiting));

	return write_all(f->harvest, f->header, &out);
}

int catalog_write(struct harvest *h, const struct catalog_facts *facts,
		  int dirfd, const char *file, mode_t mode)
{
	id_index_finish(&h->ids, h->good_count);
	struct catalog_header header = lay_out(h, facts);
	struct filling filling = {.harvest = h, .header = &header};

	return file_replace_by(dirfd, file, fill_file, &filling, mode);
}
