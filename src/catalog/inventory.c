/* SPDX-License-Identifier: MIT */
/*
 * Listing a directory. All names are in one array; a file's name begins with its
 * plugin's. Two inventories are compared by sums of hashes: that is enough to
 * notice a change of a directory, and nobody gains by a collision.
 */
#include "catalog/inventory.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/status.h"
#include "catalog/metadata.h"
#include "catalog/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>

/* How long is waited where times are seconds, by who said that he would. */
#define SETTLE_MOST_NS 2100000000u

/* How often a directory that keeps changing is listed again. */
#define ATTEMPTS 5

void inventory_clear(struct inventory *l)
{
	free(l->files);
	free(l->sidecars);
	free(l->names);
	*l = (struct inventory){0};
}

/* Digits first in each part: ".so.1.0.0k", but not ".so.1.dpkg-new". */
static bool is_version(const char *s)
{
	for (const char *part = s; part; part = strchr(part, '.')) {
		part += *part == '.';
		if (*part < '0' || *part > '9')
			return false;
	}
	return true;
}

bool scan_is_plugin_name(const char *file)
{
	size_t n = strlen(file);
	const char *so = file;

	/* Hidden files are other people's temporaries. */
	if (file[0] == '.' || n <= 3)
		return false;
	if (!strcmp(file + n - 3, ".so"))
		return true;
	while ((so = strstr(so, ".so.")) != NULL) {
		so += 4;
		if (is_version(so))
			return true;
	}
	return false;
}

/* Notes when something was changed last. */
static void note_change(struct inventory *l, uint64_t changed_ns)
{
	uint64_t settled =
		changed_ns + file_time_grain(changed_ns) + INVENTORY_MARGIN_NS;

	if (settled > l->settled_ns)
		l->settled_ns = settled;
}

/* Counts a file, in whatever order they come. */
static void add_to_digest(struct inventory *l, const char *file,
			  const struct file_identity *identity, bool is_plugin)
{
	uint64_t name = hash_string(file);

	if (is_plugin)
		l->digest.files += name;
	l->digest.all += hash_bytes_seeded(identity, sizeof(*identity), name);
}

/* false: out of memory, or more than can be counted. */
static bool keep_name(struct inventory *l, const char *file, uint32_t *ret)
{
	size_t size = strlen(file) + 1;

	if (size > l->names_room - l->names_size) {
		size_t room = 2 * (l->names_size + size);
		char *names =
			room <= UINT32_MAX ? realloc(l->names, room) : NULL;

		if (!names)
			return false;
		l->names = names;
		l->names_room = room;
	}
	memcpy(l->names + l->names_size, file, size);
	*ret = (uint32_t)l->names_size;
	l->names_size += size;
	return true;
}

static bool keep_sidecar(struct inventory *l, const char *file, size_t length,
			 const struct file_identity *identity)
{
	struct listed_sidecar s = {*identity, 0, (uint32_t)length};

	if (l->is_brief)
		return true;
	if (!array_reserve(&l->sidecars, l->sidecar_count, &l->sidecar_room,
			   sizeof(*l->sidecars)) ||
	    !keep_name(l, file, &s.file))
		return false;
	l->sidecars[l->sidecar_count++] = s;
	return true;
}

/* false: out of memory. */
static bool list_sidecar(struct inventory *l, int dirfd, const char *file)
{
	size_t n = strlen(file), suffix = sizeof(METADATA_SIDECAR_SUFFIX) - 1;
	struct stat st;

	if (n <= suffix || strcmp(file + n - suffix, METADATA_SIDECAR_SUFFIX))
		return true;
	if (fstatat(dirfd, file, &st, 0) < 0 || !S_ISREG(st.st_mode))
		return true;
	struct file_identity identity = file_identity_of(&st);
	add_to_digest(l, file, &identity, false);
	note_change(l, identity.ctime_ns);
	return keep_sidecar(l, file, n - suffix, &identity);
}

static bool keep_file(struct inventory *l, const char *file,
		      const struct file_identity *identity)
{
	struct listed_file f = {*identity, 0, 0,
				(uint32_t)record_plugin_name_length(file)};

	if (l->is_brief)
		return true;
	if (!array_reserve(&l->files, l->count, &l->room, sizeof(*l->files)) ||
	    !keep_name(l, file, &f.file))
		return false;
	l->files[l->count++] = f;
	return true;
}

/* false: out of memory. What is no regular file, or gone, is passed over; what
 * cannot be looked at is listed, as a file without identity. */
static bool list_file(struct inventory *l, int dirfd, const char *file)
{
	struct stat st = {.st_mode = S_IFREG};

	if (!scan_is_plugin_name(file))
		return list_sidecar(l, dirfd, file);
	if (fstatat(dirfd, file, &st, 0) < 0 &&
	    !status_is_state(status_from_errno(errno)))
		return true;
	if (!S_ISREG(st.st_mode))
		return true;
	struct file_identity identity = file_identity_of(&st);
	add_to_digest(l, file, &identity, true);
	note_change(l, identity.ctime_ns);
	return keep_file(l, file, &identity);
}

static int list_error(const char *dir)
{
	return status_fail(status_from_errno(errno), "%s: cannot list: %s", dir,
			   strerror(errno));
}

static int list_begin(struct inventory *l, int dirfd, const char *dir)
{
	struct stat st;

	l->start_ns = clock_ns(CLOCK_REALTIME);
	if (fstat(dirfd, &st) < 0)
		return list_error(dir);
	l->directory = file_identity_of(&st);
	l->directory.size = 0;
	note_change(l, l->directory.ctime_ns);
	return 0;
}

/* Orders two beginnings of names as strcmp() does whole ones. */
static int compare_names(const char *a, size_t n, const char *b, size_t m)
{
	int order = memcmp(a, b, n < m ? n : m);

	return order ? order : (n > m) - (n < m);
}

static int compare_files(const void *a, const void *b, void *names)
{
	const struct listed_file *x = a, *y = b;
	const char *base = names;
	int order = compare_names(base + x->file, x->length, base + y->file,
				  y->length);

	return order ? order : strcmp(base + x->file, base + y->file);
}

static int compare_sidecars(const void *a, const void *b, void *names)
{
	const struct listed_sidecar *x = a, *y = b;
	const char *base = names;

	return compare_names(base + x->file, x->length, base + y->file,
			     y->length);
}

/* Sorts, and gives each plugin the sidecar of its name. */
static void list_end(struct inventory *l)
{
	size_t k = 0;

	if (l->count)
		qsort_r(l->files, l->count, sizeof(*l->files), compare_files,
			l->names);
	if (l->sidecar_count)
		qsort_r(l->sidecars, l->sidecar_count, sizeof(*l->sidecars),
			compare_sidecars, l->names);
	for (size_t i = 0; i < l->count; i++) {
		struct listed_file *f = &l->files[i];
		int order = -1;

		while (k < l->sidecar_count &&
		       (order = compare_names(l->names + l->sidecars[k].file,
					      l->sidecars[k].length,
					      l->names + f->file, f->length)) <
			       0)
			k++;
		if (k < l->sidecar_count && order == 0)
			f->sidecar = (uint32_t)k + 1;
	}
}

/* Empties it, but for its memory. */
static void start_over(struct inventory *l, bool is_brief)
{
	*l = (struct inventory){
		.is_brief = is_brief,
		.files = l->files,
		.room = l->room,
		.sidecars = l->sidecars,
		.sidecar_room = l->sidecar_room,
		.names = l->names,
		.names_room = l->names_room,
	};
}

/* l: empty, or of an earlier moment. */
static int read_directory(int dirfd, const char *dir, bool is_brief,
			  struct inventory *l)
{
	_cleanup_close_ int fd =
		openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	start_over(l, is_brief);
	if (!stream)
		return list_error(dir);
	TAKE_FD(fd); /* the stream's now */
	int status = list_begin(l, dirfd, dir);
	if (status < 0)
		return status;
	while ((errno = 0, d = readdir(stream)) != NULL)
		if (!list_file(l, dirfd, d->d_name))
			return status_fail(DLAZY_ENOMEM, "%s: no memory", dir);
	if (errno)
		return list_error(dir);
	list_end(l);
	return 0;
}

/* Hands it over, if it was read. */
static int give(int status, struct inventory *l, struct inventory *ret)
{
	if (status < 0)
		return status;
	*ret = *l;
	*l = (struct inventory){0};
	return 0;
}

int inventory_read(int dirfd, const char *dir, struct inventory *ret)
{
	_cleanup_inventory_ struct inventory l = {0};

	return give(read_directory(dirfd, dir, false, &l), &l, ret);
}

int inventory_read_brief(int dirfd, const char *dir, struct inventory *ret)
{
	_cleanup_inventory_ struct inventory l = {0};

	return give(read_directory(dirfd, dir, true, &l), &l, ret);
}

int inventory_settle(int dirfd, const char *dir, bool patient,
		     struct inventory *ret)
{
	_cleanup_inventory_ struct inventory l = {0};
	uint64_t most = patient ? SETTLE_MOST_NS : INVENTORY_SETTLE_NS;

	for (int tries = 0;; tries++) {
		int status = read_directory(dirfd, dir, false, &l);
		uint64_t wait = l.settled_ns - l.start_ns;
		if (status < 0 || l.settled_ns <= l.start_ns || wait > most ||
		    tries >= ATTEMPTS)
			return give(status, &l, ret);
		const struct timespec t = {(time_t)(wait / 1000000000u),
					   (long)(wait % 1000000000u)};
		nanosleep(&t, NULL);
	}
}

bool inventory_same_files(const struct inventory *a, const struct inventory *b)
{
	return a->digest.files == b->digest.files;
}

bool inventory_equal(const struct inventory *a, const struct inventory *b)
{
	return inventory_same_files(a, b) && a->digest.all == b->digest.all;
}

const char *inventory_file(const struct inventory *l, size_t i)
{
	return l->names + l->files[i].file;
}

struct file_identity inventory_sidecar(const struct inventory *l, size_t i)
{
	uint32_t sidecar = l->files[i].sidecar;

	return sidecar ? l->sidecars[sidecar - 1].identity
		       : (struct file_identity){.dev = 0};
}

bool inventory_same_name(const struct inventory *l, size_t i, size_t k)
{
	return compare_names(inventory_file(l, i), l->files[i].length,
			     inventory_file(l, k), l->files[k].length) == 0;
}

int inventory_compare_name(const struct inventory *l, size_t i,
			   const char *name)
{
	return compare_names(inventory_file(l, i), l->files[i].length, name,
			     strlen(name));
}
