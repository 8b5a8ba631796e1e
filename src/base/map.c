/* SPDX-License-Identifier: MIT */
/*
 * A hash table with linear probing, at most half full. Keys are mixed once
 * more (Fibonacci hashing), as pointers differ little in their low bits.
 */
#include "base/map.h"

#include <stdlib.h>

static size_t map_start(const struct map *map, uint64_t key)
{
	return (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) &
	       (map->room - 1);
}

/* The entry that holds the key, or the free one where it would stand. */
static struct map_entry *map_entry_of(const struct map *map, uint64_t key)
{
	size_t i = map_start(map, key);

	while (map->entries[i].value && map->entries[i].key != key)
		i = (i + 1) & (map->room - 1);
	return &map->entries[i];
}

void *map_get(const struct map *map, uint64_t key)
{
	return map->room ? map_entry_of(map, key)->value : NULL;
}

size_t map_room(const struct map *map, size_t count)
{
	size_t room = map->room ? map->room : 16;

	while (room / 2 <= count) {
		if (room > SIZE_MAX / 2 / sizeof(*map->entries))
			return 0;
		room *= 2;
	}
	return room;
}

struct map_entry *map_replace(struct map *map, struct map_entry *entries,
			      size_t room)
{
	struct map grown = {entries, map->count, room};
	struct map_entry *old = map->entries;

	for (size_t i = 0; i < map->room; i++)
		if (old[i].value)
			*map_entry_of(&grown, old[i].key) = old[i];
	*map = grown;
	return old;
}

bool map_reserve(struct map *map, size_t count)
{
	size_t room = map_room(map, count);

	if (room == map->room || !room)
		return room;
	struct map_entry *entries = calloc(room, sizeof(*entries));
	if (!entries)
		return false;
	free(map_replace(map, entries, room));
	return true;
}

bool map_put(struct map *map, uint64_t key, void *value)
{
	if (!map_reserve(map, map->count))
		return false;
	struct map_entry *entry = map_entry_of(map, key);
	map->count += !entry->value;
	*entry = (struct map_entry){key, value};
	return true;
}

void map_clear(struct map *map)
{
	free(map->entries);
	*map = (struct map){NULL, 0, 0};
}
