/* SPDX-License-Identifier: MIT */
/*
 * Deciding whether a catalog is trusted. The owner of a directory can put any
 * plugin there, so a catalog of the same owner can do no more harm. In a user
 * namespace root's files belong to nobody (65534), and a shipped catalog is
 * known by having its directory's owner.
 */
#include "catalog/trust.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>

static bool is_owner_trusted(const struct stat *st, const struct stat *dir)
{
	if (st->st_uid == 0)
		return true;
	if (getauxval(AT_SECURE))
		return false;
	return st->st_uid == geteuid() || (dir && st->st_uid == dir->st_uid);
}

static bool can_others_write(const struct stat *st)
{
	return st->st_mode & (S_IWGRP | S_IWOTH);
}

/*
 * Opens a file, or what one symbolic link stands for. The link is held while
 * its owner is looked at and its text read, so that it cannot be exchanged.
 */
static int open_link(int dirfd, const char *file, const struct stat *dir)
{
	_cleanup_close_ int link =
		openat(dirfd, file, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char target[PATH_MAX], path[2 * PATH_MAX];
	struct stat st;

	if (link < 0 || fstat(link, &st) < 0)
		return -1;
	ssize_t n = readlinkat(link, "", target, sizeof(target));
	if (n < 0)
		return -1;
	if (!is_owner_trusted(&st, dir) || n == sizeof(target)) {
		errno = ELOOP;
		return -1;
	}
	int parent = (int)(file_base_name(file) - file);
	if (target[0] == '/')
		parent = 0;
	snprintf(path, sizeof(path), "%.*s%.*s", parent, file, (int)n, target);
	return openat(dirfd, path,
		      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

static int untrusted(const char *what, const char *why)
{
	return status_fail(DLAZY_EUNTRUSTED, "%s: not trusted: %s", what, why);
}

static int check_directory(const struct stat *dir, const char *file)
{
	if (can_others_write(dir))
		return untrusted(file, "others than its owner can write its "
				       "directory");
	if (getauxval(AT_SECURE) && dir->st_uid != 0)
		return untrusted(file, "its directory is not root's, and this "
				       "program runs with more rights than its "
				       "user");
	return 0;
}

int trust_open(int dirfd, const char *file, bool in_dir, int *ret_fd,
	       struct stat *ret_st)
{
	struct stat dir_st, *dir = in_dir ? &dir_st : NULL;
	_cleanup_close_ int fd = -1;

	if (dir && fstat(dirfd, dir) < 0)
		return status_fail(status_from_errno(errno), "%s: %s", file,
				   strerror(errno));
	fd = openat(dirfd, file,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ELOOP)
		fd = open_link(dirfd, file, dir);
	if (fd < 0 && errno == ELOOP)
		return untrusted(file,
				 "a link of another user's, or to a link");
	if (fd < 0 || fstat(fd, ret_st) < 0)
		return status_fail(status_from_errno(errno), "%s: %s", file,
				   strerror(errno));
	if (!S_ISREG(ret_st->st_mode) || !is_owner_trusted(ret_st, dir) ||
	    can_others_write(ret_st))
		return untrusted(file,
				 "must be a file of root, of the user, or "
				 "of its directory's owner, that nobody "
				 "else can write");
	if (dir && check_directory(dir, file) < 0)
		return status_last();
	*ret_fd = TAKE_FD(fd);
	return 0;
}
