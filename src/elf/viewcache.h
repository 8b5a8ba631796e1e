/* SPDX-License-Identifier: MIT */
/*
 * Views of libraries, kept from one walk (walk.h) to the next: the plugins of one
 * host mostly need the same libraries. Each walk looks once whether the file at a
 * view's path is still the one that was read; if it is not, the view is not given
 * out. A file that is so young that a later change could leave its times as they
 * are is not kept. At most VIEW_CACHE_MAX bytes remain between walks, those of the
 * last walk first.
 *
 * The places where libraries are searched (places.h) are kept, too.
 *
 * Not locked: one walk at a time. What a walk was given stays until its end.
 */
#ifndef ELF_VIEWCACHE_H
#define ELF_VIEWCACHE_H

#include "base/file.h"
#include "base/map.h"
#include "elf/places.h"

#define VIEW_CACHE_MAX (16u << 20)

struct elf_view;

struct kept_view {
	char *path;
	struct file_identity identity;
	struct elf_view *view;
	size_t walk; /* in which it was last given out */
};

struct view_cache {
	struct kept_view **views;
	size_t count, room;
	struct map by_path; /* hash of a path -> struct kept_view */
	struct map by_name; /* hash of a base name -> the same, see below */
	size_t bytes;
	size_t walk;	      /* the number of this one */
	uid_t user;	      /* who has read: another may not be allowed to */
	struct places places; /* of the last walk, if it has any */
	bool has_places;
};

/* A walk begins: *ret_places is as of places_open(), which see for the result;
 * and ends: nothing that it was given is used any more. */
int view_cache_begin(struct view_cache *cache, struct places *ret_places);
void view_cache_end(struct view_cache *cache, struct places *places);

/* NULL: there is none, or the file is another one now. */
const struct kept_view *view_cache_get(struct view_cache *cache,
				       const char *path);

/*
 * The library that ld.so.cache has first for a name; NULL: not known, or not as
 * it was. It is known after view_cache_put_name() with the path that was found,
 * until ld.so.cache changes.
 */
const struct kept_view *view_cache_get_name(struct view_cache *cache,
					    const char *name);
void view_cache_put_name(struct view_cache *cache, const struct places *places,
			 const char *name, const char *path);

/* Takes the view, which was read at that time (since the epoch) or later, over if
 * it returns true; else it is still the caller's. */
bool view_cache_put(struct view_cache *cache, const char *path,
		    const struct file_identity *identity, uint64_t read_ns,
		    struct elf_view *view);

void view_cache_clear(struct view_cache *cache);

#endif
