/* SPDX-License-Identifier: MIT */
/*
 * Reading catalogs. Opening looks at the header alone; what lies behind it is
 * checked where it is used: each offset against the file's size, each record
 * against its checksum, once, which a bitmap remembers. The bitmap is made at
 * the first use of a record and never shrinks; threads race for it with a
 * compare-and-swap, and a lost race or a lack of memory costs a second check.
 */
#include "catalog/catalog.h"

#include "base/array.h"
#include "base/atomic.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/status.h"
#include "catalog/format.h"

#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>

/* Times of files are no finer than the kernel's clock tick; a change less than
 * this before the scan may have been missed by it. */
#define RACE_NS 20000000u

struct catalog {
	struct file_map map;
	bool mapped;			 /* else malloc'd */
	uint64_t ctime_ns;		 /* of the catalog file; 0: in memory */
	_Atomic(atomic_ulong *) checked; /* a bit for each sound record */
};

static const struct catalog_header *header(const struct catalog *c)
{
	return (const struct catalog_header *)c->map.data;
}

static bool is_ours(const struct catalog_header *h)
{
	struct catalog_header own;

	format_header_begin(&own);
	return memcmp(h, &own, offsetof(struct catalog_header, size)) == 0;
}

static bool is_laid_out(const struct catalog_header *h)
{
	uint64_t all = (uint64_t)h->count + h->bad;

	return h->entries_offset % FORMAT_ALIGN == 0 &&
	       range_array_within(h->entries_offset, all,
				  sizeof(struct catalog_entry), h->size) &&
	       h->buckets_offset % FORMAT_ALIGN == 0 &&
	       range_array_within(h->buckets_offset, h->buckets,
				  sizeof(struct catalog_bucket), h->size) &&
	       h->buckets > all && (h->buckets & (h->buckets - 1)) == 0;
}

static int check_header(const struct file_map *map, const char *name)
{
	const struct catalog_header *h = (const void *)map->data;

	if (map->size < sizeof(*h) || !is_ours(h))
		return status_fail(DLAZY_EFORMAT,
				   "%s: not a catalog of this version and "
				   "machine",
				   name);
	if (h->checksum != format_header_checksum(h) || h->size != map->size ||
	    !is_laid_out(h))
		return status_fail(DLAZY_EFORMAT, "%s: damaged catalog", name);
	return 0;
}

static int catalog_new(struct file_map map, bool mapped, uint64_t ctime_ns,
		       struct catalog **ret)
{
	struct catalog *c = calloc(1, sizeof(*c));

	if (!c)
		return status_fail(DLAZY_ENOMEM, "no memory for a catalog");
	ATOMIC_SHARED(&c->checked);
	c->map = map;
	c->mapped = mapped;
	c->ctime_ns = ctime_ns;
	*ret = c;
	return 0;
}

void catalog_close(struct catalog *c)
{
	if (!c)
		return;
	if (c->mapped)
		file_unmap(&c->map);
	else
		free((void *)c->map.data);
	free((void *)atomic_load(&c->checked));
	free(c);
}

static bool is_owner_trusted(const struct stat *st)
{
	return st->st_uid == 0 || st->st_uid == geteuid();
}

/*
 * Opens a file, or what one symbolic link stands for. The link is held while
 * its owner is looked at and its text read, so that it cannot be exchanged.
 */
static int open_link(int dirfd, const char *file)
{
	_cleanup_close_ int link =
		openat(dirfd, file, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char target[PATH_MAX], path[2 * PATH_MAX];
	struct stat st;

	if (link < 0 || fstat(link, &st) < 0)
		return -1;
	ssize_t n = readlinkat(link, "", target, sizeof(target));
	if (!is_owner_trusted(&st) || n < 0 || n == sizeof(target)) {
		errno = EPERM;
		return -1;
	}
	int parent = (int)(file_base_name(file) - file);
	if (target[0] == '/')
		parent = 0;
	snprintf(path, sizeof(path), "%.*s%.*s", parent, file, (int)n, target);
	return openat(dirfd, path,
		      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

static int open_trusted(int dirfd, const char *file, int *ret_fd,
			struct stat *ret_st)
{
	_cleanup_close_ int fd = openat(
		dirfd, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && errno == ELOOP)
		fd = open_link(dirfd, file);
	if (fd < 0 || fstat(fd, ret_st) < 0)
		return status_fail(errno == EPERM || errno == ELOOP
					   ? DLAZY_EUNTRUSTED
					   : status_from_errno(errno),
				   "%s: %s", file, strerror(errno));
	if (!S_ISREG(ret_st->st_mode) || !is_owner_trusted(ret_st) ||
	    (ret_st->st_mode & (S_IWGRP | S_IWOTH)))
		return status_fail(DLAZY_EUNTRUSTED,
				   "%s: not trusted: must be a file of root or "
				   "of the user that nobody else can write",
				   file);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int catalog_open_file(int dirfd, const char *file, struct catalog **ret)
{
	_cleanup_close_ int fd = -1;
	struct file_map map;
	struct stat st;
	int status = open_trusted(dirfd, file, &fd, &st);

	if (status < 0)
		return status;
	if ((uint64_t)st.st_size < sizeof(struct catalog_header))
		return status_fail(DLAZY_EFORMAT, "%s: not a catalog", file);
	status = file_map(fd, (size_t)st.st_size, &map);
	if (status < 0)
		return status_prefix("%s", file);
	status = check_header(&map, file);
	if (status == 0)
		status = catalog_new(map, true, file_identity_of(&st).ctime_ns,
				     ret);
	if (status < 0)
		file_unmap(&map);
	return status;
}

int catalog_open_memory(void *data, size_t size, struct catalog **ret)
{
	struct file_map map = {data, size};
	int status = check_header(&map, "catalog in memory");

	if (status == 0)
		status = catalog_new(map, false, 0, ret);
	if (status < 0)
		free(data);
	return status;
}

/* The catalog file, if it is of the sort that belongs in its place, and
 * fresh. */
static int open_fresh(int dirfd, int filefd, const char *file, bool portable,
		      struct catalog **ret)
{
	_cleanup_catalog_ struct catalog *c = NULL;
	int status = catalog_open_file(filefd, file, &c);

	if (status < 0)
		return status;
	if (catalog_is_portable(c) != portable || !catalog_is_fresh(c, dirfd))
		return status_fail(DLAZY_ENOENT,
				   "%s: the directory has changed since", file);
	*ret = TAKE_PTR(c);
	return 0;
}

int catalog_open(int dirfd, const char *dir, struct catalog **ret)
{
	int system = open_fresh(dirfd, dirfd, CATALOG_FILE, true, ret);

	if (system == 0)
		return 0;
	if (system != -DLAZY_ENOENT)
		status_prefix("%s", dir);
	_cleanup_free_ char *path = catalog_user_path(dir);
	if (!path)
		return system;
	int user = open_fresh(dirfd, AT_FDCWD, path, false, ret);
	return user == -DLAZY_ENOENT ? system : user;
}

bool catalog_is_portable(const struct catalog *c)
{
	return header(c)->flags & FORMAT_PORTABLE;
}

/*
 * A portable catalog is part of the directory: putting it there changed both,
 * and whatever changed the directory later left it younger. Any other knows
 * the directory by identity; of its times ctime alone tells when it changed,
 * as mtime can be set.
 */
bool catalog_is_fresh(const struct catalog *c, int dirfd)
{
	const struct catalog_header *h = header(c);
	struct stat st;

	if (fstat(dirfd, &st) < 0)
		return false;
	struct file_identity now = file_identity_of(&st);
	if (catalog_is_portable(c))
		return now.mtime_ns <= c->ctime_ns &&
		       now.ctime_ns <= c->ctime_ns;
	now.size = 0;
	return file_identity_equal(&now, &h->directory) &&
	       now.ctime_ns < h->scan_start_ns &&
	       h->scan_start_ns - now.ctime_ns >= RACE_NS;
}

size_t catalog_count(const struct catalog *c)
{
	return header(c)->count;
}

size_t catalog_bad_count(const struct catalog *c)
{
	return header(c)->bad;
}

#define WORD_BITS (sizeof(unsigned long) * CHAR_BIT)

/* The bitmap's word for a record; NULL: no memory. */
static atomic_ulong *checked_word(const struct catalog *c, size_t index)
{
	_Atomic(atomic_ulong *) *checked = &((struct catalog *)c)->checked;
	atomic_ulong *words =
		atomic_load_explicit(checked, memory_order_acquire);

	if (!words) {
		size_t all = catalog_count(c) + catalog_bad_count(c);
		atomic_ulong *made = calloc(all / WORD_BITS + 1, sizeof(*made));
		if (!made)
			return NULL;
		for (size_t i = 0; i <= all / WORD_BITS; i++)
			ATOMIC_SHARED(&made[i]);
		if (atomic_compare_exchange_strong(checked, &words, made))
			words = made;
		else
			free((void *)made);
	}
	return words + index / WORD_BITS;
}

/* Names are joined to the directory: they must not lead out of it. */
static bool is_plain_name(const char *name)
{
	return name[0] != '\0' && !strchr(name, '/') && strcmp(name, ".") &&
	       strcmp(name, "..");
}

static const struct record *check_record(const struct catalog *c,
					 const struct catalog_entry *entry)
{
	const struct record *r = record_check(c->map.data + entry->offset,
					      c->map.size - entry->offset);

	if (!r || r->checksum != entry->checksum ||
	    !is_plain_name(record_name(r)) || !is_plain_name(record_file(r)))
		return NULL;
	return r;
}

const struct record *catalog_record(const struct catalog *c, size_t index)
{
	const struct catalog_header *h = header(c);

	if (index >= (size_t)h->count + h->bad)
		return NULL;
	const struct catalog_entry *entry =
		(const struct catalog_entry *)(c->map.data +
					       h->entries_offset) +
		index;
	if (entry->offset > c->map.size)
		return NULL;
	atomic_ulong *word = checked_word(c, index);
	unsigned long bit = 1ul << index % WORD_BITS;
	if (word && (atomic_load_explicit(word, memory_order_relaxed) & bit))
		return (const struct record *)(c->map.data + entry->offset);
	const struct record *r = check_record(c, entry);
	if (r && word)
		atomic_fetch_or_explicit(word, bit, memory_order_relaxed);
	return r;
}

const struct record *catalog_find(const struct catalog *c, const char *name,
				  size_t *ret_index, bool *ret_damaged)
{
	const struct catalog_header *h = header(c);
	const struct catalog_bucket *buckets =
		(const void *)(c->map.data + h->buckets_offset);
	uint64_t hash = hash_string(name);
	bool damaged = false;
	const struct record *found = NULL;
	uint32_t mask = h->buckets - 1;

	for (uint32_t i = 0; i <= mask && !found; i++) {
		struct catalog_bucket b = buckets[((uint32_t)hash + i) & mask];
		if (b.index == 0)
			break;
		if (b.hash != (uint32_t)(hash >> 32))
			continue;
		const struct record *r = catalog_record(c, b.index - 1);
		damaged |= !r;
		if (r && !strcmp(record_name(r), name)) {
			found = r;
			*ret_index = b.index - 1;
		}
	}
	if (ret_damaged)
		*ret_damaged = damaged;
	return found;
}

/* A directory named by the environment; relative ones are nobody's. */
static char *place_below(const char *variable, const char *below)
{
	const char *value = secure_getenv(variable);
	char *path;

	if (!value || value[0] != '/')
		return NULL;
	return asprintf(&path, "%s%s", value, below) < 0 ? NULL : path;
}

char *catalog_cache_dir(void)
{
	char *dir = place_below("DLAZY_CACHE_DIR", "");

	if (!dir)
		dir = place_below("XDG_CACHE_HOME", "/dlazy");
	if (!dir)
		dir = place_below("HOME", "/.cache/dlazy");
	return dir;
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
