/* SPDX-License-Identifier: MIT */
/*
 * Writing notes. A note is three words, a name (its owner) and a descriptor,
 * each padded to the section's alignment. Source: gABI chapter 5 "Note
 * Section".
 */
#include "link/write/note.h"

#include <elf.h>
#include <string.h>

#define BUILD_ID_SIZE 16

static uint64_t padded(uint64_t size, uint64_t alignment)
{
	return (size + alignment - 1) & ~(alignment - 1);
}

/* Where the data begin. */
static uint64_t data_offset(const char *owner, uint64_t alignment)
{
	return padded(sizeof(Elf64_Nhdr) + strlen(owner) + 1, alignment);
}

struct build_section *build_note(struct build *b, const char *name,
				 uint64_t data_size, const char *owner,
				 uint64_t alignment)
{
	uint64_t size =
		data_offset(owner, alignment) + padded(data_size, alignment);
	struct build_section *s =
		build_section(b, name, BUILD_CONSTANT, size, alignment);

	s->type = SHT_NOTE;
	return s;
}

void build_note_fill(const struct build_section *s, uint32_t type,
		     const char *owner, const void *data, size_t size)
{
	Elf64_Nhdr header = {.n_namesz = (uint32_t)strlen(owner) + 1,
			     .n_descsz = (uint32_t)size,
			     .n_type = type};

	memcpy(s->data, &header, sizeof(header));
	memcpy(s->data + sizeof(header), owner, header.n_namesz);
	memcpy(s->data + data_offset(owner, s->alignment), data, size);
}

struct property {
	uint32_t type, size, value, padding;
};

struct build_section *build_note_property(struct build *b)
{
	return build_note(b, ".note.gnu.property", sizeof(struct property),
			  ELF_NOTE_GNU, 8);
}

void build_note_property_fill(const struct build *b,
			      const struct build_section *s)
{
	const struct property property = {
		.type = b->cpu->property,
		.size = sizeof(property.value),
		.value = b->cpu->features,
	};

	build_note_fill(s, NT_GNU_PROPERTY_TYPE_0, ELF_NOTE_GNU, &property,
			sizeof(property));
}

struct build_section *build_note_id(struct build *b)
{
	return build_note(b, ".note.gnu.build-id", BUILD_ID_SIZE, ELF_NOTE_GNU,
			  4);
}

void build_note_id_fill(const struct build_section *s)
{
	static const uint8_t none[BUILD_ID_SIZE];

	build_note_fill(s, NT_GNU_BUILD_ID, ELF_NOTE_GNU, none, sizeof(none));
}
