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
#include "base/status.h"
#include "catalog/format.h"
#include "catalog/write.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

/* How often a scan starts over when the directory keeps changing. */
#define ATTEMPTS 5

static void sleep_ns(uint64_t ns)
{
	struct timespec t = {(time_t)(ns / 1000000000u),
			     (long)(ns % 1000000000u)};

	nanosleep(&t, NULL);
}

/* ------------------------------------------------------------------ */

/* Where a walk through the old catalog is: plugins, or what are none, each by name
 * and file. What cannot be read of it is passed over. */
struct former_walk {
	size_t next, end;
};

/* One scan: what it goes by, and what it gathers. */
struct scan {
	int dirfd;
	const char *dir;
	const struct scan_options *options;
	int filefd;		/* the catalog file is relative to it */
	const char *file;	/* NULL: there is no place for one */
	bool wants_catalog;	/* the caller does */
	bool in_memory;		/* nothing is written, or can be read of it */
	struct catalog *former; /* or NULL */
	struct former_walk former_good, former_bad;
	struct scan_result result;
	uint64_t start_ns; /* of this attempt */
	int state;	   /* of ours, that kept a file from being read; or 0 */
	char why[STATUS_MESSAGE_MAX];
};

/* The catalog file that is in the place of ours. */
static int open_written(const struct scan *s, struct catalog **ret)
{
	return catalog_open_file(
		s->filefd, s->filefd == AT_FDCWD ? NULL : s->dir, s->file, ret);
}

/* Opens the old catalog, if it is of the same kind; a damaged one is none. */
static void former_open(struct scan *s)
{
	if (!s->file || open_written(s, &s->former) < 0) {
		status_clear();
		return;
	}
	if (catalog_is_portable(s->former) != s->options->system)
		catalog_close(TAKE_PTR(s->former));
	else
		catalog_hold_file(s->former);
}

static void former_begin(struct scan *s)
{
	size_t count = s->former ? catalog_count(s->former) : 0;
	size_t bad = s->former ? catalog_bad_count(s->former) : 0;

	s->former_good = (struct former_walk){0, count};
	s->former_bad = (struct former_walk){count, count + bad};
	s->result.removed = count;
}

static void cleanup_scan(struct scan *s)
{
	catalog_close(s->former);
}

/* The old record of a file. */
struct former {
	const struct record *record; /* or NULL */
	size_t index;
	const struct record *plugin; /* the old plugin of its name, or NULL */
};

/* Less than 0: that record comes before a file; 0: it is of its plugin name; but of
 * what are no plugins, of its file. */
static int compare_former(const struct record *r, const struct inventory *l,
			  size_t i, bool by_file)
{
	int order = -inventory_compare_name(l, i, record_name(r));

	if (order == 0 && by_file)
		order = strcmp(record_file(r), inventory_file(l, i));
	return order;
}

/* Goes on to a file's record, or to where it would be. *ret: its index. */
static const struct record *former_seek(struct scan *s, struct former_walk *w,
					const struct inventory *l, size_t i,
					bool by_file, size_t *ret)
{
	for (; w->next < w->end; w->next++) {
		const struct record *r = catalog_record(s->former, w->next);
		int order = r ? compare_former(r, l, i, by_file) : -1;

		if (!r)
			status_clear();
		if (order > 0)
			return NULL;
		*ret = w->next;
		if (order == 0)
			return r;
	}
	return NULL;
}

/* Finds it; files come in their order. */
static struct former former_find(struct scan *s, const struct inventory *l,
				 size_t i)
{
	struct former former = {.record = NULL};
	const char *file = inventory_file(l, i);
	size_t index;

	if (!s->former)
		return former;
	catalog_forget(s->former);
	const struct record *r =
		former_seek(s, &s->former_good, l, i, false, &former.index);
	if (r && record_status(r) == 0)
		former.plugin = r;
	if (r && !strcmp(record_file(r), file)) {
		former.record = r;
		return former;
	}
	former.record = former_seek(s, &s->former_bad, l, i, true, &index);
	if (former.record)
		former.index = index;
	return former;
}

/* 0 and a record; *ret NULL where the file has gone. What could not be read, for
 * a state of ours, gets a record that says so, and that is not written. */
static int read_entry(struct scan *s, const char *file, struct record **ret)
{
	int status = s->options->system
			     ? record_read_portable(s->dirfd, file, ret)
			     : record_read(s->dirfd, file, ret);

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
	return record_unreadable(file, ret);
}

/* Whether two records say the same of their files. */
static bool is_same_record(const struct record *a, const struct record *b)
{
	uint32_t young = (a->flags ^ b->flags) & RECORD_YOUNG;

	return a->size == b->size && a->flags == (b->flags ^ young) &&
	       memcmp(&a->identity, &b->identity,
		      a->size - offsetof(struct record, identity)) == 0;
}

static void count_plugin(struct scan *s, const struct record *r,
			 const struct record *old)
{
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

	if (f->record && catalog_metadata(s->former, f->index, &m) < 0)
		status_clear();
	return m;
}

/* One file, as it is read or taken over. */
struct read_file {
	struct former former;
	const struct record *record;
	struct record *own; /* that record, if it was read; to be freed */
	bool is_same;	    /* as the old one */
	struct catalog_metadata *said; /* to be freed */
};

static void cleanup_read_file(struct read_file *f)
{
	free(f->own);
	free(f->said);
}

/* Asks what a plugin says of itself; it stands with the record at `ret`. */
static int read_metadata(struct scan *s, const struct inventory *l, size_t i,
			 struct read_file *f,
			 const struct catalog_metadata **ret)
{
	const struct scan_options *o = s->options;
	struct file_identity sidecar = inventory_sidecar(l, i);
	struct scan_plugin plugin = {
		.dirfd = s->dirfd,
		.dir = s->dir,
		.record = f->record,
		.sidecar = sidecar,
		.is_young = !file_time_is_past(sidecar.ctime_ns, s->start_ns),
		.portable = o->system,
		.former = former_metadata(s, &f->former),
		.same_file = f->is_same,
		.was_probed = s->former && catalog_was_probed(s->former),
	};

	*ret = NULL;
	if (!o->metadata) {
		*ret = f->is_same ? plugin.former : NULL;
		return 0;
	}
	int status = o->metadata(&plugin, o->metadata_data, &f->said);
	if (status == -DLAZY_ENOMEM)
		return status;
	if (status < 0 && s->state == 0)
		strcpy(s->why, status_message());
	if (status < 0)
		s->state = status;
	*ret = f->said;
	return 0;
}

/* Takes one file's record over, or reads it. Its record is NULL where it has gone. */
static int read_record(struct scan *s, const struct inventory *l, size_t i,
		       struct read_file *f)
{
	const struct file_identity *now = &l->files[i].identity;
	const struct record *former = f->former.record;
	bool system = s->options->system;

	if (former && !system && record_is_current(former, -1, now))
		f->record = former;
	else if (former && !system)
		f->record = f->own = record_moved(former, s->dirfd, now);
	f->is_same = f->record != NULL;
	if (f->record)
		return 0;
	int status = read_entry(s, inventory_file(l, i), &f->own);
	if (status < 0)
		return status;
	f->record = f->own;
	f->is_same =
		f->own && former && system && is_same_record(former, f->own);
	return 0;
}

/* *ret_good: it is a plugin. */
static int harvest_file(struct scan *s, struct harvest *h,
			const struct inventory *l, size_t i, bool *ret_good)
{
	_cleanup_(cleanup_read_file) struct read_file f = {
		.former = former_find(s, l, i)};
	const struct catalog_metadata *said;
	int status = read_record(s, l, i, &f);

	*ret_good = false;
	if (status < 0 || !f.record)
		return status;
	*ret_good = record_status(f.record) == 0;
	if (*ret_good)
		count_plugin(s, f.record, f.former.plugin);
	else
		s->result.bad++;
	status = read_metadata(s, l, i, &f, &said);
	return status < 0 ? status : harvest_add(h, f.record, said);
}

/*
 * Of several files with one name, the first that is a plugin counts; those
 * after it are not looked at.
 */
static int harvest_all(struct scan *s, struct harvest *h,
		       const struct inventory *l)
{
	const struct scan_options *o = s->options;
	size_t good = SIZE_MAX;

	s->result = (struct scan_result){.opened = s->result.opened};
	s->state = 0;
	s->start_ns = l->start_ns;
	former_begin(s);
	for (size_t i = 0; i < l->count; i++) {
		bool is_good = false;
		int status = 0;

		if (good == SIZE_MAX || !inventory_same_name(l, i, good))
			status = harvest_file(s, h, l, i, &is_good);
		if (status < 0)
			return status;
		if (is_good)
			good = i;
		if (o->progress)
			o->progress(i + 1, l->count, o->progress_data);
	}
	return 0;
}

/* What a catalog has beside its plugins. */
static struct catalog_facts facts_of(const struct scan *s,
				     const struct inventory *l)
{
	struct catalog_facts facts = {.flags = FORMAT_PORTABLE};

	if (s->options->system)
		return facts;
	return (struct catalog_facts){.directory = l->directory,
				      .scan_start_ns = l->start_ns};
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
		sleep_ns(file_time_grain(placed_ns) + INVENTORY_MARGIN_NS);
	if (fchmod(fd, 0644) < 0)
		return touch_error(s);
	sleep_ns(INVENTORY_SETTLE_NS);
	return 0;
}

/* The user's, if the catalog goes there. */
static int make_cache_dir(const struct scan *s)
{
	bool user = s->file && !s->options->system && !s->options->output;
	_cleanup_free_ char *cache = user ? catalog_cache_dir() : NULL;

	return cache ? file_make_dirs(cache) : 0;
}

static int write_catalog(const struct scan *s, struct harvest *h,
			 const struct catalog_facts *facts)
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
	int status = make_cache_dir(s);
	if (status == 0)
		status = catalog_write(h, facts, s->filefd, s->file,
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
static int look_again(const struct scan *s, const struct inventory *before,
		      bool last, bool *ret_again)
{
	struct inventory after = {0};
	int status = inventory_read_brief(s->dirfd, s->dir, &after);
	bool same = status == 0 && inventory_same_files(before, &after);

	if (s->options->system && !same && (last || status < 0))
		unlinkat(s->filefd, s->file, 0);
	if (status == 0)
		*ret_again = !last && !inventory_equal(before, &after);
	return status;
}

/* Lists, and reads. Of the list, what it was is kept. */
static int gather(struct scan *s, struct harvest *h, struct inventory *l)
{
	bool waits = s->options->patient || s->options->system;
	int status = s->in_memory
			     ? inventory_read(s->dirfd, s->dir, l)
			     : inventory_settle(s->dirfd, s->dir, waits, l);

	if (status == 0)
		status = harvest_all(s, h, l);
	struct inventory kept = {.digest = l->digest,
				 .start_ns = l->start_ns,
				 .directory = l->directory};
	inventory_clear(l);
	*l = kept;
	return status;
}

/* Makes a catalog that is in memory alone. */
static int keep_catalog(struct scan *s, struct harvest *h,
			const struct catalog_facts *facts, struct catalog **ret)
{
	void *data;
	size_t size;

	if (!s->wants_catalog)
		return 0;
	int status = catalog_encode(h, facts, &data, &size);
	return status < 0 ? status : catalog_open_memory(data, size, ret);
}

/* One attempt. *ret_write: how the writing went. */
static int scan_once(struct scan *s, bool last, struct catalog **ret,
		     int *ret_write, bool *ret_again)
{
	_cleanup_inventory_ struct inventory l = {0};
	_cleanup_(harvest_end) struct harvest h =
		harvest_begin(s->filefd, s->in_memory ? NULL : s->file);

	/* What is gathered may have to be there meanwhile. */
	if (!s->in_memory && make_cache_dir(s) < 0)
		status_clear();
	int status = gather(s, &h, &l);
	if (status < 0)
		return status;
	struct catalog_facts facts = facts_of(s, &l);
	*ret_again = false;
	*ret_write = s->in_memory ? 0 : write_catalog(s, &h, &facts);
	if (s->in_memory || *ret_write < 0)
		return keep_catalog(s, &h, &facts, ret);
	harvest_end(&h);
	status = look_again(s, &l, last, ret_again);
	if (status < 0 || *ret_again || !s->wants_catalog)
		return status;
	/* From the file, its records are read as they are needed. */
	if (open_written(s, ret) < 0)
		*ret_again = s->in_memory = true;
	return 0;
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
	int written = 0, status = 0;

	s.in_memory = s.options->dry;
	s.wants_catalog = ret_catalog != NULL;
	find_place(&s, &path);
	former_open(&s);
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
		return write_catalog(&s, NULL, NULL);
	if (written < 0 && !ret_catalog)
		return written;
	status_clear();
	if (ret_result)
		*ret_result = s.result;
	if (ret_catalog)
		*ret_catalog = TAKE_PTR(c);
	return 0;
}
