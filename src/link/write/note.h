/* SPDX-License-Identifier: MIT */
/*
 * Notes of an ELF file that is being written.
 */
#ifndef LINK_WRITE_NOTE_H
#define LINK_WRITE_NOTE_H

#include "link/write/build.h"

/* Adds a note section; filled by build_note_fill(). */
struct build_section *build_note(struct build *b, const char *name,
				 uint64_t data_size, const char *owner,
				 uint64_t alignment);
void build_note_fill(const struct build_section *s, uint32_t type,
		     const char *owner, const void *data, size_t size);

/* .note.gnu.property: indirect branches meet landing pads, returns their
 * calls (x86-64: IBT and SHSTK; AArch64: BTI and PAC). */
struct build_section *build_note_property(struct build *b);
void build_note_property_fill(const struct build *b,
			      const struct build_section *s);

/* .note.gnu.build-id, which build_finish() completes. */
struct build_section *build_note_id(struct build *b);
void build_note_id_fill(const struct build_section *s);

#endif
