/* SPDX-License-Identifier: MIT */
/*
 * Where the user's cache is: where the environment says, or below the home that
 * the password file has. (The file itself is read, not the databases that libc
 * would ask: that loads libraries, and may wait for a network.)
 *
 * Root makes nothing below a directory that is not root's. With somebody's
 * environment (sudo -E, su) it would be root's there, and keep the directory's
 * owner out; and the owner could exchange what root is to run.
 */
#include "catalog/catalog.h"

#include "base/cleanup.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

/* An owner without a number in this user namespace. Where the root directory has
 * it, root owns little of what there is: it may be anybody. */
#define OVERFLOW_UID 65534

static bool is_roots(const struct stat *st)
{
	struct stat root;

	return st->st_uid == 0 ||
	       (st->st_uid == OVERFLOW_UID && stat("/", &root) == 0 &&
		root.st_uid == OVERFLOW_UID);
}

/* A path is absolute; relative ones are nobody's: false. *ret: malloc'd, or NULL:
 * out of memory, which makes no other place of this one. */
static bool below(const char *directory, const char *name, char **ret)
{
	if (!directory || directory[0] != '/')
		return false;
	if (asprintf(ret, "%s%s", directory, name) < 0)
		*ret = NULL;
	return true;
}

static void close_stream(FILE **stream)
{
	if (*stream)
		fclose(*stream);
}

/* A field of an entry of passwd(5), from 0; the line is taken apart. */
static const char *field_of(char *line, int which)
{
	char *field = NULL;

	line[strcspn(line, "\n")] = '\0';
	for (int i = 0; i <= which; i++)
		field = strsep(&line, ":");
	return field ? field : "";
}

static bool is_entry_of(const char *line, uid_t user)
{
	char *end, copy[4096];

	if (*line == '#')
		return false;
	strcpy(copy, line);
	const char *number = field_of(copy, 2);
	unsigned long its = strtoul(number, &end, 10);
	return end != number && !*end && its == user;
}

/* As below(), of the user's entry in the password file. */
static bool below_entry(const char *name, char **ret)
{
	_cleanup_(close_stream) FILE *file = fopen("/etc/passwd", "re");
	char line[4096];

	while (file && fgets(line, sizeof(line), file))
		if (is_entry_of(line, geteuid()))
			return below(field_of(line, 5), name, ret);
	return false;
}

/* Is all that there is of the path root's, as far as root cares? */
static bool is_for_us(const char *path)
{
	char part[PATH_MAX];
	size_t n = strlen(path);
	struct stat st;

	if (geteuid() != 0)
		return true;
	if (n >= sizeof(part))
		return false;
	memcpy(part, path, n + 1);
	for (char *at = part + 1;; at++) {
		char c = *at;

		if (c != '/' && c != '\0')
			continue;
		*at = '\0';
		if (stat(part, &st) < 0)
			return true;
		if (!is_roots(&st))
			return false;
		if (c == '\0')
			return true;
		*at = c;
	}
}

/* Not root's is none. */
static bool keep_for_us(bool found, char **path)
{
	if (!found || !*path || is_for_us(*path))
		return found;
	free(*path);
	*path = NULL;
	return false;
}

char *catalog_cache_dir(void)
{
	const char *home = secure_getenv("HOME");
	char *path = NULL;

	if (below(secure_getenv("DLAZY_CACHE_DIR"), "", &path)) {
		keep_for_us(true, &path);
		return path;
	}
	if (getauxval(AT_SECURE) ||
	    keep_for_us(below(secure_getenv("XDG_CACHE_HOME"), "/dlazy", &path),
			&path))
		return path;
	keep_for_us(home && *home ? below(home, "/.cache/dlazy", &path)
				  : below_entry("/.cache/dlazy", &path),
		    &path);
	return path;
}
