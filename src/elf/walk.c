/* SPDX-License-Identifier: MIT */
/*
 * The order of a walk is that of glibc's _dl_map_object_deps() and, for
 * preloaded objects, of its rtld.c. Names and files that the walk has come to
 * are kept as hashes: of two names with one hash the second is taken for the
 * first, from which nobody gains anything.
 */
#include "elf/walk.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/status.h"
#include "elf/view.h"
#include "elf/viewcache.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define PRELOAD_FILE "/etc/ld.so.preload"
#define PRELOAD_MAX 4096 /* bytes, of either list */

void walk_object_free(struct walk_object *object)
{
	if (!object)
		return;
	if (!object->is_kept)
		elf_view_close(object->view);
	free(object->name);
	free(object->path);
	free(object->needs);
	free(object);
}

static void cleanup_object(struct walk_object **object)
{
	walk_object_free(*object);
}
#define _cleanup_object_ _cleanup_(cleanup_object)

void walk_end(struct walk *walk)
{
	for (size_t i = 0; i < walk->count; i++)
		walk_object_free(walk->objects[i]);
	free(walk->objects);
	map_clear(&walk->names);
	map_clear(&walk->files);
	if (walk->cache)
		view_cache_end(walk->cache, &walk->places);
	else
		places_close(&walk->places);
}

static int state_of(const char *path)
{
	return status_fail(status_from_errno(errno), "%s: %s", path,
			   strerror(errno));
}

/* ------------------------------------------------------------------ */
/* What the walk has come to                                          */

static uint64_t key_of_file(const struct walk_object *object)
{
	const uint64_t file[] = {object->identity.dev, object->identity.ino};

	return hash_bytes(file, sizeof(file));
}

static size_t place_of(const struct map *map, uint64_t key)
{
	return (size_t)map_get(map, key) - 1;
}

static bool note_place(struct map *map, uint64_t key, size_t place)
{
	return map_get(map, key) || map_put(map, key, (void *)(place + 1));
}

static bool note_name(struct walk *walk, const char *name, size_t place)
{
	return note_place(&walk->names, hash_string(name), place);
}

/* Adds an object under its names; frees it if that fails. */
static int walk_add_object(struct walk *walk, struct walk_object *object)
{
	_cleanup_object_ struct walk_object *owned = object;
	const char *soname = object->view ? elf_view_soname(object->view) : "";
	size_t place = walk->count;

	if (!array_reserve(&walk->objects, walk->count, &walk->room,
			   sizeof(*walk->objects)) ||
	    !note_name(walk, object->name, place) ||
	    (*soname && !note_name(walk, soname, place)) ||
	    (object->identity.ino != 0 &&
	     !note_place(&walk->files, key_of_file(object), place)))
		return status_no_memory(object->name);
	object->aliased = strcmp(object->name, soname) != 0;
	walk->objects[walk->count++] = TAKE_PTR(owned);
	return 0;
}

/* Takes `path` (malloc'd, or NULL) over. */
static struct walk_object *object_new(const char *name, char *path,
				      const struct walk_object *loader)
{
	_cleanup_free_ char *owned = path;
	_cleanup_object_ struct walk_object *object =
		calloc(1, sizeof(*object));

	if (!object)
		return NULL;
	object->requester = (struct requester){
		.origin = {"", "", "", false},
		.loader = loader ? &loader->requester : NULL,
	};
	object->path = TAKE_PTR(owned);
	object->needed_by = WALK_NONE;
	object->name = strdup(name);
	return object->name ? TAKE_PTR(object) : NULL;
}

static int read_object(struct walk_object *object,
		       const struct walk_options *options)
{
	_cleanup_close_ int fd = -1;
	int r = file_open(AT_FDCWD, object->path, &fd, &object->identity);

	if (r == 0)
		r = options->symbols
			    ? elf_view_open(fd, object->path, &object->view)
			    : elf_view_open_needs(fd, object->path,
						  &object->view);
	if (r == 0)
		object->requester.origin =
			search_origin_of(object->view, object->path);
	return r;
}

static bool take_kept(struct walk_object *object, struct view_cache *cache)
{
	const struct kept_view *kept =
		cache ? view_cache_get(cache, object->path) : NULL;

	if (!kept)
		return false;
	object->view = kept->view;
	object->is_kept = true;
	object->identity = kept->identity;
	object->requester.origin = search_origin_of(object->view, object->path);
	return true;
}

/* A library that others may need, too. */
static int read_library(struct walk_object *object,
			const struct walk_options *options)
{
	if (take_kept(object, options->cache))
		return 0;
	uint64_t now = options->cache ? file_now() : 0;
	int r = read_object(object, options);

	if (r == 0 && options->cache)
		object->is_kept =
			view_cache_put(options->cache, object->path,
				       &object->identity, now, object->view);
	return r;
}

/* ------------------------------------------------------------------ */
/* One step                                                           */

/* Does nothing come before ld.so.cache? */
static bool is_by_cache(const struct walk *walk, const struct requester *needs)
{
	const char *list = walk->places.library_path;

	if ((list && *list) || *needs->origin.runpath ||
	    needs->origin.no_default)
		return false;
	for (const struct requester *at = needs; at; at = at->loader)
		if (*at->origin.rpath)
			return false;
	return true;
}

static char *find_kept(struct walk *walk, const struct requester *needs,
		       const char *name)
{
	const struct kept_view *kept =
		walk->cache && is_by_cache(walk, needs)
			? view_cache_get_name(walk->cache, name)
			: NULL;

	return kept ? strdup(kept->path) : NULL;
}

static int find_path(struct walk *walk, const struct walk_object *needs,
		     const char *name, char **ret, enum requester_way *ret_way)
{
	const char *interpreter = elf_view_interpreter(walk->objects[0]->view);

	*ret_way = REQUESTER_SEARCH;
	/* It is in the process before anything is searched for. */
	if (*interpreter == '/' &&
	    strcmp(file_base_name(interpreter), name) == 0) {
		*ret = strdup(interpreter);
		return *ret ? 0 : status_no_memory(name);
	}
	*ret = find_kept(walk, &needs->requester, name);
	return *ret ? 0
		    : requester_find(&needs->requester, &walk->places, name,
				     ret, ret_way);
}

/* The object of a name: *ret_place is the walk's count if it is a new one, and
 * is then *ret_object, not yet added. */
static int find_object(struct walk *walk, const struct walk_options *options,
		       const struct walk_object *needs, const char *name,
		       size_t *ret_place, struct walk_object **ret_object)
{
	char *path = NULL;
	enum requester_way way;

	*ret_place = place_of(&walk->names, hash_string(name));
	if (*ret_place != WALK_NONE)
		return 0;
	int r = find_path(walk, needs, name, &path, &way);
	if (status_is_state(r))
		return r;
	_cleanup_object_ struct walk_object *object =
		object_new(name, path, needs);
	if (!object)
		return status_no_memory(name);
	object->way = way;
	if (r == 0)
		r = read_library(object, options);
	if (r == 0 && object->is_kept && is_by_cache(walk, &needs->requester))
		view_cache_put_name(walk->cache, &walk->places, name, path);
	if (status_is_state(r))
		return r;
	/* That it is missing, or damaged, is the caller's to say. */
	if (r < 0)
		status_clear();
	*ret_place = object->identity.ino
			     ? place_of(&walk->files, key_of_file(object))
			     : WALK_NONE;
	if (*ret_place == WALK_NONE) {
		*ret_place = walk->count;
		*ret_object = TAKE_PTR(object);
		return 0;
	}
	/* The same file by another name: not a library of its own. */
	walk->objects[*ret_place]->aliased = true;
	return note_name(walk, name, *ret_place) ? 0 : status_no_memory(name);
}

/* *ret: the walk goes on. */
static int follow(struct walk *walk, const struct walk_options *options,
		  size_t from, const char *name, bool *ret)
{
	struct walk_object *needs = walk->objects[from], *object = NULL;
	size_t place;
	int r = find_object(walk, options, needs, name, &place, &object);

	if (r < 0)
		return r;
	if (object) {
		object->needed_by = from;
		r = walk_add_object(walk, object);
		if (r < 0)
			return r;
	} else if (strcmp(name, walk->objects[place]->name) != 0) {
		const struct elf_view *view = walk->objects[place]->view;

		walk->objects[place]->aliased |=
			!view || strcmp(name, elf_view_soname(view)) != 0;
	}
	if (!array_reserve(&needs->needs, needs->need_count, &needs->need_room,
			   sizeof(*needs->needs)))
		return status_no_memory(name);
	needs->needs[needs->need_count++] = place;
	*ret = !object || !options->found ||
	       options->found(object, needs, options->data);
	return 0;
}

static int follow_needs(struct walk *walk, const struct walk_options *options,
			size_t from, bool *ret)
{
	const struct elf_view *view = walk->objects[from]->view;
	int r = 0;

	*ret = true;
	for (size_t i = 0; view && *ret && r == 0; i++) {
		if (i == elf_view_needed_count(view))
			break;
		r = follow(walk, options, from, elf_view_needed(view, i), ret);
	}
	return r;
}

/* ------------------------------------------------------------------ */
/* The start                                                          */

/* The first object: a program is known to itself by where it really is. */
static int begin(struct walk *walk, const char *path,
		 const struct walk_options *options)
{
	char *absolute = file_absolute(path);

	if (!absolute)
		return status_last();
	_cleanup_object_ struct walk_object *root =
		object_new(path, absolute, NULL);
	if (!root)
		return status_no_memory(path);
	int r = read_object(root, options);
	if (r < 0)
		return r;
	if (elf_view_flags(root->view) & ELF_INTERP) {
		char *real = realpath(root->path, NULL);
		if (!real && status_is_state(status_from_errno(errno)))
			return state_of(root->path);
		if (real) {
			free(root->path);
			root->path = real;
			root->requester.origin.path = real;
		}
		walk->places.program = root->path;
	}
	return walk_add_object(walk, TAKE_PTR(root));
}

/* What cannot be preloaded, ld.so leaves out with a warning. */
static int preload(struct walk *walk, const struct walk_options *options,
		   const char *name)
{
	struct walk_object *object = NULL;
	size_t place;
	int r = find_object(walk, options, walk->objects[0], name, &place,
			    &object);

	if (r < 0 || !object)
		return r;
	if (!object->view) {
		walk_object_free(object);
		return 0;
	}
	object->preloaded = true;
	r = walk_add_object(walk, object);
	if (r == 0 && options->found)
		options->found(object, walk->objects[0], options->data);
	return r;
}

static int preload_list(struct walk *walk, const struct walk_options *options,
			char *list, const char *separators)
{
	char *save = NULL;
	int r = 0;

	for (char *name = strtok_r(list, separators, &save); name && r == 0;
	     name = strtok_r(NULL, separators, &save))
		r = preload(walk, options, name);
	return r;
}

static void blank_comments(char *text)
{
	while ((text = strchr(text, '#')))
		while (*text && *text != '\n')
			*text++ = ' ';
}

static int preload_all(struct walk *walk, const struct walk_options *options)
{
	const char *variable = secure_getenv("LD_PRELOAD");
	_cleanup_free_ char *list = malloc(PRELOAD_MAX);
	_cleanup_close_ int fd =
		open(PRELOAD_FILE, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int r = 0;

	if (fd < 0 && status_is_state(status_from_errno(errno)) &&
	    errno != EACCES) /* ld.so could not read it either */
		return state_of(PRELOAD_FILE);
	if (!list)
		return status_no_memory(NULL);
	if (variable && strlen(variable) < PRELOAD_MAX) {
		strcpy(list, variable);
		r = preload_list(walk, options, list, " :");
	}
	if (r < 0 || fd < 0)
		return r;
	ssize_t n = pread(fd, list, PRELOAD_MAX - 1, 0);
	if (n < 0)
		return state_of(PRELOAD_FILE);
	list[n] = '\0';
	blank_comments(list);
	return preload_list(walk, options, list, ": \t\n");
}

int walk_run(struct walk *walk, const char *path,
	     const struct walk_options *options)
{
	bool on = true;

	*walk = (struct walk){0};
	int r = options->cache ? view_cache_begin(options->cache, &walk->places)
			       : places_open(&walk->places);
	if (r == 0) {
		walk->cache = options->cache;
		walk->places.views = options->cache;
	}
	if (r == 0)
		r = begin(walk, path, options);
	if (r == 0 && options->preload)
		r = preload_all(walk, options);
	for (size_t i = 0; r == 0 && on && i < walk->count; i++)
		r = follow_needs(walk, options, i, &on);
	return r;
}

/* What blocks are usually aligned to. */
#define TLS_ALIGNMENT 64

uint32_t walk_add_static_tls(uint32_t all, const struct elf_view *view)
{
	uint64_t size = view ? elf_view_tls_size(view) : 0;
	uint64_t sum = all + (size ? size + 2 * TLS_ALIGNMENT : 1);

	return sum < UINT32_MAX / 2 ? (uint32_t)sum : UINT32_MAX / 2;
}

uint32_t walk_static_tls(const char *program)
{
	const struct walk_options options = {.preload = true};
	_cleanup_walk_ struct walk walk;
	uint32_t all = 0;

	if (walk_run(&walk, program, &options) < 0) {
		status_clear();
		return 0;
	}
	for (size_t i = 0; i < walk.count; i++)
		all = walk_add_static_tls(all, walk.objects[i]->view);
	return all;
}
