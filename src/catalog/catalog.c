/* SPDX-License-Identifier: MIT */
/*
 * Finding and reading catalogs, and deciding whether one is fresh
 * (catalog_is_fresh()). Opening looks at the header alone. Everything behind
 * it is read and checked where it is used: each block of a table, and each
 * record, against its checksum, once, which a bitmap remembers. All of it is
 * in memory of our own by then (bytes.h). The bitmap is made at the first use;
 * if there is no memory for it, things are checked twice.
 */
#include "catalog/catalog.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/status.h"
#include "catalog/bytes.h"
#include "catalog/format.h"
#include "catalog/keys.h"
#include "catalog/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

/* A portable catalog was put into its directory, and touched right afterwards:
 * so long may that have taken. */
#define PLACED_NS 5000000000u

struct catalog {
	_Atomic unsigned users; /* besides the first */
	struct catalog_header header;
	struct bytes bytes;
	uint64_t ctime_ns;	/* of the catalog file; 0: in memory */
	unsigned long *checked; /* a bit for each sound record and block */
	struct catalog *next;	/* of those that are kept */
};

static _Atomic(struct catalog *) kept_catalogs;

static bool is_ours(const struct catalog_header *h)
{
	struct catalog_header own;

	format_header_begin(&own);
	return memcmp(h, &own, offsetof(struct catalog_header, size)) == 0;
}

static bool has_table(const struct catalog_header *h,
		      enum format_section section, uint64_t count, size_t each)
{
	return h->sections[section].size == format_table_size(count, each);
}

static bool is_laid_out(const struct catalog_header *h)
{
	uint64_t all = (uint64_t)h->count + h->bad;

	for (size_t i = 0; i < FORMAT_SECTIONS; i++)
		if (h->sections[i].offset % FORMAT_ALIGN ||
		    !range_within(h->sections[i].offset, h->sections[i].size,
				  h->size))
			return false;
	return has_table(h, FORMAT_ENTRIES, all,
			 sizeof(struct catalog_entry)) &&
	       has_table(h, FORMAT_BUCKETS, h->buckets,
			 sizeof(struct catalog_bucket)) &&
	       has_table(h, FORMAT_KEYS, h->keys, sizeof(struct catalog_key)) &&
	       has_table(h, FORMAT_KEY_STARTS, format_key_starts(h->keys),
			 sizeof(uint32_t)) &&
	       h->buckets > all && (h->buckets & (h->buckets - 1)) == 0;
}

static int check_header(const struct catalog_header *h, uint64_t size,
			const char *name)
{
	if (size < sizeof(*h) || !is_ours(h))
		return status_fail(DLAZY_EFORMAT,
				   "%s: not a catalog of this version and "
				   "machine",
				   name);
	if (h->checksum != format_header_checksum(h) || h->size != size ||
	    !is_laid_out(h))
		return status_fail(DLAZY_EFORMAT, "%s: damaged catalog", name);
	if (!(h->flags & FORMAT_INDEXED))
		return status_fail(DLAZY_EFORMAT,
				   "%s: written before catalogs had ids", name);
	return 0;
}

void catalog_close(struct catalog *c)
{
	if (!c || atomic_fetch_sub(&c->users, 1) > 0)
		return;
	bytes_end(&c->bytes);
	free(c->checked);
	free(c);
}

void catalog_keep(struct catalog *c)
{
	if (!c)
		return;
	c->next = atomic_load(&kept_catalogs);
	while (!atomic_compare_exchange_weak(&kept_catalogs, &c->next, c))
		;
}

/* The header of an open file. */
static int read_header(int fd, uint64_t size, const char *name,
		       struct catalog_header *ret)
{
	if (size < sizeof(*ret))
		return check_header(ret, 0, name);
	if (!file_read_at(fd, 0, ret, sizeof(*ret)))
		return status_fail(errno ? status_from_errno(errno)
					 : DLAZY_EFORMAT,
				   "%s: cannot read: %s", name,
				   errno ? strerror(errno) : "it was cut");
	return check_header(ret, size, name);
}

/* What to open it by again. */
static int begin_bytes(struct catalog *c, const char *dir, const char *file,
		       const struct file_identity *identity)
{
	_cleanup_free_ char *path = NULL;

	if (!dir)
		return bytes_begin(&c->bytes, file, identity);
	if (asprintf(&path, "%s/%s", dir, file) < 0) {
		path = NULL;
		return status_no_memory(dir);
	}
	return bytes_begin(&c->bytes, path, identity);
}

int catalog_open_file(int dirfd, const char *dir, const char *file,
		      struct catalog **ret)
{
	_cleanup_catalog_ struct catalog *c = NULL;
	_cleanup_close_ int fd = -1;
	struct stat st;
	int status = trust_open(dirfd, file, dir != NULL, &fd, &st);

	if (status < 0)
		return status;
	c = calloc(1, sizeof(*c));
	if (!c)
		return status_no_memory(file);
	struct file_identity identity = file_identity_of(&st);
	c->ctime_ns = identity.ctime_ns;
	status = read_header(fd, identity.size, file, &c->header);
	if (status == 0)
		status = begin_bytes(c, dir, file, &identity);
	if (status == 0)
		*ret = TAKE_PTR(c);
	return status;
}

int catalog_open_memory(void *data, size_t size, struct catalog **ret)
{
	_cleanup_catalog_ struct catalog *c = calloc(1, sizeof(*c));

	if (!c) {
		free(data);
		return status_fail(DLAZY_ENOMEM, "no memory for a catalog");
	}
	bytes_take(&c->bytes, data, size);
	if (size >= sizeof(c->header))
		memcpy(&c->header, data, sizeof(c->header));
	int status = check_header(&c->header, size, "catalog in memory");
	if (status == 0)
		*ret = TAKE_PTR(c);
	return status;
}

/* The catalog file, if it is of the sort that belongs in its place, and fresh.
 * place: the directory, if it is in it; else NULL. */
static int open_fresh(int dirfd, const char *place, const char *file,
		      struct catalog **ret)
{
	_cleanup_catalog_ struct catalog *c = NULL;
	int status =
		catalog_open_file(place ? dirfd : AT_FDCWD, place, file, &c);

	if (status < 0)
		return status;
	if (catalog_is_portable(c) != (place != NULL) ||
	    !catalog_is_fresh(c, dirfd))
		return status_fail(DLAZY_ENOENT,
				   "%s: the directory has changed since, or "
				   "may have",
				   file);
	*ret = TAKE_PTR(c);
	return 0;
}

int catalog_open(int dirfd, const char *dir, struct catalog **ret)
{
	int system = open_fresh(dirfd, dir, CATALOG_FILE, ret);

	if (system == 0)
		return 0;
	if (system != -DLAZY_ENOENT)
		status_prefix("%s", dir);
	_cleanup_free_ char *path = catalog_user_path(dir);
	if (!path)
		return system;
	char why[STATUS_MESSAGE_MAX];
	strcpy(why, status_message());
	int user = open_fresh(dirfd, NULL, path, ret);
	/* Of two that are not there, or not as they should be, the shipped one
	 * is the one to speak of, if there is anything to say. */
	if (user == -DLAZY_ENOENT && system != -DLAZY_ENOENT)
		return status_fail(-system, "%s", why);
	return user;
}

const struct catalog_header *catalog_header(const struct catalog *c)
{
	return &c->header;
}

const char *catalog_path(const struct catalog *c)
{
	return c->bytes.path;
}

const uint8_t *catalog_bytes(const struct catalog *c)
{
	return c->bytes.data;
}

struct catalog *catalog_hold(struct catalog *c)
{
	atomic_fetch_add(&c->users, 1);
	return c;
}

int catalog_open_again(const struct catalog *c, int *ret_fd)
{
	return bytes_open_again(&c->bytes, ret_fd);
}

bool catalog_is_portable(const struct catalog *c)
{
	return c->header.flags & FORMAT_PORTABLE;
}

struct file_identity catalog_identity(const struct catalog *c)
{
	return c->bytes.path ? c->bytes.identity : (struct file_identity){0};
}

/*
 * A portable catalog is part of the directory: putting it there changed both,
 * and whatever changed the directory later left it younger. But if the clock has
 * been set back since, later is earlier: then the directory is much older than
 * the catalog, or the catalog is from the future. Where times are whole seconds,
 * what is of one second cannot be told apart.
 */
static bool is_fresh_portable(const struct catalog *c,
			      const struct file_identity *now)
{
	uint64_t placed = c->ctime_ns, changed = now->ctime_ns;

	if (placed > clock_ns(CLOCK_REALTIME) || now->mtime_ns > placed ||
	    changed > placed || placed - changed > PLACED_NS)
		return false;
	return file_has_fine_time(placed) || file_time_is_past(changed, placed);
}

/*
 * Any other knows the directory by identity; of its times ctime alone tells when
 * it changed, as mtime can be set. The scan must have begun when that was past;
 * and not in the future, as changes since may have any time then.
 */
bool catalog_is_fresh(const struct catalog *c, int dirfd)
{
	const struct catalog_header *h = &c->header;
	struct stat st;

	if (fstat(dirfd, &st) < 0)
		return false;
	struct file_identity now = file_identity_of(&st);
	if (catalog_is_portable(c))
		return is_fresh_portable(c, &now);
	now.size = 0;
	return file_identity_equal(&now, &h->directory) &&
	       file_time_is_past(now.ctime_ns, h->scan_start_ns) &&
	       h->scan_start_ns <= clock_ns(CLOCK_REALTIME);
}

size_t catalog_count(const struct catalog *c)
{
	return c->header.count;
}

size_t catalog_bad_count(const struct catalog *c)
{
	return c->header.bad;
}

#define WORD_BITS (sizeof(unsigned long) * CHAR_BIT)

static uint64_t block_count(const struct catalog *c,
			    enum format_section section)
{
	return c->header.sections[section].size / FORMAT_BLOCK;
}

static uint64_t all_count(const struct catalog *c)
{
	return (uint64_t)c->header.count + c->header.bad;
}

/* The tables that are read here, in the order of their blocks in the bitmap. */
static const enum format_section tables[] = {
	FORMAT_ENTRIES, FORMAT_BUCKETS, FORMAT_METADATA,
	FORMAT_EARLY,	FORMAT_KEYS,	FORMAT_KEY_STARTS,
};

/* Where in the bitmap a table's blocks begin; FORMAT_SECTIONS: where all end. */
static uint64_t table_bit(const struct catalog *c, enum format_section section)
{
	uint64_t bit = 2 * all_count(c);

	for (size_t i = 0; i < ARRAY_SIZE(tables) && tables[i] != section; i++)
		bit += block_count(c, tables[i]);
	return bit;
}

/* The bitmap's word for a bit: records first, then their metadata, then blocks of
 * tables. NULL: no memory. */
static unsigned long *checked_word(struct catalog *c, uint64_t bit)
{
	if (!c->checked) {
		uint64_t all = table_bit(c, FORMAT_SECTIONS);

		c->checked = calloc(all / WORD_BITS + 1, sizeof(*c->checked));
	}
	return c->checked ? c->checked + bit / WORD_BITS : NULL;
}

static bool is_checked(struct catalog *c, uint64_t bit)
{
	const unsigned long *word = checked_word(c, bit);

	return word && (*word & 1ul << bit % WORD_BITS);
}

static void set_checked(struct catalog *c, uint64_t bit)
{
	unsigned long *word = checked_word(c, bit);

	if (word)
		*word |= 1ul << bit % WORD_BITS;
}

void catalog_hold_file(struct catalog *c)
{
	bytes_hold(&c->bytes);
}

void catalog_forget(struct catalog *c)
{
	if (!bytes_forget(&c->bytes))
		return;
	free(c->checked);
	c->checked = NULL;
}

static int damaged(const struct catalog *c)
{
	return status_fail(DLAZY_EFORMAT, "%s: damaged catalog",
			   c->bytes.path ? c->bytes.path : "in memory");
}

/* An element of a table; NULL, with message: it cannot be read, or is damaged. */
static const void *table_at(struct catalog *c, enum format_section section,
			    uint64_t i, size_t each)
{
	const struct catalog_header *h = &c->header;
	uint64_t at = format_table_at(i, each), block = at / FORMAT_BLOCK;
	uint64_t bit = table_bit(c, section) + block;
	uint64_t offset = h->sections[section].offset + block * FORMAT_BLOCK;
	uint64_t sum;

	if (!is_checked(c, bit)) {
		if (bytes_want(&c->bytes, offset, FORMAT_BLOCK) < 0)
			return NULL;
		memcpy(&sum, c->bytes.data + offset + FORMAT_BLOCK_ROOM,
		       sizeof(sum));
		if (sum != format_block_checksum(h, section, block,
						 c->bytes.data + offset)) {
			damaged(c);
			return NULL;
		}
		set_checked(c, bit);
	}
	return c->bytes.data + h->sections[section].offset + at;
}

/* Names are joined to the directory: they must not lead out of it. */
bool catalog_is_plain_name(const char *name)
{
	return name[0] != '\0' && !strchr(name, '/') && strcmp(name, ".") &&
	       strcmp(name, "..");
}

/* The bytes of a record, or of metadata; NULL, with message. */
static const void *want_block(struct catalog *c,
			      const struct catalog_entry *entry)
{
	const struct catalog_section *all = &c->header.sections[FORMAT_RECORDS];

	if (entry->offset < all->offset ||
	    !range_within(entry->offset - all->offset, entry->size,
			  all->size)) {
		damaged(c);
		return NULL;
	}
	if (bytes_want(&c->bytes, entry->offset, entry->size) < 0)
		return NULL;
	return c->bytes.data + entry->offset;
}

static const struct record *check_record(struct catalog *c,
					 const struct catalog_entry *entry)
{
	const void *block = want_block(c, entry);

	if (!block)
		return NULL;
	const struct record *r = record_check(block, entry->size);
	if (r && r->checksum == entry->checksum &&
	    catalog_is_plain_name(record_name(r)) &&
	    catalog_is_plain_name(record_file(r)))
		return r;
	damaged(c);
	return NULL;
}

const struct record *catalog_record(struct catalog *c, size_t index)
{
	if (index >= (size_t)c->header.count + c->header.bad)
		return NULL;
	const struct catalog_entry *entry =
		table_at(c, FORMAT_ENTRIES, index, sizeof(*entry));
	if (!entry)
		return NULL;
	if (is_checked(c, index))
		return (const struct record *)(c->bytes.data + entry->offset);
	const struct record *r = check_record(c, entry);
	if (r)
		set_checked(c, index);
	return r;
}

bool catalog_was_probed(const struct catalog *c)
{
	return c->header.flags & FORMAT_PROBED;
}

static bool has_metadata(const struct catalog *c)
{
	return has_table(&c->header, FORMAT_METADATA, all_count(c),
			 sizeof(struct catalog_entry));
}

int catalog_metadata(struct catalog *c, size_t index,
		     const struct catalog_metadata **ret)
{
	*ret = NULL;
	if (index >= all_count(c) ||
	    c->header.sections[FORMAT_METADATA].size == 0)
		return 0;
	if (!has_metadata(c))
		return damaged(c);
	const struct catalog_entry *entry =
		table_at(c, FORMAT_METADATA, index, sizeof(*entry));
	if (!entry)
		return status_last();
	if (entry->size == 0)
		return 0;
	const void *block = want_block(c, entry);
	if (!block)
		return status_last();
	bool sound = is_checked(c, all_count(c) + index);
	const struct catalog_metadata *m =
		sound ? block : metadata_check(block, entry->size);
	if (!m || m->checksum != entry->checksum ||
	    !catalog_is_plain_name(metadata_name(m)) ||
	    !catalog_is_plain_name(metadata_file(m)))
		return damaged(c);
	set_checked(c, all_count(c) + index);
	*ret = m;
	return 0;
}

bool catalog_has_early(const struct catalog *c)
{
	return c->header.sections[FORMAT_EARLY].size > 0;
}

int catalog_early(struct catalog *c, size_t i, size_t *ret_index)
{
	const size_t each = sizeof(struct catalog_early);

	if (i >= block_count(c, FORMAT_EARLY) * (FORMAT_BLOCK_ROOM / each))
		return 0;
	const struct catalog_early *early = table_at(c, FORMAT_EARLY, i, each);
	if (!early)
		return status_last();
	if (early->index > c->header.count)
		return damaged(c);
	*ret_index = early->index - 1;
	return early->index > 0;
}

const struct record *catalog_find(struct catalog *c, const char *name,
				  size_t *ret_index, bool *ret_unknown)
{
	uint64_t hash = hash_string(name);
	uint32_t mask = c->header.buckets - 1;
	bool unknown = false;
	const struct record *found = NULL;

	for (uint32_t i = 0; i <= mask && !found; i++) {
		const struct catalog_bucket *b =
			table_at(c, FORMAT_BUCKETS, ((uint32_t)hash + i) & mask,
				 sizeof(*b));
		unknown |= !b;
		if (!b || b->index == 0)
			break;
		if (b->hash != (uint32_t)(hash >> 32))
			continue;
		const struct record *r = catalog_record(c, b->index - 1);
		unknown |= !r;
		if (r && !strcmp(record_name(r), name)) {
			found = r;
			*ret_index = b->index - 1;
		}
	}
	if (ret_unknown)
		*ret_unknown = unknown && !found;
	return found;
}

/* 1 and the key at an index; 0: there are not so many; or, with message, as of
 * catalog_record(). */
static int read_key(struct catalog *c, uint64_t i, struct catalog_key *ret)
{
	const struct catalog_key *key;

	if (i >= c->header.keys)
		return 0;
	key = table_at(c, FORMAT_KEYS, i, sizeof(*key));
	if (!key)
		return status_last();
	*ret = *key;
	return 1;
}

/* The first key of a hash or a later one: 0 or, with message, as above. */
static int seek_key(struct catalog *c, uint32_t hash, uint64_t *ret)
{
	uint32_t keys = c->header.keys;
	const uint32_t *start;
	struct catalog_key key = {0, 0};
	int status;

	*ret = 0;
	if (keys == 0)
		return 0;
	start = table_at(c, FORMAT_KEY_STARTS, format_key_start(keys, hash),
			 sizeof(*start));
	if (!start)
		return status_last();
	for (*ret = *start; (status = read_key(c, *ret, &key)) > 0; ++*ret)
		if (key.hash >= hash)
			break;
	return status < 0 ? status : 0;
}

int catalog_find_soname(struct catalog *c, const char *soname,
			size_t *ret_index)
{
	uint32_t hash = key_of_soname(soname);
	struct catalog_key key = {0, 0};
	uint64_t i;
	int status = seek_key(c, hash, &i);

	while (status == 0 && (status = read_key(c, i++, &key)) > 0) {
		if (key.hash != hash)
			return 0;
		const struct record *r = catalog_record(c, key.value);
		if (!r && key.value < all_count(c))
			return status_last();
		*ret_index = key.value;
		if (r && !strcmp(record_soname(r), soname))
			return 1;
		status = 0;
	}
	return status;
}

char *catalog_user_path(const char *dir)
{
	_cleanup_free_ char *cache = catalog_cache_dir();
	_cleanup_free_ char *plain = strdup(dir);
	char *path;

	if (!cache || !plain)
		return NULL;
	for (size_t n = strlen(plain); n > 1 && plain[n - 1] == '/'; n--)
		plain[n - 1] = '\0';
	/* A long name is cut: the hash tells directories apart. */
	if (asprintf(&path, "%s/%.100s-%016llx.catalog", cache,
		     file_base_name(plain),
		     (unsigned long long)hash_string(plain)) < 0)
		return NULL;
	return path;
}
