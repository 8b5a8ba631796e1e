/* SPDX-License-Identifier: MIT */
/*
 * Which catalogs are trusted. A catalog decides what a host finds, so it must
 * belong to somebody who could as well have put a plugin there.
 */
#ifndef CATALOG_TRUST_H
#define CATALOG_TRUST_H

#include <stdbool.h>
#include <sys/stat.h>

/*
 * Opens a catalog file, or what one symbolic link stands for, if it is root's or
 * this user's, and nobody else can write it. in_dir: dirfd is the directory that
 * it is of; then that one's owner is trusted, too, and nobody else may be able
 * to write the directory. An AT_SECURE program trusts root alone. 0, or, with
 * message, -DLAZY_ENOENT, -DLAZY_EUNTRUSTED, or a state.
 */
int trust_open(int dirfd, const char *file, bool in_dir, int *ret_fd,
	       struct stat *ret_st);

#endif
