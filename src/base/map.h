/* SPDX-License-Identifier: MIT */
/*
 * A map from 64-bit keys (hashes, pointers) to pointers: open addressing,
 * nothing is ever taken out. Two things of one hash are the caller's to tell
 * apart. Not locked.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_entry {
	uint64_t key;
	void *value; /* NULL: a free place */
};

struct map {
	struct map_entry *entries;
	size_t count;
	size_t room; /* a power of two, or 0 */
};

/* The value of a key, or NULL. */
void *map_get(const struct map *map, uint64_t key);

/* Sets a key's value (not NULL), in place of an older one. false: no memory. */
bool map_put(struct map *map, uint64_t key, void *value);

/* Makes room for `count` keys in all, so that they are put without moving the
 * others. false: no memory. */
bool map_reserve(struct map *map, size_t count);

/*
 * The same in parts, for one that is guarded by a lock under which nothing may
 * be allocated: how many entries there have to be for so many keys (0: too
 * many), and putting so many (all 0) in the place of what there is, which is
 * returned and the caller's to free.
 */
size_t map_room(const struct map *map, size_t count);
struct map_entry *map_replace(struct map *map, struct map_entry *entries,
			      size_t room);

void map_clear(struct map *map);

static inline uint64_t map_pointer_key(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

#endif
