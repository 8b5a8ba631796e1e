/* SPDX-License-Identifier: MIT */
/*
 * Keeping views, found by path and by name. What one user could read may be closed
 * to another: when the effective user changes, nothing is kept. When there are too
 * many bytes, views that the last walk did not use go first, and then all.
 */
#include "elf/viewcache.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/status.h"
#include "elf/view.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void drop_view(struct view_cache *cache, struct kept_view *kept)
{
	cache->bytes -= elf_view_memory(kept->view);
	elf_view_close(kept->view);
	free(kept->path);
	free(kept);
}

static void drop_all(struct view_cache *cache)
{
	for (size_t i = 0; i < cache->count; i++)
		drop_view(cache, cache->views[i]);
	cache->count = 0;
	map_clear(&cache->by_path);
	map_clear(&cache->by_name);
}

static void drop_older(struct view_cache *cache)
{
	size_t n = 0;

	map_clear(&cache->by_path);
	map_clear(&cache->by_name);
	for (size_t i = 0; i < cache->count; i++) {
		struct kept_view *kept = cache->views[i];

		if (kept->walk == cache->walk &&
		    map_put(&cache->by_path, hash_string(kept->path), kept))
			cache->views[n++] = kept;
		else
			drop_view(cache, kept);
	}
	cache->count = n;
}

int view_cache_begin(struct view_cache *cache, struct places *ret_places)
{
	uid_t user = geteuid();

	cache->walk++;
	if (user != cache->user)
		drop_all(cache);
	cache->user = user;
	if (!cache->has_places)
		return places_open(ret_places);
	cache->has_places = false;
	*ret_places = cache->places;
	if (places_are_fresh(ret_places)) {
		places_begin(ret_places);
		return 0;
	}
	map_clear(&cache->by_name);
	places_close(ret_places);
	return places_open(ret_places);
}

void view_cache_end(struct view_cache *cache, struct places *places)
{
	cache->places = *places;
	cache->places.views = NULL;
	cache->has_places = true;
	if (cache->bytes > VIEW_CACHE_MAX)
		drop_older(cache);
	if (cache->bytes > VIEW_CACHE_MAX)
		drop_all(cache);
}

void view_cache_clear(struct view_cache *cache)
{
	drop_all(cache);
	free(TAKE_PTR(cache->views));
	cache->room = 0;
	if (cache->has_places)
		places_close(&cache->places);
	cache->has_places = false;
}

const struct kept_view *view_cache_get(struct view_cache *cache,
				       const char *path)
{
	struct kept_view *kept = map_get(&cache->by_path, hash_string(path));
	struct file_identity identity;

	if (!kept || strcmp(kept->path, path) != 0)
		return NULL;
	if (kept->walk == cache->walk)
		return kept;
	if (file_identify(AT_FDCWD, path, &identity) < 0) {
		status_clear();
		return NULL;
	}
	if (!file_identity_equal(&identity, &kept->identity))
		return NULL;
	kept->walk = cache->walk;
	return kept;
}

const struct kept_view *view_cache_get_name(struct view_cache *cache,
					    const char *name)
{
	const struct kept_view *kept =
		map_get(&cache->by_name, hash_string(name));

	return kept && !strcmp(file_base_name(kept->path), name)
		       ? view_cache_get(cache, kept->path)
		       : NULL;
}

void view_cache_put_name(struct view_cache *cache, const struct places *places,
			 const char *name, const char *path)
{
	struct kept_view *kept = map_get(&cache->by_path, hash_string(path));
	const char *first;

	if (kept && !strcmp(kept->path, path) &&
	    ldcache_find(&places->cache, name, places->hwcaps, &first, 1) &&
	    !strcmp(first, path) && !strcmp(file_base_name(path), name))
		map_put(&cache->by_name, hash_string(name), kept);
}

/* Of two paths of one hash the first stays; a file that was put in the place of
 * another takes its place here. */
static bool replace_view(struct view_cache *cache, struct kept_view *kept,
			 const char *path, const struct file_identity *identity,
			 struct elf_view *view)
{
	if (kept->walk == cache->walk || strcmp(kept->path, path) != 0)
		return false;
	cache->bytes -= elf_view_memory(kept->view);
	elf_view_close(kept->view);
	cache->bytes += elf_view_memory(view);
	kept->view = view;
	kept->identity = *identity;
	kept->walk = cache->walk;
	return true;
}

bool view_cache_put(struct view_cache *cache, const char *path,
		    const struct file_identity *identity, uint64_t read_ns,
		    struct elf_view *view)
{
	uint64_t key = hash_string(path);
	struct kept_view *former = map_get(&cache->by_path, key);

	if (!file_time_is_past(identity->mtime_ns, read_ns) ||
	    !file_time_is_past(identity->ctime_ns, read_ns))
		return false;
	if (former)
		return replace_view(cache, former, path, identity, view);
	if (!array_reserve(&cache->views, cache->count, &cache->room,
			   sizeof(struct kept_view *)))
		return false;
	_cleanup_free_ struct kept_view *kept = malloc(sizeof(*kept));
	_cleanup_free_ char *own = strdup(path);
	if (!kept || !own || !map_put(&cache->by_path, key, kept))
		return false;
	*kept = (struct kept_view){own, *identity, view, cache->walk};
	own = NULL;
	cache->bytes += elf_view_memory(view);
	cache->views[cache->count++] = TAKE_PTR(kept);
	return true;
}
