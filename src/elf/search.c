/* SPDX-License-Identifier: MIT */
/*
 * The search for one library, on behalf of an object of this process, or for
 * all libraries that a file needs.
 */
#include "elf/search.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/status.h"
#include "elf/requester.h"
#include "elf/view.h"
#include "elf/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A caller of search_closure(). */
struct listener {
	search_closure_fn *fn;
	void *data;
};

static bool tell(const struct walk_object *object,
		 const struct walk_object *needed_by, void *data)
{
	const struct listener *listener = data;

	return listener->fn(object->name, object->path, needed_by->path,
			    listener->data);
}

int search_closure(const char *path, search_closure_fn *fn, void *data)
{
	struct listener listener = {fn, data};
	const struct walk_options options = {.found = tell, .data = &listener};
	_cleanup_walk_ struct walk walk;

	return walk_run(&walk, path, &options);
}

int search_expand(const char *path, const char *origin, char **ret)
{
	_cleanup_free_ char *expanded = malloc(PATH_MAX);
	struct places places;
	int r = places_open(&places);

	if (r == 0 && !expanded)
		r = status_no_memory(path);
	if (r == 0 &&
	    !places_expand(&places, path, strlen(path), origin, expanded))
		r = status_fail(DLAZY_ENOENT,
				"%s: what it begins with is not known, or not "
				"allowed here",
				path);
	places_close(&places);
	if (r == 0)
		*ret = TAKE_PTR(expanded);
	return r;
}

/* Whether DIRECTORY/NAME is there, or cannot be told. The path is made in a
 * buffer that has room. */
static bool may_be_in(char *path, const char *directory, size_t n,
		      const char *name)
{
	struct stat st;

	memcpy(path, n ? directory : ".", n ? n : 1);
	n = n ? n : 1;
	path[n] = '/';
	strcpy(path + n + 1, name);
	return fstatat(AT_FDCWD, path, &st, 0) == 0 ||
	       (errno != ENOENT && errno != ENOTDIR);
}

/* Of a first call these are the only words to be put together: what libc has
 * for that would have to be looked up, and mapped, for it. */
bool search_may_be_in(const char *list, const char *name)
{
	static const char hwcaps[] = "glibc-hwcaps";

	if (!*list || strchr(list, '$'))
		return *list;
	_cleanup_free_ char *path =
		malloc(strlen(list) + strlen(name) + sizeof(hwcaps) + 2);
	if (!path)
		return true;
	for (;;) {
		size_t n = 0;

		while (list[n] && list[n] != ':')
			n++;
		if (may_be_in(path, list, n, name) ||
		    may_be_in(path, list, n, hwcaps))
			return true;
		if (!list[n])
			return false;
		list += n + 1;
	}
}

#define PROGRAM "/proc/self/exe"

/* Its file, and not what has its path by now: the linker read it at the start. Of
 * a program that was removed or replaced, the path has a note behind its name,
 * whose directory alone is used. */
static int open_program(char **ret_path, struct elf_view **ret_view)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *path = malloc(PATH_MAX);

	if (!path)
		return status_fail(DLAZY_ENOMEM, PROGRAM ": out of memory");
	ssize_t n = readlink(PROGRAM, path, PATH_MAX - 1);
	if (n < 0)
		return status_fail(status_from_errno(errno), PROGRAM ": %s",
				   strerror(errno));
	path[n] = '\0';
	int r = file_open(AT_FDCWD, PROGRAM, &fd, NULL);
	if (r == 0)
		r = elf_view_open_needs(fd, path, ret_view);
	*ret_path = TAKE_PTR(path);
	return r;
}

/* The program of this process; *ret_view NULL where it is not to be had (no
 * /proc, a file that may be run but not read). 0, or a state that passes. */
static int find_program(char **ret_path, struct elf_view **ret_view)
{
	int r = open_program(ret_path, ret_view);
	bool passes = status_is_state(r) && access(PROGRAM, R_OK) == 0;

	if (r < 0 && !passes)
		status_clear();
	return passes ? r : 0;
}

int search_library(const char *name, const struct search_origin *origin,
		   char **ret_path)
{
	return search_library_but(name, origin, NULL, ret_path);
}

int search_library_but(const char *name, const struct search_origin *origin,
		       const struct file_identity *but, char **ret_path)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_elf_view_ struct elf_view *view = NULL;
	bool known = origin && origin->program;
	int r = known ? 0 : find_program(&path, &view);
	struct requester self = {.loader = NULL};
	struct requester requester = {
		.origin = origin ? *origin
				 : (struct search_origin){"", "", "", false,
							  NULL},
		.loader = known || view ? &self : NULL,
		.but = but,
	};
	struct places places;
	enum requester_way way;

	if (r < 0)
		return r;
	if (known)
		self.origin = *origin->program;
	else if (view)
		self.origin = search_origin_of(view, path);
	r = places_open(&places);
	if (r == 0)
		r = requester_find(&requester, &places, name, ret_path, &way);
	places_close(&places);
	return r;
}
