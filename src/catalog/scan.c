/* SPDX-License-Identifier: MIT */
/*
 * Scanning a directory: list, read new files, write, list again. It is safe
 * against a directory that changes meanwhile:
 *
 * A file's times are no finer than the clock's tick, so a change right after a
 * look can leave them as they were. Before it makes the list that will be
 * written, the scan therefore waits until the directory and its files have
 * been left alone for a while (settle); every later change has other times.
 *
 * A portable catalog is fresh as long as the directory's times are no later
 * than its own. So it is touched after the rename, which changed the directory
 * too. Then a tick is let pass and the directory is listed again: earlier
 * changes show in that list, later ones make the directory younger than the
 * catalog.
 */
#include "catalog/scan.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/status.h"
#include "catalog/format.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

/* How much longer than a time's grain something is left alone. */
#define MARGIN_NS 5000000u

/* How long that is waited for: a tick; and where times are seconds, by who said
 * that he would. */
#define SETTLE_NS 25000000u
#define SETTLE_MOST_NS 2100000000u

/* How often a scan starts over when the directory keeps changing. */
#define ATTEMPTS 5

struct entry {
	char *file;
	char *name; /* of the plugin */
	struct file_identity identity;
	struct file_identity sidecar; /* all 0: there is none */
};

/* A sidecar, until its plugins are known. */
struct beside {
	char *name; /* of the plugin */
	struct file_identity identity;
};

/* The directory's plugin files, sorted by name and then by file. */
struct listing {
	struct entry *entries;
	size_t count;
	size_t room;
	struct beside *sidecars;
	size_t sidecar_count, sidecar_room;
	uint64_t settled_ns; /* from then on, no change would go unseen */
	uint64_t start_ns;
	struct file_identity directory;
};

static void cleanup_listing(struct listing *l)
{
	for (size_t i = 0; i < l->count; i++) {
		free(l->entries[i].file);
		free(l->entries[i].name);
	}
	free(l->entries);
	for (size_t i = 0; i < l->sidecar_count; i++)
		free(l->sidecars[i].name);
	free(l->sidecars);
	*l = (struct listing){0};
}
#define _cleanup_listing_ _cleanup_(cleanup_listing)

static void sleep_ns(uint64_t ns)
{
	struct timespec t = {(time_t)(ns / 1000000000u),
			     (long)(ns % 1000000000u)};

	nanosleep(&t, NULL);
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

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : strcmp(x->file, y->file);
}

/* Notes when something was changed last. */
static void note_change(struct listing *l, uint64_t changed_ns)
{
	uint64_t settled = changed_ns + file_time_grain(changed_ns) + MARGIN_NS;

	if (settled > l->settled_ns)
		l->settled_ns = settled;
}

/* false: out of memory. */
static bool list_sidecar(struct listing *l, int dirfd, const char *file)
{
	size_t n = strlen(file), suffix = sizeof(METADATA_SIDECAR_SUFFIX) - 1;
	struct stat st;

	if (n <= suffix || strcmp(file + n - suffix, METADATA_SIDECAR_SUFFIX))
		return true;
	if (fstatat(dirfd, file, &st, 0) < 0 || !S_ISREG(st.st_mode))
		return true;
	if (!array_reserve(&l->sidecars, l->sidecar_count, &l->sidecar_room,
			   sizeof(*l->sidecars)))
		return false;
	struct beside s = {strndup(file, n - suffix), file_identity_of(&st)};
	if (!s.name)
		return false;
	l->sidecars[l->sidecar_count++] = s;
	note_change(l, s.identity.ctime_ns);
	return true;
}

/* false: out of memory. What is no regular file, or gone, is passed over; what
 * cannot be looked at is listed, as a file without identity. */
static bool list_file(struct listing *l, int dirfd, const char *file)
{
	struct stat st = {.st_mode = S_IFREG};

	if (!scan_is_plugin_name(file))
		return list_sidecar(l, dirfd, file);
	if (fstatat(dirfd, file, &st, 0) < 0 &&
	    !status_is_state(status_from_errno(errno)))
		return true;
	if (!S_ISREG(st.st_mode))
		return true;
	if (!array_reserve(&l->entries, l->count, &l->room,
			   sizeof(*l->entries)))
		return false;
	struct entry e = {.file = strdup(file),
			  .name = record_plugin_name(file),
			  .identity = file_identity_of(&st)};
	if (!e.file || !e.name) {
		free(e.file);
		free(e.name);
		return false;
	}
	l->entries[l->count++] = e;
	note_change(l, e.identity.ctime_ns);
	return true;
}

static int list_error(const char *dir)
{
	return status_fail(status_from_errno(errno), "%s: cannot list: %s", dir,
			   strerror(errno));
}

static int list_begin(struct listing *l, int dirfd, const char *dir)
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

static int compare_sidecars(const void *a, const void *b)
{
	const struct beside *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* Sorts, and gives each plugin the sidecar of its name. */
static void list_end(struct listing *l)
{
	size_t k = 0;

	if (l->count)
		qsort(l->entries, l->count, sizeof(*l->entries),
		      compare_entries);
	if (l->sidecar_count)
		qsort(l->sidecars, l->sidecar_count, sizeof(*l->sidecars),
		      compare_sidecars);
	for (size_t i = 0; i < l->count; i++) {
		int order = -1;

		while (k < l->sidecar_count &&
		       (order = strcmp(l->sidecars[k].name,
				       l->entries[i].name)) < 0)
			k++;
		if (k < l->sidecar_count && order == 0)
			l->entries[i].sidecar = l->sidecars[k].identity;
	}
}

static int list_directory(int dirfd, const char *dir, struct listing *ret)
{
	_cleanup_close_ int fd =
		openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	_cleanup_listing_ struct listing l = {0};
	struct dirent *d;

	if (!stream)
		return list_error(dir);
	TAKE_FD(fd); /* the stream's now */
	int status = list_begin(&l, dirfd, dir);
	if (status < 0)
		return status;
	while ((errno = 0, d = readdir(stream)) != NULL)
		if (!list_file(&l, dirfd, d->d_name))
			return status_fail(DLAZY_ENOMEM, "%s: no memory", dir);
	if (errno)
		return list_error(dir);
	list_end(&l);
	*ret = l;
	l = (struct listing){0};
	return 0;
}

/*
 * Lists when all has been left alone so long that later changes show. A time in
 * the future, a directory without rest, or times of seconds where nobody asked to
 * wait, are not waited for: then what is written is not fresh, and looked at
 * again by the next one; records of such files are marked as young.
 */
static int list_settled(int dirfd, const char *dir, bool patient,
			struct listing *ret)
{
	uint64_t most = patient ? SETTLE_MOST_NS : SETTLE_NS;

	for (int tries = 0;; tries++) {
		_cleanup_listing_ struct listing l = {0};
		int status = list_directory(dirfd, dir, &l);
		if (status < 0)
			return status;
		if (l.settled_ns <= l.start_ns ||
		    l.settled_ns - l.start_ns > most || tries >= ATTEMPTS) {
			*ret = l;
			l = (struct listing){0};
			return 0;
		}
		sleep_ns(l.settled_ns - l.start_ns);
	}
}

static bool listing_same_files(const struct listing *a, const struct listing *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->entries[i].file, b->entries[i].file) != 0)
			return false;
	return true;
}

static bool listing_equal(const struct listing *a, const struct listing *b)
{
	if (!listing_same_files(a, b))
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!file_identity_equal(&a->entries[i].identity,
					 &b->entries[i].identity) ||
		    !file_identity_equal(&a->entries[i].sidecar,
					 &b->entries[i].sidecar))
			return false;
	return true;
}

/* ------------------------------------------------------------------ */

/* A record of the old catalog, and where it is there. */
struct former {
	const struct record *record;
	size_t index;
};

/* One scan: what it goes by, and what it gathers. */
struct scan {
	int dirfd;
	const char *dir;
	const struct scan_options *options;
	int filefd;		       /* the catalog file is relative to it */
	const char *file;	       /* NULL: there is no place for one */
	struct catalog *former;	       /* or NULL */
	struct former *former_by_file; /* sound ones, sorted */
	size_t former_count;
	struct scan_result result;
	uint64_t start_ns; /* of this attempt */
	int state;	   /* of ours, that kept a file from being read; or 0 */
	char why[STATUS_MESSAGE_MAX];
};

/* The records of one attempt. */
struct harvest {
	const struct record **good;
	const struct record **bad;
	struct record **read; /* of the above, those to be freed */
	size_t good_count, bad_count, read_count;
	/* Of each good one, then of each bad one, or NULL; and those to be freed. */
	const struct catalog_metadata **good_says, **bad_says;
	struct catalog_metadata **said;
	size_t said_count;
};

static void cleanup_harvest(struct harvest *h)
{
	for (size_t i = 0; i < h->read_count; i++)
		free(h->read[i]);
	for (size_t i = 0; i < h->said_count; i++)
		free(h->said[i]);
	free(h->good);
	free(h->bad);
	free(h->read);
	free(h->good_says);
	free(h->bad_says);
	free(h->said);
}

static int compare_files(const void *a, const void *b)
{
	const struct former *x = a, *y = b;

	return strcmp(record_file(x->record), record_file(y->record));
}

/* The catalog file that is in the place of ours. */
static int open_written(const struct scan *s, struct catalog **ret)
{
	return catalog_open_file(
		s->filefd, s->filefd == AT_FDCWD ? NULL : s->dir, s->file, ret);
}

/* Opens the old catalog, if it is of the same kind; a damaged one is none. */
static int former_open(struct scan *s)
{
	if (!s->file || open_written(s, &s->former) < 0) {
		status_clear();
		return 0;
	}
	if (catalog_is_portable(s->former) != s->options->system) {
		catalog_close(TAKE_PTR(s->former));
		return 0;
	}
	size_t all = catalog_count(s->former) + catalog_bad_count(s->former);
	s->former_by_file = calloc(all + 1, sizeof(*s->former_by_file));
	if (!s->former_by_file)
		return status_fail(DLAZY_ENOMEM, "%s: no memory", s->dir);
	for (size_t i = 0; i < all; i++) {
		const struct record *r = catalog_record(s->former, i);
		if (r)
			s->former_by_file[s->former_count++] =
				(struct former){r, i};
		else
			status_clear();
	}
	qsort(s->former_by_file, s->former_count, sizeof(*s->former_by_file),
	      compare_files);
	return 0;
}

static void cleanup_scan(struct scan *s)
{
	catalog_close(s->former);
	free(s->former_by_file);
}

/* The old record of a file, or NULL. */
static const struct former *former_of(const struct scan *s,
				      const struct entry *e)
{
	size_t low = 0, high = s->former_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct former *f = &s->former_by_file[middle];
		int order = strcmp(record_file(f->record), e->file);
		if (order == 0)
			return f;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* The old plugin of that name, or NULL. */
static const struct record *former_plugin(const struct scan *s,
					  const char *name)
{
	size_t index;
	bool unknown = false;
	const struct record *r =
		s->former ? catalog_find(s->former, name, &index, &unknown)
			  : NULL;

	if (unknown)
		status_clear();
	return r && record_status(r) == 0 ? r : NULL;
}

/* 0 and a record; *ret NULL where the file has gone. What could not be read, for
 * a state of ours, gets a record that says so, and that is not written. */
static int read_entry(struct scan *s, const struct entry *e,
		      struct record **ret)
{
	int status = s->options->system
			     ? record_read_portable(s->dirfd, e->file, ret)
			     : record_read(s->dirfd, e->file, ret);

	s->result.opened++;
	if (status == -DLAZY_ENOENT) {
		*ret = NULL;
		return 0;
	}
	if (!status_is_state(status) || status == -DLAZY_ENOMEM)
		return status;
	if (s->state == 0)
		strcpy(s->why, status_message());
	s->state = status;
	return record_unreadable(e->file, ret);
}

/* Whether two records say the same of their files. */
static bool is_same_record(const struct record *a, const struct record *b)
{
	uint32_t young = (a->flags ^ b->flags) & RECORD_YOUNG;

	return a->size == b->size && a->flags == (b->flags ^ young) &&
	       memcmp(&a->identity, &b->identity,
		      a->size - offsetof(struct record, identity)) == 0;
}

static void count_plugin(struct scan *s, const struct record *r)
{
	const struct record *old = former_plugin(s, record_name(r));

	s->result.total++;
	if (!old)
		s->result.added++;
	else
		s->result.removed--; /* begins with all old ones */
	if (old && !is_same_record(old, r))
		s->result.changed++;
}

/* What the old catalog had of a file that is the same still, or NULL. What cannot
 * be read of it is made anew. */
static const struct catalog_metadata *former_metadata(const struct scan *s,
						      const struct former *f)
{
	const struct catalog_metadata *m = NULL;

	if (f && catalog_metadata(s->former, f->index, &m) < 0)
		status_clear();
	return m;
}

/* Asks what a plugin says of itself; it stands with the record at `ret`. */
static int harvest_metadata(struct scan *s, struct harvest *h,
			    const struct entry *e, const struct former *f,
			    const struct record *r, bool same,
			    const struct catalog_metadata **ret)
{
	const struct scan_options *o = s->options;
	struct catalog_metadata *said = NULL;
	uint64_t start_ns = s->start_ns;
	struct scan_plugin plugin = {
		.dirfd = s->dirfd,
		.dir = s->dir,
		.record = r,
		.sidecar = e->sidecar,
		.is_young = !file_time_is_past(e->sidecar.ctime_ns, start_ns),
		.portable = o->system,
		.former = former_metadata(s, f),
		.same_file = same,
		.was_probed = s->former && catalog_was_probed(s->former),
	};

	*ret = NULL;
	if (!o->metadata) {
		*ret = same ? plugin.former : NULL;
		return 0;
	}
	int status = o->metadata(&plugin, o->metadata_data, &said);
	if (status == -DLAZY_ENOMEM)
		return status;
	if (status < 0 && s->state == 0)
		strcpy(s->why, status_message());
	if (status < 0)
		s->state = status;
	if (said)
		h->said[h->said_count++] = said;
	*ret = said;
	return 0;
}

/* Takes one file's record over, or reads it. */
static int harvest_entry(struct scan *s, struct harvest *h,
			 const struct entry *e)
{
	const struct former *former = former_of(s, e);
	const struct record *r = NULL;
	struct record *read = NULL;

	if (former && !s->options->system &&
	    record_is_current(former->record, -1, &e->identity))
		r = former->record;
	if (former && !r && !s->options->system)
		read = record_moved(former->record, s->dirfd, &e->identity);
	bool same = r || read;
	if (!r) {
		int status = read ? 0 : read_entry(s, e, &read);
		if (status < 0 || !read)
			return status;
		h->read[h->read_count++] = read;
		r = read;
		same |= former && s->options->system &&
			is_same_record(former->record, r);
	}
	if (record_status(r) < 0) {
		h->bad[h->bad_count] = r;
		s->result.bad++;
		return harvest_metadata(s, h, e, former, r, same,
					&h->bad_says[h->bad_count++]);
	}
	h->good[h->good_count] = r;
	count_plugin(s, r);
	return harvest_metadata(s, h, e, former, r, same,
				&h->good_says[h->good_count++]);
}

/*
 * Of several files with one name, the first that is a plugin counts; those
 * after it are not looked at.
 */
static int harvest_all(struct scan *s, struct harvest *h,
		       const struct listing *l)
{
	const struct scan_options *o = s->options;

	h->good = calloc(l->count + 1, sizeof(*h->good));
	h->bad = calloc(l->count + 1, sizeof(*h->bad));
	h->read = calloc(l->count + 1, sizeof(*h->read));
	h->good_says = calloc(l->count + 1, sizeof(*h->good_says));
	h->bad_says = calloc(l->count + 1, sizeof(*h->bad_says));
	h->said = calloc(l->count + 1, sizeof(*h->said));
	if (!h->good || !h->bad || !h->read || !h->good_says || !h->bad_says ||
	    !h->said)
		return status_fail(DLAZY_ENOMEM, "%s: no memory", s->dir);
	s->result = (struct scan_result){.opened = s->result.opened};
	s->state = 0;
	s->start_ns = l->start_ns;
	s->result.removed = s->former ? catalog_count(s->former) : 0;
	for (size_t i = 0; i < l->count; i++) {
		const struct entry *e = &l->entries[i];
		bool shadowed = h->good_count > 0 &&
				!strcmp(record_name(h->good[h->good_count - 1]),
					e->name);
		int status = shadowed ? 0 : harvest_entry(s, h, e);
		if (status < 0)
			return status;
		if (o->progress)
			o->progress(i + 1, l->count, o->progress_data);
	}
	return 0;
}

static int harvest_encode(const struct scan *s, struct harvest *h,
			  const struct listing *l, void **ret_data,
			  size_t *ret_size)
{
	struct catalog_source source = {
		.records = h->good,
		.metadata = h->good_says,
		.count = h->good_count,
		.bad = h->bad_count,
		.flags = s->options->system ? FORMAT_PORTABLE : 0,
	};

	/* There is room behind: both arrays are as long as the listing. */
	memcpy(h->good + h->good_count, h->bad, h->bad_count * sizeof(*h->bad));
	memcpy(h->good_says + h->good_count, h->bad_says,
	       h->bad_count * sizeof(*h->bad_says));
	if (!s->options->system) {
		source.directory = l->directory;
		source.scan_start_ns = l->start_ns;
	}
	return catalog_encode(&source, ret_data, ret_size);
}

static int touch_error(const struct scan *s)
{
	return status_fail(status_from_errno(errno), "%s: %s", s->file,
			   strerror(errno));
}

/*
 * Makes the catalog as young as the directory that its rename changed, and
 * readable to all whatever the umask: changing the mode sets ctime. Where times
 * are seconds it must be younger, by more than their grain. Then lets a tick
 * pass.
 */
static int touch_catalog(const struct scan *s)
{
	_cleanup_close_ int fd =
		openat(s->filefd, s->file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return touch_error(s);
	uint64_t placed_ns = file_identity_of(&st).ctime_ns;
	if (!file_has_fine_time(placed_ns))
		sleep_ns(file_time_grain(placed_ns) + MARGIN_NS);
	if (fchmod(fd, 0644) < 0)
		return touch_error(s);
	sleep_ns(SETTLE_NS);
	return 0;
}

static int write_catalog(const struct scan *s, const void *data, size_t size)
{
	bool user = !s->options->system && !s->options->output;

	if (s->state < 0)
		return status_fail(-s->state,
				   "%s: no catalog was written, as not every "
				   "file could be read: %.700s",
				   s->dir, s->why);
	if (!s->file)
		return status_fail(DLAZY_EIO,
				   "%s: no place for its catalog: set "
				   "DLAZY_CACHE_DIR or HOME",
				   s->dir);
	_cleanup_free_ char *cache = user ? catalog_cache_dir() : NULL;
	int status = cache ? file_make_dirs(cache) : 0;
	if (status == 0)
		status = file_replace(s->filefd, s->file, data, size,
				      user ? 0600 : 0644);
	if (status == 0 && s->options->system) {
		status = touch_catalog(s);
		if (status < 0)
			unlinkat(s->filefd, s->file, 0);
	}
	if (status == 0 || status == -DLAZY_ENOMEM)
		return status;
	if (s->filefd != AT_FDCWD)
		return status_fail(DLAZY_EIO, "%s/%.900s", s->dir,
				   status_message());
	return status_fail(DLAZY_EIO, "%.900s%s", status_message(),
			   user ? " (DLAZY_CACHE_DIR can name another place)"
				: "");
}

/*
 * Lists again after the write. *ret_again: something changed. On the last
 * attempt, or where it cannot be told, a catalog that lacks a file must not stay:
 * a portable one could be taken for fresh.
 */
static int look_again(const struct scan *s, const struct listing *before,
		      bool last, bool *ret_again)
{
	_cleanup_listing_ struct listing after = {0};
	int status = list_directory(s->dirfd, s->dir, &after);
	bool same = status == 0 && listing_same_files(before, &after);

	if (s->options->system && !same && (last || status < 0))
		unlinkat(s->filefd, s->file, 0);
	if (status == 0)
		*ret_again = !last && !listing_equal(before, &after);
	return status;
}

/* One attempt. *ret_write: how the writing went. */
static int scan_once(struct scan *s, bool last, struct catalog **ret,
		     int *ret_write, bool *ret_again)
{
	_cleanup_listing_ struct listing l = {0};
	_cleanup_(cleanup_harvest) struct harvest h = {0};
	_cleanup_free_ void *data = NULL;
	bool dry = s->options->dry;
	size_t size;
	int status =
		dry ? list_directory(s->dirfd, s->dir, &l)
		    : list_settled(s->dirfd, s->dir,
				   s->options->patient || s->options->system,
				   &l);

	if (status == 0)
		status = harvest_all(s, &h, &l);
	if (status == 0)
		status = harvest_encode(s, &h, &l, &data, &size);
	if (status < 0)
		return status;
	*ret_again = false;
	*ret_write = dry ? 0 : write_catalog(s, data, size);
	if (!dry && *ret_write == 0)
		status = look_again(s, &l, last, ret_again);
	if (status < 0 || *ret_again)
		return status;
	/* From the file, its records are read as they are needed. */
	if (!dry && *ret_write == 0 && open_written(s, ret) == 0)
		return 0;
	return catalog_open_memory(TAKE_PTR(data), size, ret);
}

/* Where the catalog goes; *ret_path is what has to be freed. */
static void find_place(struct scan *s, char **ret_path)
{
	s->filefd = AT_FDCWD;
	if (s->options->output) {
		s->file = s->options->output;
	} else if (s->options->system) {
		s->filefd = s->dirfd;
		s->file = CATALOG_FILE;
	} else {
		s->file = *ret_path = catalog_user_path(s->dir);
	}
}

int scan_directory(int dirfd, const char *dir,
		   const struct scan_options *options,
		   struct scan_result *ret_result, struct catalog **ret_catalog)
{
	static const struct scan_options defaults;
	_cleanup_free_ char *path = NULL;
	_cleanup_catalog_ struct catalog *c = NULL;
	_cleanup_(cleanup_scan) struct scan s = {
		.dirfd = dirfd,
		.dir = dir,
		.options = options ? options : &defaults,
	};
	bool again = true;
	int written = 0;

	find_place(&s, &path);
	int status = former_open(&s);
	for (int i = 1; status == 0 && again; i++) {
		bool stale = i > 1 && s.file && s.options->system;

		status = scan_once(&s, i == ATTEMPTS, &c, &written, &again);
		/* The attempt before left one that lacks a file. */
		if (stale && (status < 0 || written < 0))
			unlinkat(s.filefd, s.file, 0);
	}
	if (status < 0)
		return status;
	if (s.state < 0 && s.options->dry && !ret_catalog)
		return write_catalog(&s, NULL, 0);
	if (written < 0 && !ret_catalog)
		return written;
	status_clear();
	if (ret_result)
		*ret_result = s.result;
	if (ret_catalog)
		*ret_catalog = TAKE_PTR(c);
	return 0;
}
