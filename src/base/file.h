/* SPDX-License-Identifier: MIT */
/*
 * Files: their identity, their bytes, and replacing them whole. This is the
 * one place that maps and renames files. Paths may be relative to a directory
 * descriptor (AT_FDCWD for none); each descriptor is O_CLOEXEC. Error messages
 * name the file.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/*
 * An identity: tells a file from another and from its own later contents.
 * Times are nanoseconds since the epoch; all 0: not known.
 */
struct file_identity {
	uint64_t dev;
	uint64_t ino;
	uint64_t size;
	uint64_t mtime_ns;
	uint64_t ctime_ns;
};

struct file_identity file_identity_of(const struct stat *st);

/*
 * Whether a change at `now` (since the epoch) would give a file another time than
 * `time`. Some file systems keep seconds, or every second one; all keep no more
 * than the kernel's clock ticks; and a clock may have been set back. If this is
 * false, the file's times do not tell it from its later self.
 */
bool file_time_is_past(uint64_t time_ns, uint64_t now_ns);

/* Whether it is of a file system that keeps less than a second. */
bool file_has_fine_time(uint64_t time_ns);

/* Now, since the epoch. */
uint64_t file_now(void);

/* How long it takes until that is true of a time that is now. */
uint64_t file_time_grain(uint64_t time_ns);

bool file_identity_equal(const struct file_identity *a,
			 const struct file_identity *b);

/* Whether it is the same file, whatever its contents are by now. */
bool file_identity_same_inode(const struct file_identity *a,
			      const struct file_identity *b);

/* Stats a path, following links. 0, -ENOENT, -EIO (DLAZY's), with message. */
int file_identify(int dirfd, const char *path, struct file_identity *ret);

/*
 * Opens a regular file for reading and says which it is. 0, or DLAZY_ENOENT,
 * DLAZY_EIO, DLAZY_EFORMAT (not a regular file), negated, with message. Never
 * blocks on a FIFO or a device.
 */
int file_open(int dirfd, const char *path, int *ret_fd,
	      struct file_identity *ret_identity);

/* Closes all descriptors from `first` on; where the kernel cannot (before 5.9),
 * one after the other, up to the limit. */
void file_close_from(int first);

/* Is it root's or this user's, and can nobody else write to it? */
bool file_is_trusted(const struct stat *st);

/*
 * Opens a regular file of which that is true, and which is no link, for what
 * `access` says (O_RDONLY, O_RDWR), and says how large it is. 0, or a status as
 * file_open()'s, or -DLAZY_EUNTRUSTED, with message.
 */
int file_open_trusted(int dirfd, const char *path, int access, int *ret_fd,
		      uint64_t *ret_size);

/*
 * Reads exactly `size` bytes at `offset`. false, without message: they are not
 * there. errno is 0 then if the file ends before, which is a fact about the
 * file; else it is why it could not be read.
 */
bool file_read_at(int fd, uint64_t offset, void *buffer, size_t size);

/* As pread(2), but for signals: those that interrupt it are passed over. */
ssize_t file_read_some(int fd, uint64_t offset, void *buffer, size_t size);

/* A whole file, mapped read-only. */
struct file_map {
	const uint8_t *data;
	size_t size;
};

/*
 * Maps an open file of `size` bytes. Who maps a file trusts its owner not to
 * truncate it (that would raise SIGBUS): catalogs, which are replaced by
 * rename, are mapped; plugin files are read. 0, -DLAZY_EIO, -DLAZY_ENOMEM.
 */
int file_map(int fd, size_t size, struct file_map *ret);
void file_unmap(struct file_map *map);

/* The same, written through to the file, which must be open for that: for
 * counters that processes share. NULL, with message, on failure. */
void *file_map_shared(int fd, size_t size);
void file_unmap_shared(void *data, size_t size);

/* Zeroed memory of a file's size, which costs nothing before it is used. NULL: out
 * of memory; sets no message. */
void *file_reserve(size_t size);
void file_release(void *memory, size_t size);

/* Makes it zeros again, which cost nothing. */
void file_forget(void *memory, size_t size);

/* Waits for the lock of an open file for so long. false, with errno: it is not
 * to be had (EBUSY: another process still has it). Unlocked by closing. */
bool file_lock(int fd, unsigned milliseconds);

/*
 * Puts a file in place, whole or not at all: temporary file beside it, fsync,
 * rename, fsync of the directory. On failure, whichever call it was, the old
 * file is untouched and no temporary is left; a
 * killed writer leaves ".NAME.new", which the next one takes up. Writers of one
 * name follow each other; one that holds it for 2 s (stopped) is not waited
 * for. mode: as of open(). 0, -DLAZY_ENOENT, -DLAZY_EIO with message.
 */
int file_replace(int dirfd, const char *name, const void *data, size_t size,
		 mode_t mode);

/* The same, with what `fill` writes to the empty file; false: it could not, and
 * errno says why. */
typedef bool file_fill_fn(int fd, void *data);
int file_replace_by(int dirfd, const char *name, file_fill_fn *fill, void *data,
		    mode_t mode);

/* Writes all at an offset. false, with errno, without message: it cannot be. */
bool file_write_at(int fd, uint64_t offset, const void *data, size_t size);

/* Makes a directory and those above it, mode 0700 each. 0 or negated status. */
int file_make_dirs(const char *path);

/* Opens a directory, and no link to one, to go through its names; NULL and errno on
 * failure. */
DIR *file_list(int dirfd, const char *path);

/* A malloc'd absolute form of path, links kept; NULL, with message: out of
 * memory, or no current directory. */
char *file_absolute(const char *path);

/* The part behind the last slash. */
const char *file_base_name(const char *path);

#endif
