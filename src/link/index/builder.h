/* SPDX-License-Identifier: MIT */
/*
 * The index's tables while they are made: they grow. Each function returns
 * false when memory runs out, or the range of the numbers by which tables
 * refer to each other.
 */
#ifndef LINK_INDEX_BUILDER_H
#define LINK_INDEX_BUILDER_H

#include "link/index/tables.h"

struct draft {
	struct table_place *places;
	struct table_directory *directories;
	struct table_entry *entries;
	struct table_elf *elves;
	uint64_t *keys;
	char *strings;
	size_t place_room, directory_room, entry_room, elf_room, key_room,
		strings_room;
	size_t place_count, directory_count, entry_count, elf_count, key_count,
		strings_size;
};

bool draft_place(struct draft *draft, const struct table_place *place);
bool draft_directory(struct draft *draft,
		     const struct table_directory *directory);
bool draft_entry(struct draft *draft, const struct table_entry *entry);
bool draft_elf(struct draft *draft, const struct table_elf *elf);

/* *ret: where the copy is. */
bool draft_string(struct draft *draft, const char *string, uint32_t *ret);
bool draft_keys(struct draft *draft, const uint64_t *keys, uint32_t count,
		struct table_span *ret);

/* What there is so far, as tables; until the draft is changed. */
struct tables draft_tables(const struct draft *draft);
void draft_clear(struct draft *draft);

#endif
