/* SPDX-License-Identifier: MIT */
/*
 * Looking a name up in /etc/ld.so.cache. The file is read whole, with a NUL
 * put behind it, and every offset in it is checked at use. The cache is sorted
 * by name, descending, in an order of its own that takes digits as numbers.
 * Like ld.so, the search trusts that order; in a file that is not sorted so,
 * it only misses names.
 *
 * Source of the format: glibc, sysdeps/generic/dl-cache.h.
 */
#include "elf/ldcache.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/status.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_MAX (64u << 20)

#define OLD_MAGIC "ld.so-1.7.0"
#define OLD_HEADER_SIZE 16 /* magic, a byte, number of entries */
#define OLD_ENTRY_SIZE 12

#define MAGIC "glibc-ld.so.cache1.1"

struct header {
	char magic[20];
	uint32_t count;
	uint32_t strings_size;
	uint8_t order; /* low two bits: 0 unknown, 2 little, 3 big endian */
	uint8_t pad[3];
	uint32_t extensions; /* offset in the file, or 0 */
	uint32_t unused[3];
};

struct entry {
	int32_t flags;
	uint32_t name; /* offset from the header */
	uint32_t path; /* the same */
	uint32_t os_version;
	uint64_t hwcap;
};

/* Low byte of an entry's flags: what kind of library. */
#define KIND(flags) ((flags)&0xff)
#define KIND_ELF 1
#define KIND_ELF_LIBC6 3

/* Such an entry's hwcap is an index in the list of names; other bits are the
 * legacy hwcaps. */
#define HWCAP_NAMED (UINT64_C(1) << 62)

#define EXTENSIONS_MAGIC 0xeaa42174u
#define EXTENSION_HWCAPS 1

struct extensions {
	uint32_t magic;
	uint32_t count;
};

struct extension {
	uint32_t tag;
	uint32_t flags;
	uint32_t offset; /* in the file */
	uint32_t size;
};

static bool take(const struct ldcache *cache, uint64_t offset, void *ret,
		 size_t size)
{
	if (!range_within(offset, size, cache->size))
		return false;
	memcpy(ret, cache->data + offset, size);
	return true;
}

static const char *string_at(const struct ldcache *cache, uint64_t offset)
{
	return offset < cache->size ? (const char *)cache->data + offset : NULL;
}

/* 0: as much as there is of it. */
static int read_whole(struct ldcache *cache, const char *file)
{
	_cleanup_close_ int fd = -1;
	struct file_identity identity;
	uint64_t now = file_now();
	int r = file_open(AT_FDCWD, file, &fd, &identity);

	if (r < 0 || identity.size > CACHE_MAX)
		return r;
	size_t size = (size_t)identity.size;
	_cleanup_free_ uint8_t *data = malloc(size + 1);
	if (!data)
		return status_no_memory(file);
	if (!file_read_at(fd, 0, data, size))
		return errno ? status_fail(status_from_errno(errno),
					   "%s: cannot read: %s", file,
					   strerror(errno))
			     : 0;
	data[size] = '\0';
	cache->data = TAKE_PTR(data);
	cache->size = size;
	if (file_time_is_past(identity.mtime_ns, now) &&
	    file_time_is_past(identity.ctime_ns, now))
		cache->identity = identity;
	return 0;
}

/* Behind the old format, if that comes first. */
static uint64_t find_start(const struct ldcache *cache)
{
	char magic[sizeof(OLD_MAGIC) - 1];
	uint32_t count;
	const uint64_t align = _Alignof(struct header) > _Alignof(struct entry)
				       ? _Alignof(struct header)
				       : _Alignof(struct entry);

	if (!take(cache, 0, magic, sizeof(magic)) ||
	    memcmp(magic, OLD_MAGIC, sizeof(magic)) != 0 ||
	    !take(cache, OLD_HEADER_SIZE - sizeof(count), &count,
		  sizeof(count)))
		return 0;
	return (OLD_HEADER_SIZE + (uint64_t)count * OLD_ENTRY_SIZE + align -
		1) /
	       align * align;
}

static bool is_native_order(uint8_t order)
{
	const uint16_t one = 1;
	uint8_t first;

	memcpy(&first, &one, 1);
	return (order & 3) == 0 || (order & 3) == (first ? 2 : 3);
}

static void read_extensions(struct ldcache *cache, uint64_t offset)
{
	struct extensions head;
	struct extension one;

	if (offset == 0 || !take(cache, offset, &head, sizeof(head)) ||
	    head.magic != EXTENSIONS_MAGIC)
		return;
	offset += sizeof(head);
	for (uint32_t i = 0; i < head.count; i++, offset += sizeof(one)) {
		if (!take(cache, offset, &one, sizeof(one)))
			return;
		if (one.tag != EXTENSION_HWCAPS ||
		    !range_within(one.offset, one.size, cache->size))
			continue;
		cache->hwcaps = one.offset;
		cache->hwcap_count = one.size / sizeof(uint32_t);
	}
}

static bool read_header(struct ldcache *cache)
{
	struct header header;
	uint64_t start = find_start(cache);

	if (!take(cache, start, &header, sizeof(header)) ||
	    memcmp(header.magic, MAGIC, sizeof(header.magic)) != 0 ||
	    !is_native_order(header.order) ||
	    !range_array_within(start + sizeof(header), header.count,
				sizeof(struct entry), cache->size))
		return false;
	cache->start = start;
	cache->count = header.count;
	read_extensions(cache, header.extensions);
	return true;
}

int ldcache_open(struct ldcache *cache, const char *file)
{
	*cache = (struct ldcache){0};
	int r = read_whole(cache, file);
	if (status_is_state(r))
		return r;
	if (r < 0)
		status_clear();
	if (!read_header(cache))
		ldcache_close(cache);
	return 0;
}

void ldcache_close(struct ldcache *cache)
{
	free(cache->data);
	*cache = (struct ldcache){0};
}

bool ldcache_is_fresh(const struct ldcache *cache, const char *file)
{
	struct file_identity identity;

	if (!cache->identity.ino)
		return false;
	if (file_identify(AT_FDCWD, file, &identity) == 0)
		return file_identity_equal(&identity, &cache->identity);
	status_clear();
	return false;
}

static uint64_t take_number(const char **at)
{
	uint64_t n = 0;

	while (isdigit((unsigned char)**at))
		n = n * 10 + (uint64_t)(*(*at)++ - '0');
	return n;
}

/* The order of the cache: as strcmp(), but digits are numbers, and a number
 * comes behind what is none. */
static int compare(const char *a, const char *b)
{
	while (*a) {
		bool digit_a = isdigit((unsigned char)*a);
		bool digit_b = isdigit((unsigned char)*b);

		if (digit_a != digit_b)
			return digit_a ? 1 : -1;
		if (digit_a) {
			uint64_t m = take_number(&a), n = take_number(&b);
			if (m != n)
				return m > n ? 1 : -1;
			continue;
		}
		if (*a != *b)
			return *a - *b;
		a++;
		b++;
	}
	return *a - *b;
}

static struct entry entry_at(const struct ldcache *cache, uint32_t i)
{
	struct entry entry;

	memcpy(&entry,
	       cache->data + cache->start + sizeof(struct header) +
		       (size_t)i * sizeof(entry),
	       sizeof(entry));
	return entry;
}

static int compare_at(const struct ldcache *cache, uint32_t i, const char *name)
{
	const char *key =
		string_at(cache, cache->start + entry_at(cache, i).name);

	return key ? compare(name, key) : 1;
}

/* The first entry that is not before the name. */
static uint32_t find_first(const struct ldcache *cache, const char *name)
{
	return (uint32_t)ARRAY_COUNT_BEFORE(
		cache->count, i, compare_at(cache, (uint32_t)i, name) < 0);
}

/* 0 for the best hwcap; the number of active ones for none; -1: not for us. */
static int rank_of(const struct ldcache *cache, uint64_t hwcap,
		   const char *const *hwcaps)
{
	uint32_t index = (uint32_t)hwcap, offset;
	const char *name = NULL;
	int rank = 0;

	if (hwcap != 0 && hwcap >> 32 != HWCAP_NAMED >> 32)
		return -1;
	if (hwcap != 0) {
		if (index >= cache->hwcap_count ||
		    !take(cache, cache->hwcaps + (size_t)index * sizeof(offset),
			  &offset, sizeof(offset)))
			return -1;
		name = string_at(cache, cache->start + offset);
		if (!name)
			return -1;
	}
	for (; hwcaps[rank]; rank++)
		if (name && strcmp(name, hwcaps[rank]) == 0)
			return rank;
	return name ? -1 : rank;
}

size_t ldcache_find(const struct ldcache *cache, const char *name,
		    const char *const *hwcaps, const char **ret_paths,
		    size_t max)
{
	int ranks[16];
	size_t n = 0;

	if (max > ARRAY_SIZE(ranks))
		max = ARRAY_SIZE(ranks);
	for (uint32_t i = find_first(cache, name);
	     i < cache->count && n < max && compare_at(cache, i, name) == 0;
	     i++) {
		struct entry entry = entry_at(cache, i);
		const char *path = string_at(cache, cache->start + entry.path);
		int rank = rank_of(cache, entry.hwcap, hwcaps);
		size_t at = n;

		if (rank < 0 || !path ||
		    (KIND(entry.flags) != KIND_ELF &&
		     KIND(entry.flags) != KIND_ELF_LIBC6))
			continue;
		for (; at > 0 && ranks[at - 1] > rank; at--) {
			ranks[at] = ranks[at - 1];
			ret_paths[at] = ret_paths[at - 1];
		}
		ranks[at] = rank;
		ret_paths[at] = path;
		n++;
	}
	return n;
}

const char *ldcache_path(const struct ldcache *cache, uint32_t i)
{
	if (i >= cache->count)
		return NULL;
	const char *path =
		string_at(cache, cache->start + entry_at(cache, i).path);
	return path ? path : "";
}
