/* SPDX-License-Identifier: MIT */
/*
 * Walking the notes of a file. A note is three words, a name (its owner) and a
 * descriptor, each padded to 4 bytes, or to 8 where the segment is so aligned.
 * A note that does not fit its segment ends the walk: a bad note costs itself
 * and those behind it, not the file.
 */
#include "elf/note.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

/* All notes of a file together; what is behind that is not read. */
#define NOTES_MAX (4u << 20)

/* So many sections of notes are compared with each segment. (Kernels have the
 * most: some ten.) */
#define SECTIONS_MAX 256

static bool append(struct notes *notes, struct elf_note note)
{
	if (!array_reserve(&notes->list, notes->count, &notes->room,
			   sizeof(note)))
		return false;
	notes->list[notes->count++] = note;
	return true;
}

static uint64_t padded(uint64_t size, uint64_t alignment)
{
	return (size + alignment - 1) & ~(alignment - 1);
}

/* Is there a note, with an owner, that fits? Padding has none. */
static bool is_note(const uint8_t *data, uint64_t size, uint64_t at)
{
	ElfN(Nhdr) head;

	if (!range_within(at, sizeof(head), size))
		return false;
	memcpy(&head, data + at, sizeof(head));
	uint64_t owner = at + sizeof(head);
	return head.n_namesz && range_within(owner, head.n_namesz, size) &&
	       data[owner + head.n_namesz - 1] == '\0' &&
	       range_within(padded(owner + head.n_namesz, 4), head.n_descsz,
			    size);
}

/* Where the note behind one that ends here begins; the segment's end, if there
 * is none. */
static uint64_t next_note(const uint8_t *data, uint64_t size, uint64_t end,
			  uint64_t alignment)
{
	uint64_t near = padded(end, 4);

	return is_note(data, size, near) ? near : padded(end, alignment);
}

/*
 * Where the descriptor begins. In a segment that is aligned to 8 bytes each note
 * may be padded to 4 or to 8 (mold puts sections of both kinds into one): it is
 * as the segment says, if then a note or the end follows.
 */
static uint64_t descriptor_of(const uint8_t *data, uint64_t size,
			      uint64_t owner, const ElfN(Nhdr) * head,
			      uint64_t alignment)
{
	uint64_t text = padded(owner + head->n_namesz, alignment);
	uint64_t near = padded(owner + head->n_namesz, 4);

	if (text == near || !range_within(near, head->n_descsz, size))
		return text;
	if (!range_within(text, head->n_descsz, size))
		return near;
	uint64_t next = next_note(data, size, text + head->n_descsz, alignment);
	return next >= size || is_note(data, size, next) ? text : near;
}

static bool parse(struct notes *notes, const uint8_t *data, uint64_t size,
		  uint64_t alignment)
{
	ElfN(Nhdr) head;

	for (uint64_t at = 0; range_within(at, sizeof(head), size);) {
		memcpy(&head, data + at, sizeof(head));
		uint64_t owner = at + sizeof(head);
		if (!range_within(owner, head.n_namesz, size) ||
		    (head.n_namesz && data[owner + head.n_namesz - 1] != '\0'))
			return true;
		/* Everything is padded from the segment's beginning. */
		uint64_t text =
			descriptor_of(data, size, owner, &head, alignment);
		if (!range_within(text, head.n_descsz, size))
			return true;
		struct elf_note note = {
			.owner =
				head.n_namesz ? (const char *)data + owner : "",
			.type = head.n_type,
			.data = data + text,
			.size = head.n_descsz,
		};
		if (!append(notes, note))
			return false;
		at = next_note(data, size, text + head.n_descsz, alignment);
	}
	return true;
}

static int read_block(struct notes *notes, const struct image *image,
		      uint64_t offset, uint64_t size, uint64_t alignment)
{
	void *block;

	if (size > NOTES_MAX - notes->bytes) {
		size = NOTES_MAX - notes->bytes;
		notes->cut = true;
	}
	if (size == 0)
		return 0;
	int r = image_read(image, "a note segment", offset, size, &block);
	if (r < 0)
		return r;
	if (!array_reserve(&notes->blocks, notes->block_count,
			   &notes->block_room, sizeof(*notes->blocks))) {
		free(block);
		return status_no_memory(image->name);
	}
	notes->blocks[notes->block_count++] = block;
	notes->bytes += size;
	return parse(notes, block, size, alignment == 8 ? 8 : 4)
		       ? 0
		       : status_no_memory(image->name);
}

static int read_segments(struct notes *notes, const struct image *image)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < image->segment_count; i++) {
		const ElfN(Phdr) *segment = &image->segments[i];

		if (segment->p_type == PT_NOTE)
			r = read_block(notes, image, segment->p_offset,
				       segment->p_filesz, segment->p_align);
	}
	return r;
}

static bool in_segment(const struct image *image, const ElfN(Shdr) * section)
{
	for (size_t i = 0; i < image->segment_count; i++) {
		const ElfN(Phdr) *segment = &image->segments[i];

		if (segment->p_type == PT_NOTE &&
		    section->sh_offset >= segment->p_offset &&
		    range_within(section->sh_offset - segment->p_offset,
				 section->sh_size, segment->p_filesz))
			return true;
	}
	return false;
}

/* A damaged section costs itself alone: no program would notice it. */
int notes_read_sections(struct notes *notes, const struct image *image)
{
	ElfN(Shdr) * sections;
	size_t n;
	int r = image_sections(image, &sections, &n);

	for (size_t i = 0, seen = 0; !status_is_state(r) && i < n; i++) {
		if (sections[i].sh_type != SHT_NOTE)
			continue;
		if (seen++ == SECTIONS_MAX) {
			notes->cut = true;
			break;
		}
		if (!in_segment(image, &sections[i]))
			r = read_block(notes, image, sections[i].sh_offset,
				       sections[i].sh_size,
				       sections[i].sh_addralign);
	}
	free(sections);
	if (status_is_state(r))
		return r;
	if (r < 0)
		status_clear();
	return 0;
}

int notes_read(struct notes *notes, const struct image *image)
{
	int r = read_segments(notes, image);

	if (r == 0 && !notes_find(notes, ELF_NOTE_GNU, NT_GNU_BUILD_ID))
		r = notes_read_sections(notes, image);
	return r;
}

/* A copy of a descriptor, with a NUL behind it. */
static int copy_descriptor(const struct elf_note *note, const char *name,
			   char **ret, size_t *ret_size)
{
	char *copy = malloc(note->size + 1);

	if (!copy)
		return status_no_memory(name);
	memcpy(copy, note->data, note->size);
	copy[note->size] = '\0';
	*ret = copy;
	*ret_size = note->size;
	return 0;
}

static int read_note(struct notes *notes, const struct image *image,
		     const char *owner, uint32_t type, char **ret,
		     size_t *ret_size)
{
	const struct elf_note *note = NULL;
	int r = read_segments(notes, image);

	if (r == 0)
		note = notes_find(notes, owner, type);
	if (r == 0 && !note) {
		r = notes_read_sections(notes, image);
		note = notes_find(notes, owner, type);
	}
	if (r < 0)
		return r;
	if (note)
		return copy_descriptor(note, image->name, ret, ret_size);
	if (notes->cut)
		return status_fail(DLAZY_EFORMAT,
				   "%s: its notes have more than %u bytes, or "
				   "%u sections",
				   image->name, NOTES_MAX, SECTIONS_MAX);
	return status_fail(DLAZY_ENOENT, "%s: it has no such note",
			   image->name);
}

int elf_note_read(int fd, const char *name, const char *owner, uint32_t type,
		  char **ret, size_t *ret_size)
{
	_cleanup_(image_clear) struct image image = {.fd = -1};
	_cleanup_(notes_clear) struct notes notes = {.list = NULL};
	int r = image_open(&image, fd, name);

	return r < 0 ? r
		     : read_note(&notes, &image, owner, type, ret, ret_size);
}

void notes_clear(struct notes *notes)
{
	for (size_t i = 0; i < notes->block_count; i++)
		free(notes->blocks[i]);
	free(notes->blocks);
	free(notes->list);
}

const struct elf_note *notes_find(const struct notes *notes, const char *owner,
				  uint32_t type)
{
	for (size_t i = 0; i < notes->count; i++)
		if (notes->list[i].type == type &&
		    strcmp(notes->list[i].owner, owner) == 0)
			return &notes->list[i];
	return NULL;
}
