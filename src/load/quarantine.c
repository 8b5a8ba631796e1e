/* SPDX-License-Identifier: MIT */
/*
 * See quarantine.h. The file is locked whole (flock) while lines are looked at or
 * added. Lines are never moved, only blanked, so that what another process has locked
 * stays where it is; when no line is left, the file is emptied.
 *
 * A process that ends by exit() while another thread loads has not died of that load:
 * marks of other threads are blanked then.
 */
#include "load/quarantine.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/lock.h"
#include "load/module.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define LOCK_WAIT_MS 2000
#define BYTES_MAX ((size_t)1 << 20) /* of a file that is still looked at */
#define PATH_MAX_BYTES 4096
#define LINE_MAX_BYTES (3 * PATH_MAX_BYTES + 256)

struct quarantine {
	struct quarantine *next;
	char file[];
};

static struct quarantine *all; /* under load_lock; never freed */

/* Loads that are marked, for exit(); those that find no room are not blanked then. */
#define MARKS 64
static struct {
	struct quarantine_mark mark;
	pthread_t thread;
} marks[MARKS]; /* under load_lock */

static int fail_on(const char *file, const char *what)
{
	return status_fail(status_from_errno(errno),
			   "%s: the quarantine cannot be %s: %s", file, what,
			   strerror(errno));
}

static int open_file(const char *file, int *ret)
{
	*ret = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return *ret < 0 ? fail_on(file, "opened") : 0;
}

static int open_locked(const char *file, int *ret)
{
	_cleanup_close_ int fd = -1;
	int status = open_file(file, &fd);

	if (status < 0)
		return status;
	if (!file_lock(fd, LOCK_WAIT_MS))
		return fail_on(file, "locked");
	*ret = TAKE_FD(fd);
	return 0;
}

static int fail_to_read(const char *file)
{
	return status_fail(DLAZY_ENOMEM,
			   "%s: the quarantine cannot be read: too large, or "
			   "out of memory",
			   file);
}

/* All of it, with a NUL; malloc'd. */
static char *read_all(int fd, size_t *ret_size)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || (size_t)st.st_size > BYTES_MAX)
		return NULL;
	size_t size = (size_t)st.st_size;
	char *text = malloc(size + 1);
	if (text && size && !file_read_at(fd, 0, text, size)) {
		free(text);
		return NULL;
	}
	if (text)
		text[size] = '\0';
	*ret_size = size;
	return text;
}

/* ------------------------------------------------------------------ */
/* Lines                                                              */

/* What a line says. */
struct marker {
	struct file_identity file;
	const char *path; /* in the line, as encode_path() makes it */
	int path_length;
};

/* A device's number may be another after a start, and a link or a mode is no change
 * of the file. */
static bool is_of_file(const struct marker *marker,
		       const struct file_identity *file)
{
	return marker->file.ino == file->ino &&
	       marker->file.size == file->size &&
	       marker->file.mtime_ns == file->mtime_ns;
}

/* A name may have anything in it, and a line has no newline but its last. */
static bool is_written_as_it_is(char c)
{
	return c != '%' && (unsigned char)c >= ' ' && c != 0x7f;
}

/* malloc'd, with %XX for other bytes; NULL: out of memory, or too long. */
static char *encode_path(const char *path)
{
	size_t length = strlen(path);
	char *text = length > PATH_MAX_BYTES ? NULL : malloc(3 * length + 1);
	char *at = text;

	if (!text)
		return NULL;
	for (; *path; path++)
		if (is_written_as_it_is(*path))
			*at++ = *path;
		else
			at += sprintf(at, "%%%02X", (unsigned char)*path);
	*at = '\0';
	return text;
}

/* false: it is none. */
static bool decode_path(const struct marker *marker,
			char path[PATH_MAX_BYTES + 1])
{
	const char *at = marker->path, *end = at + marker->path_length;
	size_t n = 0;

	for (; at < end && n < PATH_MAX_BYTES; n++) {
		unsigned byte;

		if (*at != '%') {
			path[n] = *at++;
			continue;
		}
		if (end - at < 3 || sscanf(at + 1, "%2x", &byte) != 1)
			return false;
		path[n] = (char)byte;
		at += 3;
	}
	path[n] = '\0';
	return at == end;
}

/* "loading INODE SIZE MTIME PATH CHECKSUM"; false: it is none, or not whole. */
static bool parse_line(const char *line, size_t length, struct marker *ret)
{
	unsigned long long ino, size, mtime, checksum;
	int path = 0;

	if (length < 24 || length >= LINE_MAX_BYTES ||
	    line[length - 17] != ' ' ||
	    sscanf(line + length - 16, "%16llx", &checksum) != 1 ||
	    checksum != hash_bytes(line, length - 17) ||
	    sscanf(line, "loading %llu %llu %llu %n", &ino, &size, &mtime,
		   &path) != 3 ||
	    !path || (size_t)path > length - 17)
		return false;
	*ret = (struct marker){
		.file = {.ino = ino, .size = size, .mtime_ns = mtime},
		.path = line + path,
		.path_length = (int)length - 17 - path};
	return true;
}

/* malloc'd, with its newline; NULL: out of memory. */
static char *make_line(const struct file_identity *file, const char *path)
{
	_cleanup_free_ char *encoded = encode_path(path);
	char *text, *line = NULL;

	if (!encoded ||
	    asprintf(&text, "loading %llu %llu %llu %s",
		     (unsigned long long)file->ino,
		     (unsigned long long)file->size,
		     (unsigned long long)file->mtime_ns, encoded) < 0)
		return NULL;
	if (asprintf(&line, "%s %016llx\n", text,
		     (unsigned long long)hash_bytes(text, strlen(text))) < 0)
		line = NULL;
	free(text);
	return line;
}

/* Whether the process that wrote these bytes still loads. */
static bool is_held(int fd, long long at, size_t length)
{
	struct flock lock = {.l_type = F_WRLCK,
			     .l_whence = SEEK_SET,
			     .l_start = at,
			     .l_len = (off_t)length};

	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static bool hold(int fd, long long at, size_t length)
{
	struct flock lock = {.l_type = F_WRLCK,
			     .l_whence = SEEK_SET,
			     .l_start = at,
			     .l_len = (off_t)length};

	return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

static void blank(int fd, long long at, size_t length)
{
	char spaces[512];

	memset(spaces, ' ', sizeof(spaces));
	while (length) {
		size_t n = length < sizeof(spaces) ? length : sizeof(spaces);

		if (pwrite(fd, spaces, n, (off_t)at) != (ssize_t)n)
			return; /* it refuses a plugin that did nothing */
		at += (long long)n;
		length -= n;
	}
}

/* Is there anything but blanks? */
static bool is_blank(const char *text)
{
	return text[strspn(text, " \n")] == '\0';
}

/* A marker that was left by whoever loaded. */
static bool is_left(int fd, const char *text, const char *line, size_t length,
		    struct marker *ret)
{
	return parse_line(line, length, ret) &&
	       !is_held(fd, line - text, length);
}

/* Whether the file is still as it was. If another is at its path, the marker counts for
 * nothing any more; one that is absent, or cannot be looked at, may come back. */
static bool is_still_there(int fd, const char *text, const char *line,
			   size_t length, const struct marker *marker)
{
	struct file_identity now;
	char path[PATH_MAX_BYTES + 1];

	if (!decode_path(marker, path))
		return false;
	if (file_identify(AT_FDCWD, path, &now) < 0) {
		status_clear();
		return false;
	}
	bool same = is_of_file(marker, &now);
	if (!same)
		blank(fd, line - text, length);
	return same;
}

/* Whether a load of that file was left. */
static bool has_died(int fd, const char *text, const struct file_identity *file)
{
	struct marker marker;
	bool found = false;

	for (const char *line = text; *line && !found;) {
		size_t length = strcspn(line, "\n");

		if (is_left(fd, text, line, length, &marker)) {
			found = is_of_file(&marker, file);
			if (!found)
				is_still_there(fd, text, line, length, &marker);
		}
		line += length + (line[length] == '\n');
	}
	return found;
}

/* ------------------------------------------------------------------ */
/* Loads                                                              */

static void remember(const struct quarantine_mark *mark)
{
	LOCKED(&load_lock);
	for (size_t i = 0; i < MARKS; i++) {
		if (marks[i].mark.set)
			continue;
		marks[i].mark = *mark;
		marks[i].thread = pthread_self();
		return;
	}
}

static void forget(const struct quarantine_mark *mark)
{
	LOCKED(&load_lock);
	for (size_t i = 0; i < MARKS; i++)
		if (marks[i].mark.set && marks[i].mark.fd == mark->fd)
			marks[i].mark.set = false;
}

/* exit() has been called. Not a destructor: those wait for the dynamic linker, which
 * another thread's load has. */
static void blank_others(void)
{
	LOCKED(&load_lock);
	for (size_t i = 0; i < MARKS; i++)
		if (marks[i].mark.set &&
		    !pthread_equal(marks[i].thread, pthread_self()))
			blank(marks[i].mark.fd, marks[i].mark.at,
			      marks[i].mark.length);
}

/* Appends the line. If the last one is not whole, this one is another all the same. */
static int write_line(int fd, const char *file, const char *text, size_t size,
		      const char *line, struct quarantine_mark *ret)
{
	size_t length = strlen(line);
	bool cut = size && text[size - 1] != '\n';

	if (is_blank(text)) {
		if (ftruncate(fd, 0) < 0)
			return fail_on(file, "emptied");
		size = 0;
		cut = false;
	}
	if ((cut && pwrite(fd, "\n", 1, (off_t)size) != 1) ||
	    pwrite(fd, line, length, (off_t)size + cut) != (ssize_t)length)
		return fail_on(file, "written");
	*ret = (struct quarantine_mark){.at = (long long)size + cut,
					.length = (unsigned)length - 1};
	return hold(fd, ret->at, ret->length) ? 0 : fail_on(file, "locked");
}

static int enter(const struct quarantine *q, const char *path, const char *name,
		 struct quarantine_mark *ret)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *text = NULL, *line = NULL;
	struct file_identity file;
	size_t size;
	int status = file_identify(AT_FDCWD, path, &file);

	if (status == 0)
		status = open_locked(q->file, &fd);
	if (status < 0)
		return status;
	text = read_all(fd, &size);
	line = make_line(&file, path);
	if (!text || !line)
		return fail_to_read(q->file);
	if (has_died(fd, text, &file))
		return status_fail(
			DLAZY_EPOLICY,
			"%s: in quarantine, as the process that loaded %s last "
			"died of it, or meanwhile; replace the file, or remove "
			"%s to try it again",
			path, name, q->file);
	status = write_line(fd, q->file, text, size, line, ret);
	if (status < 0)
		return status;
	flock(fd, LOCK_UN);
	ret->fd = TAKE_FD(fd);
	ret->set = true;
	return 0;
}

int quarantine_enter(const struct dlazy_module *m, struct quarantine_mark *ret)
{
	const struct quarantine *q = atomic_load(&m->quarantine);

	*ret = (struct quarantine_mark){.set = false};
	if (!q)
		return 0;
	int status = enter(q, m->path, m->name, ret);
	if (status == 0)
		remember(ret);
	return status;
}

void quarantine_leave(struct quarantine_mark *mark)
{
	if (!mark->set)
		return;
	forget(mark);
	blank(mark->fd, mark->at, mark->length);
	close(mark->fd);
	mark->set = false;
}

/* Who has the descriptor has the lock of the line, too. */
void quarantine_after_fork(void)
{
	LOCKED(&load_lock);
	for (size_t i = 0; i < MARKS; i++) {
		if (!marks[i].mark.set ||
		    pthread_equal(marks[i].thread, pthread_self()))
			continue;
		close(marks[i].mark.fd);
		marks[i].mark.set = false;
	}
}

/* ------------------------------------------------------------------ */
/* Quarantines                                                        */

static struct quarantine *quarantine_of_locked(const char *file)
{
	struct quarantine *q = all;

	while (q && strcmp(q->file, file) != 0)
		q = q->next;
	return q;
}

int quarantine_open(const char *file, struct quarantine **ret)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ struct quarantine *fresh =
		malloc(sizeof(*fresh) + strlen(file) + 1);
	int status = open_file(file, &fd);

	if (!fresh)
		return status_no_memory(file);
	if (status < 0)
		return status;
	strcpy(fresh->file, file);
	LOCKED(&load_lock);
	*ret = quarantine_of_locked(file);
	if (*ret)
		return 0;
	if (!all)
		atexit(blank_others);
	fresh->next = all;
	all = fresh;
	*ret = TAKE_PTR(fresh);
	return 0;
}

static int list_left(int fd, const char *file, quarantine_fn *fn, void *data)
{
	struct marker marker;
	char path[PATH_MAX_BYTES + 1];
	size_t size;
	_cleanup_free_ char *text = read_all(fd, &size);

	if (!text)
		return fail_to_read(file);
	for (const char *line = text; *line;) {
		size_t length = strcspn(line, "\n");

		if (is_left(fd, text, line, length, &marker) &&
		    is_still_there(fd, text, line, length, &marker) &&
		    decode_path(&marker, path))
			fn(data, path);
		line += length + (line[length] == '\n');
	}
	return 0;
}

int quarantine_list(const struct quarantine *q, quarantine_fn *fn, void *data)
{
	_cleanup_close_ int fd = -1;
	int status = open_locked(q->file, &fd);

	return status < 0 ? status : list_left(fd, q->file, fn, data);
}

int quarantine_read(const char *file, quarantine_fn *fn, void *data)
{
	_cleanup_close_ int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return fail_on(file, "opened");
	if (!file_lock(fd, LOCK_WAIT_MS))
		return fail_on(file, "locked");
	return list_left(fd, file, fn, data);
}
