/* SPDX-License-Identifier: MIT */
/*
 * The directories in which one requester's library is searched, in the order
 * of ld.so(8) and glibc's _dl_map_object(): the RPATHs of the object that asks
 * and of those that brought it in (unless it has a RUNPATH), LD_LIBRARY_PATH,
 * its RUNPATH, the cache, the default directories. In each directory its
 * glibc-hwcaps subdirectories come first.
 */
#include "elf/requester.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/status.h"
#include "elf/machine.h"
#include "elf/view.h"
#include "elf/viewcache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct search_origin search_origin_of(const struct elf_view *view,
				      const char *path)
{
	return (struct search_origin){
		.path = path,
		.rpath = elf_view_rpath(view),
		.runpath = elf_view_runpath(view),
		.no_default = elf_view_flags(view) & ELF_NODEFLIB,
	};
}

struct search {
	struct places *places;
	int status; /* the state that ended it, or 0 */
	const char *name;
	const struct file_identity *but;
	enum requester_way way;
	/* Not on the stack: a thread's may be small. */
	char tried[600]; /* for the message: where it was not */
	char found[PATH_MAX];
	char directory[PATH_MAX]; /* of a list */
	char path[2 * PATH_MAX];  /* in a directory */
	char program[PATH_MAX];
};

static void note_place(struct search *search, const char *place)
{
	size_t used = strlen(search->tried);
	size_t room = sizeof(search->tried) - used;

	/* What does not fit is left out whole. */
	if (strlen(place) + 3 <= room)
		snprintf(search->tried + used, room, "%s%s", used ? ", " : "",
			 place);
}

static bool is_passed_over(const struct search *search, const struct stat *st)
{
	struct file_identity identity = file_identity_of(st);

	return search->but && file_identity_equal(search->but, &identity);
}

/* A file could not be looked at, errno says why. True: so the search ends. */
static bool is_search_over(struct search *search, const char *path)
{
	int status = status_from_errno(errno);

	if (errno == EACCES) {
		search->places->denied = true;
		return false;
	}
	if (!status_is_state(status))
		return false;
	search->status = status_fail(status, "%s: %s: %s", search->name, path,
				     strerror(errno));
	return true;
}

/* Would ld.so stop at this file? A foreign one it passes over, a damaged one
 * is its answer. True also where it cannot be told: the search ends. */
static bool is_usable(struct search *search, const char *path)
{
	_cleanup_close_ int fd =
		open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	uint8_t header[MACHINE_HEADER_SIZE];
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return is_search_over(search, path);
	if (!S_ISREG(st.st_mode) || is_passed_over(search, &st))
		return false;
	if (!file_read_at(fd, 0, header, sizeof(header)))
		return !errno || is_search_over(search, path);
	return machine_fit(header, sizeof(header)) != MACHINE_FOREIGN;
}

/* Has it been read, and is it unchanged? */
static bool is_known(const struct search *search, const char *path)
{
	return search->places->views && !search->but &&
	       view_cache_get(search->places->views, path);
}

/* True: it is found, or the search is over. So with all that follows. */
static bool try_file(struct search *search, const char *path)
{
	if (strlen(path) >= sizeof(search->found) ||
	    !(is_known(search, path) || is_usable(search, path)))
		return false;
	strcpy(search->found, path);
	return true;
}

static bool try_directory(struct search *search, const char *directory)
{
	char *path = search->path;
	size_t size = sizeof(search->path), n = strlen(directory);

	if (n >= PATH_MAX)
		return false;
	while (n > 0 && directory[n - 1] == '/')
		n--;
	for (const char *const *cap = search->places->hwcaps; *cap; cap++) {
		snprintf(path, size, "%.*s/glibc-hwcaps/%s/%s", (int)n,
			 directory, *cap, search->name);
		if (try_file(search, path))
			return true;
	}
	snprintf(path, size, "%.*s/%s", (int)n, directory, search->name);
	if (try_file(search, path))
		return true;
	note_place(search, n ? directory : "/");
	return false;
}

/* A list of directories; an empty element is the current one. */
static bool try_list(struct search *search, const char *list,
		     const char *separators, const char *origin)
{
	char *directory = search->directory;

	if (!list || !*list)
		return false;
	for (;;) {
		size_t n = strcspn(list, separators);

		if (n == 0)
			strcpy(directory, ".");
		if ((n == 0 || places_expand(search->places, list, n, origin,
					     directory)) &&
		    try_directory(search, *directory ? directory : "."))
			return true;
		if (!list[n])
			return false;
		list += n + 1;
	}
}

static bool try_rpaths(struct search *search, const struct requester *requester)
{
	for (const struct requester *at = requester; at; at = at->loader) {
		const struct search_origin *origin = &at->origin;

		/* An object's RUNPATH takes its RPATH out of force. */
		if (*origin->runpath ||
		    !try_list(search, origin->rpath, ":", origin->path))
			continue;
		search->way = at == requester || !at->loader
				      ? REQUESTER_RPATH
				      : REQUESTER_INHERITED;
		return true;
	}
	return false;
}

static bool try_library_path(struct search *search)
{
	const struct places *places = search->places;
	char *self = search->program;

	self[0] = '\0';
	if (!places->library_path)
		return false;
	if (!places->program) {
		ssize_t n = readlink("/proc/self/exe", self, PATH_MAX - 1);
		if (n < 0 && is_search_over(search, "/proc/self/exe"))
			return true;
		self[n > 0 ? n : 0] = '\0';
	}
	return try_list(search, places->library_path, ":;",
			places->program ? places->program : self);
}

static bool is_default_place(const struct places *places, const char *path)
{
	for (size_t i = 0; i < places->directory_count; i++) {
		size_t n = strlen(places->directories[i]);

		if (strncmp(path, places->directories[i], n) == 0 &&
		    path[n] == '/')
			return true;
	}
	return false;
}

static bool try_cache(struct search *search, bool no_default)
{
	const struct places *places = search->places;
	const char *paths[8];
	size_t n = ldcache_find(&places->cache, search->name, places->hwcaps,
				paths, ARRAY_SIZE(paths));

	for (size_t i = 0; i < n; i++)
		if (!(no_default && is_default_place(places, paths[i])) &&
		    try_file(search, paths[i]))
			return true;
	if (places->cache.data)
		note_place(search, "ld.so.cache");
	return false;
}

static bool try_default(struct search *search)
{
	for (size_t i = 0; i < search->places->directory_count; i++)
		if (try_directory(search, search->places->directories[i]))
			return true;
	return false;
}

static bool find_bare(struct search *search, const struct requester *requester)
{
	const struct search_origin *origin = &requester->origin;

	if (!*origin->runpath && try_rpaths(search, requester))
		return true;
	if (try_library_path(search))
		return true;
	if (try_list(search, origin->runpath, ":", origin->path))
		return true;
	if (try_cache(search, origin->no_default))
		return true;
	return !origin->no_default && try_default(search);
}

static bool find_path(struct search *search, const struct requester *requester)
{
	char *path = search->directory;

	search->way = REQUESTER_PATH;
	return places_expand(search->places, search->name, strlen(search->name),
			     requester->origin.path, path) &&
	       try_file(search, path);
}

static int not_found(const struct search *search)
{
	bool denied = search->places->denied;

	return status_fail(denied ? DLAZY_EIO : DLAZY_ENOENT,
			   "%s: no such library%s%s (%s)", search->name,
			   *search->tried ? " in " : "", search->tried,
			   denied ? "but not every file or directory may be "
				    "read: permission denied"
				  : "is its package installed, or "
				    "LD_LIBRARY_PATH to be set?");
}

int requester_find(const struct requester *requester, struct places *places,
		   const char *name, char **ret_path,
		   enum requester_way *ret_way)
{
	_cleanup_free_ struct search *search = malloc(sizeof(*search));

	if (!search)
		return status_no_memory(name);
	search->places = places;
	search->status = 0;
	search->name = name;
	search->but = requester->but;
	search->way = REQUESTER_SEARCH;
	search->tried[0] = '\0';
	bool found = strchr(name, '/') ? find_path(search, requester)
				       : find_bare(search, requester);

	if (search->status < 0)
		return search->status;
	if (!found)
		return not_found(search);
	char *path = file_absolute(search->found);
	if (!path)
		return status_last();
	*ret_path = path;
	*ret_way = search->way;
	return 0;
}
