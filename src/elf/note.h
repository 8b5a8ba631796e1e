/* SPDX-License-Identifier: MIT */
/*
 * The notes of one file, of its PT_NOTE segments. Where no build-id is among
 * them the SHT_NOTE sections are read as well: patchelf moves notes out of the
 * segments.
 */
#ifndef ELF_NOTE_H
#define ELF_NOTE_H

#include "elf/image.h"
#include "elf/view.h"

struct notes {
	struct elf_note *list;
	size_t count;
	size_t room;
	void **blocks; /* that the list points into */
	size_t block_count;
	size_t block_room;
	uint64_t bytes;
	bool cut; /* there are more than are read of one file */
};

/* 0 or negated status; on failure, too, notes_clear() frees. */
int notes_read(struct notes *notes, const struct image *image);

/* Those of SHT_NOTE sections that are in no segment, too. 0 or a state. */
int notes_read_sections(struct notes *notes, const struct image *image);
void notes_clear(struct notes *notes);

/* The first of that owner and type, or NULL. */
const struct elf_note *notes_find(const struct notes *notes, const char *owner,
				  uint32_t type);

#endif
