/* SPDX-License-Identifier: MIT */
/*
 * One library, in the name of an object of this process, or all that a file
 * needs.
 */
#include "elf/search.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/status.h"
#include "elf/requester.h"
#include "elf/view.h"
#include "elf/walk.h"

#include <fcntl.h>
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

/* The program of this process; NULL where it cannot be read. */
static struct elf_view *program(char **ret_path)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *path = realpath("/proc/self/exe", NULL);
	struct file_identity identity;
	struct elf_view *view;

	if (!path || file_open(AT_FDCWD, path, &fd, &identity) < 0 ||
	    elf_view_open_needs(fd, path, &view) < 0) {
		status_clear();
		return NULL;
	}
	*ret_path = TAKE_PTR(path);
	return view;
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
	_cleanup_elf_view_ struct elf_view *view = program(&path);
	struct requester self = {.loader = NULL};
	struct requester requester = {
		.origin = origin ? *origin
				 : (struct search_origin){"", "", "", false},
		.loader = view ? &self : NULL,
		.but = but,
	};
	struct places places;
	enum requester_way way;

	if (view)
		self.origin = search_origin_of(view, path);
	places_open(&places);
	int r = requester_find(&requester, &places, name, ret_path, &way);
	places_close(&places);
	return r;
}
