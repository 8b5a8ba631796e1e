/* SPDX-License-Identifier: MIT */
/*
 * Filling the index's tables. They refer to each other by 32-bit numbers; the
 * largest number means "none".
 */
#include "link/index/builder.h"

#include "base/array.h"

#include <string.h>

bool draft_place(struct draft *draft, const struct table_place *place)
{
	if (!array_reserve(&draft->places, draft->place_count,
			   &draft->place_room, sizeof(*place)))
		return false;
	draft->places[draft->place_count++] = *place;
	return true;
}

bool draft_directory(struct draft *draft,
		     const struct table_directory *directory)
{
	if (draft->directory_count == TABLES_NONE ||
	    !array_reserve(&draft->directories, draft->directory_count,
			   &draft->directory_room, sizeof(*directory)))
		return false;
	draft->directories[draft->directory_count++] = *directory;
	return true;
}

bool draft_entry(struct draft *draft, const struct table_entry *entry)
{
	if (draft->entry_count == TABLES_NONE ||
	    !array_reserve(&draft->entries, draft->entry_count,
			   &draft->entry_room, sizeof(*entry)))
		return false;
	draft->entries[draft->entry_count++] = *entry;
	return true;
}

bool draft_elf(struct draft *draft, const struct table_elf *elf)
{
	if (draft->elf_count == TABLES_NONE ||
	    !array_reserve(&draft->elves, draft->elf_count, &draft->elf_room,
			   sizeof(*elf)))
		return false;
	draft->elves[draft->elf_count++] = *elf;
	return true;
}

bool draft_string(struct draft *draft, const char *string, uint32_t *ret)
{
	size_t n = strlen(string) + 1, size = draft->strings_size;

	if (n > TABLES_NONE - size)
		return false;
	if (n > draft->strings_room - size) {
		size_t room = (size + n) * 2;
		char *grown = realloc(draft->strings, room);

		if (!grown)
			return false;
		draft->strings = grown;
		draft->strings_room = room;
	}
	memcpy(draft->strings + size, string, n);
	draft->strings_size = size + n;
	*ret = (uint32_t)size;
	return true;
}

bool draft_keys(struct draft *draft, const uint64_t *keys, uint32_t count,
		struct table_span *ret)
{
	size_t n = draft->key_count;

	if (count > TABLES_NONE - n)
		return false;
	if (count > draft->key_room - n) {
		size_t room = (n + count) * 2;
		uint64_t *grown =
			reallocarray(draft->keys, room, sizeof(*keys));

		if (!grown)
			return false;
		draft->keys = grown;
		draft->key_room = room;
	}
	if (count)
		memcpy(draft->keys + n, keys, count * sizeof(*keys));
	draft->key_count = n + count;
	*ret = (struct table_span){(uint32_t)n, count};
	return true;
}

struct tables draft_tables(const struct draft *draft)
{
	return (struct tables){
		.places = draft->places,
		.directories = draft->directories,
		.entries = draft->entries,
		.elves = draft->elves,
		.keys = draft->keys,
		.strings = draft->strings,
		.place_count = draft->place_count,
		.directory_count = draft->directory_count,
		.entry_count = draft->entry_count,
		.elf_count = draft->elf_count,
		.key_count = draft->key_count,
		.strings_size = draft->strings_size,
	};
}

void draft_clear(struct draft *draft)
{
	free(draft->places);
	free(draft->directories);
	free(draft->entries);
	free(draft->elves);
	free(draft->keys);
	free(draft->strings);
	*draft = (struct draft){0};
}
