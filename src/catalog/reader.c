/* SPDX-License-Identifier: MIT */
/*
 * Of each section a window of blocks is in memory, checked as it is read. A walk
 * reads windows one after the other, a look-up only a few blocks at its place.
 * The descriptor could be closed by a host that closes all that it does not know,
 * and be another file then: each read makes sure that it is not.
 */
#include "catalog/reader.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/status.h"
#include "catalog/format.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Blocks read at once, in a walk, and by a look-up; of keys, which are scattered. */
#define WALK_BLOCKS 32u
#define LOOK_BLOCKS 4u
#define KEY_BLOCKS 1u

/* Consecutive blocks of a section. */
struct window {
	uint8_t *data;
	uint64_t first;
	size_t count;
};

/* Room that grows. */
struct room {
	void *data;
	size_t size;
};

struct catalog_reader {
	struct catalog *memory; /* held; NULL: of a file */
	struct catalog_header header;
	struct file_identity identity;
	int fd;
	struct window windows[FORMAT_SECTIONS];
	struct room id, opener, metadata, record;
};

int reader_open(struct catalog *c, struct catalog_reader **ret)
{
	struct catalog_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return status_fail(DLAZY_ENOMEM, "no memory to read a catalog");
	*r = (struct catalog_reader){.header = *catalog_header(c),
				     .identity = catalog_identity(c),
				     .fd = -1};
	int status = 0;
	if (catalog_path(c))
		status = catalog_open_again(c, &r->fd);
	else
		r->memory = catalog_hold(c);
	if (status < 0) {
		reader_close(r);
		return status;
	}
	*ret = r;
	return 0;
}

/* Whether its descriptor is the catalog's still. */
static bool is_held(const struct catalog_reader *r)
{
	struct stat st;

	return fstat(r->fd, &st) == 0 &&
	       (uint64_t)st.st_dev == r->identity.dev &&
	       (uint64_t)st.st_ino == r->identity.ino;
}

void reader_close(struct catalog_reader *r)
{
	if (!r)
		return;
	catalog_close(r->memory);
	if (r->fd >= 0 && is_held(r))
		close(r->fd);
	for (size_t i = 0; i < FORMAT_SECTIONS; i++)
		free(r->windows[i].data);
	free(r->id.data);
	free(r->opener.data);
	free(r->metadata.data);
	free(r->record.data);
	free(r);
}

size_t reader_count(const struct catalog_reader *r)
{
	return r->header.count;
}

size_t reader_bad_count(const struct catalog_reader *r)
{
	return r->header.bad;
}

uint64_t reader_placed_ns(const struct catalog_reader *r)
{
	return r->identity.ctime_ns;
}

bool reader_is_portable(const struct catalog_reader *r)
{
	return r->header.flags & FORMAT_PORTABLE;
}

/* ------------------------------------------------------------------ */
/* Bytes                                                              */

static int fail_damaged(void)
{
	return status_fail(DLAZY_EFORMAT, "damaged catalog");
}

static int make_room(struct room *room, size_t size)
{
	if (size <= room->size)
		return 0;
	void *data = realloc(room->data, size);
	if (!data)
		return status_fail(DLAZY_ENOMEM, "no memory to read a catalog");
	room->data = data;
	room->size = size;
	return 0;
}

static int read_bytes(const struct catalog_reader *r, uint64_t offset, void *to,
		      size_t size)
{
	if (r->memory) {
		memcpy(to, catalog_bytes(r->memory) + offset, size);
		return 0;
	}
	if (!is_held(r))
		return status_fail(DLAZY_EIO, "the catalog's descriptor was "
					      "closed by somebody else");
	if (file_read_at(r->fd, offset, to, size))
		return 0;
	return status_fail(errno ? status_from_errno(errno) : DLAZY_EFORMAT,
			   "cannot read a catalog: %s",
			   errno ? strerror(errno) : "it was cut");
}

static uint64_t block_count(const struct catalog_reader *r,
			    enum format_section section)
{
	return r->header.sections[section].size / FORMAT_BLOCK;
}

static int check_blocks(const struct catalog_reader *r,
			enum format_section section, const struct window *w)
{
	for (size_t i = 0; i < w->count; i++) {
		const uint8_t *block = w->data + i * FORMAT_BLOCK;
		uint64_t sum;

		memcpy(&sum, block + FORMAT_BLOCK_ROOM, sizeof(sum));
		if (sum != format_block_checksum(&r->header, section,
						 w->first + i, block))
			return fail_damaged();
	}
	return 0;
}

static uint64_t blocks_at_once(enum format_section section, bool walk)
{
	if (section == FORMAT_KEYS || section == FORMAT_KEY_STARTS)
		return KEY_BLOCKS;
	return walk ? WALK_BLOCKS : LOOK_BLOCKS;
}

static int move_window(struct catalog_reader *r, enum format_section section,
		       uint64_t block)
{
	struct window *w = &r->windows[section];
	uint64_t left = block_count(r, section) - block;
	bool walk = w->data && block == w->first + w->count;
	uint64_t n = blocks_at_once(section, walk);

	if (!w->data)
		w->data = malloc((size_t)WALK_BLOCKS * FORMAT_BLOCK);
	if (!w->data)
		return status_fail(DLAZY_ENOMEM, "no memory to read a catalog");
	w->first = block;
	w->count = 0;
	n = n < left ? n : left;
	int status = read_bytes(
		r, r->header.sections[section].offset + block * FORMAT_BLOCK,
		w->data, (size_t)n * FORMAT_BLOCK);
	if (status < 0)
		return status;
	w->count = (size_t)n;
	status = check_blocks(r, section, w);
	if (status < 0)
		w->count = 0;
	return status;
}

/* The contents of one block of a table; NULL, with message, or without: there are
 * not so many. */
static const uint8_t *want_block(struct catalog_reader *r,
				 enum format_section section, uint64_t block)
{
	struct window *w = &r->windows[section];

	if (block >= block_count(r, section))
		return NULL;
	if ((!w->count || block < w->first || block >= w->first + w->count) &&
	    move_window(r, section, block) < 0)
		return NULL;
	return w->data + (block - w->first) * FORMAT_BLOCK;
}

/* One element of a table. */
static int read_element(struct catalog_reader *r, enum format_section section,
			uint64_t i, void *to, size_t each)
{
	uint64_t at = format_table_at(i, each);

	status_clear();
	const uint8_t *block = want_block(r, section, at / FORMAT_BLOCK);
	if (!block)
		return status_is_pending() ? status_last() : 0;
	memcpy(to, block + at % FORMAT_BLOCK, each);
	return 1;
}

/* Bytes of a table of bytes or words. 1, or 0: it has not got them. */
static int read_contents(struct catalog_reader *r, enum format_section section,
			 uint64_t at, void *to, size_t size)
{
	uint8_t *next = to;

	status_clear();
	while (size) {
		size_t in = at % FORMAT_BLOCK_ROOM;
		size_t n = FORMAT_BLOCK_ROOM - in;
		const uint8_t *block =
			want_block(r, section, at / FORMAT_BLOCK_ROOM);

		if (!block)
			return status_is_pending() ? status_last() : 0;
		n = n < size ? n : size;
		memcpy(next, block + in, n);
		next += n;
		at += n;
		size -= n;
	}
	return 1;
}

/* ------------------------------------------------------------------ */
/* Ids                                                                */

/* 0: there are not so many. */
static int read_id(struct catalog_reader *r, uint64_t i, struct catalog_id *ret)
{
	int status = read_element(r, FORMAT_IDS, i, ret, sizeof(*ret));

	return status > 0 && ret->length == 0 ? 0 : status;
}

static int read_string(struct catalog_reader *r, const struct catalog_id *id)
{
	size_t size = (size_t)id->length + 1;

	if (size > r->header.sections[FORMAT_STRINGS].size)
		return fail_damaged();
	int status = make_room(&r->id, size);
	if (status == 0)
		status = read_contents(r, FORMAT_STRINGS, id->string,
				       r->id.data, size);
	if (status < 0)
		return status;
	((char *)r->id.data)[size - 1] = '\0';
	return status ? 1 : fail_damaged();
}

int reader_id(struct catalog_reader *r, size_t i, struct reader_id *ret)
{
	struct catalog_id id;
	int status = read_id(r, i, &id);

	if (status > 0)
		status = read_string(r, &id);
	if (status > 0)
		*ret = (struct reader_id){r->id.data, id.plugin, id.provided,
					  id.rank};
	return status;
}

/* How many buckets there are: see FORMAT_ID_BUCKETS_LEAST. */
static uint64_t id_bucket_count(const struct catalog_reader *r)
{
	uint64_t size = r->header.sections[FORMAT_ID_BUCKETS].size;
	uint64_t n = FORMAT_ID_BUCKETS_LEAST;

	while (format_table_size(n, sizeof(struct catalog_bucket)) < size)
		n *= 2;
	return size ? n : 0;
}

int reader_find_id(struct catalog_reader *r, const char *id, size_t *ret)
{
	uint64_t hash = hash_string(id), n = id_bucket_count(r);
	struct catalog_bucket b;
	struct reader_id found;

	for (uint64_t i = 0; i < n; i++) {
		int status = read_element(r, FORMAT_ID_BUCKETS,
					  (uint32_t)(hash + i) & (n - 1), &b,
					  sizeof(b));

		if (status <= 0)
			return status ? status : fail_damaged();
		if (b.index == 0)
			return 0;
		if (b.hash != (uint32_t)(hash >> 32))
			continue;
		status = reader_id(r, b.index - 1, &found);
		if (status < 0)
			return status;
		*ret = b.index - 1;
		if (status > 0 && !strcmp(found.id, id))
			return 1;
	}
	return 0;
}

int reader_seek_id(struct catalog_reader *r, const char *prefix, size_t size,
		   size_t *ret)
{
	size_t per = FORMAT_BLOCK_ROOM / sizeof(struct catalog_id);
	size_t low = 0, high = (size_t)block_count(r, FORMAT_IDS) * per;
	struct reader_id id;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int status = reader_id(r, middle, &id);

		if (status < 0)
			return status;
		if (status > 0 && strncmp(id.id, prefix, size) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret = low;
	return 0;
}

/* ------------------------------------------------------------------ */
/* Keys and openers                                                   */

int reader_key(struct catalog_reader *r, size_t i, struct catalog_key *ret)
{
	return i < r->header.keys
		       ? read_element(r, FORMAT_KEYS, i, ret, sizeof(*ret))
		       : 0;
}

int reader_seek_key(struct catalog_reader *r, uint32_t hash, size_t *ret)
{
	uint32_t start = r->header.keys;
	struct catalog_key key = {0, 0};
	int status = 0;

	if (start > 0)
		status = read_element(r, FORMAT_KEY_STARTS,
				      format_key_start(start, hash), &start,
				      sizeof(start));
	if (status < 0)
		return status;
	for (*ret = start; (status = reader_key(r, *ret, &key)) > 0; ++*ret)
		if (key.hash >= hash)
			break;
	return status < 0 ? status : 0;
}

int reader_opener(struct catalog_reader *r, uint64_t *at,
		  struct reader_opener *ret)
{
	struct catalog_opener head;
	uint64_t all = r->header.sections[FORMAT_OPENERS].size;

	if (all == 0)
		return 0;
	int status = read_contents(r, FORMAT_OPENERS, *at, &head, 8);
	if (status <= 0 || head.size == 0)
		return status < 0 ? status : 0;
	if (head.size < sizeof(head) || head.size > all)
		return fail_damaged();
	status = make_room(&r->opener, head.size);
	if (status == 0)
		status = read_contents(r, FORMAT_OPENERS, *at, r->opener.data,
				       head.size);
	if (status <= 0)
		return status ? status : fail_damaged();
	memcpy(&head, r->opener.data, sizeof(head));
	*at += head.size;
	*ret = (struct reader_opener){head.plugin, head.provided, head.rank,
				      r->opener.data};
	return 1;
}

bool reader_matcher(const struct reader_opener *opener, size_t k,
		    struct metadata_matcher *ret)
{
	const struct catalog_opener *head = opener->head;

	return metadata_pattern(head, head->size, head->matchers, k, ret);
}

/* ------------------------------------------------------------------ */
/* Records and metadata                                               */

/* A block of the records' section. 1, or 0: there is none. */
static int read_block(struct catalog_reader *r, enum format_section table,
		      size_t index, struct room *room,
		      struct catalog_entry *entry)
{
	const struct catalog_section *all = &r->header.sections[FORMAT_RECORDS];
	int status = 0;

	if (index < (uint64_t)r->header.count + r->header.bad)
		status = read_element(r, table, index, entry, sizeof(*entry));
	if (status <= 0 || entry->size == 0)
		return status < 0 ? status : 0;
	if (entry->offset < all->offset ||
	    !range_within(entry->offset - all->offset, entry->size, all->size))
		return fail_damaged();
	status = make_room(room, entry->size);
	if (status == 0)
		status = read_bytes(r, entry->offset, room->data, entry->size);
	return status < 0 ? status : 1;
}

int reader_metadata(struct catalog_reader *r, size_t index,
		    const struct catalog_metadata **ret)
{
	struct catalog_entry entry;
	int status =
		read_block(r, FORMAT_METADATA, index, &r->metadata, &entry);

	if (status <= 0)
		return status;
	*ret = metadata_check(r->metadata.data, entry.size);
	if (!*ret || (*ret)->checksum != entry.checksum ||
	    !catalog_is_plain_name(metadata_name(*ret)) ||
	    !catalog_is_plain_name(metadata_file(*ret)))
		return fail_damaged();
	return 1;
}

int reader_record(struct catalog_reader *r, size_t index,
		  const struct record **ret)
{
	struct catalog_entry entry;
	int status = read_block(r, FORMAT_ENTRIES, index, &r->record, &entry);

	if (status <= 0)
		return status;
	*ret = record_check(r->record.data, entry.size);
	if (!*ret || (*ret)->checksum != entry.checksum ||
	    !catalog_is_plain_name(record_name(*ret)) ||
	    !catalog_is_plain_name(record_file(*ret)))
		return fail_damaged();
	return 1;
}

int reader_has_name(struct catalog_reader *r, const char *name)
{
	uint64_t hash = hash_string(name);
	uint32_t mask = r->header.buckets - 1;
	const struct record *record;
	struct catalog_bucket b;

	for (uint32_t i = 0; i <= mask; i++) {
		int status = read_element(r, FORMAT_BUCKETS,
					  ((uint32_t)hash + i) & mask, &b,
					  sizeof(b));

		if (status < 0 || b.index == 0)
			return status < 0 ? status : 0;
		if (b.hash != (uint32_t)(hash >> 32) ||
		    b.index > r->header.count)
			continue;
		status = reader_record(r, b.index - 1, &record);
		if (status < 0)
			return status;
		if (status > 0 && !strcmp(record_name(record), name))
			return 1;
	}
	return 0;
}
