/* SPDX-License-Identifier: MIT */
/*
 * Reading parts of an ELF file. The file is read with pread into memory of our
 * own. It may shrink or change while it is read: that gives an error, or other
 * bytes, which are checked like any. Sizes are compared with the file's before
 * memory is allocated.
 */
#include "elf/image.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/status.h"
#include "elf/machine.h"
#include "elf/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Linkers put what a view reads first; more is read for nothing. */
#define HEAD_MAX 16384

int image_damaged(const struct image *image, const char *what)
{
	return status_fail(DLAZY_EFORMAT, "%s: damaged ELF file: %s",
			   image->name, what);
}

static int image_short(const struct image *image, const char *what)
{
	if (errno)
		return status_fail(status_from_errno(errno),
				   "%s: cannot read %s: %s", image->name, what,
				   strerror(errno));
	return status_fail(DLAZY_EFORMAT,
			   "%s: truncated ELF file: %s ends behind its end",
			   image->name, what);
}

static bool read_bytes(const struct image *image, uint64_t offset, char *to,
		       uint64_t size)
{
	if (!range_within(offset, size, image->head_size))
		return file_read_at(image->fd, offset, to, size);
	memcpy(to, image->head + offset, size);
	return true;
}

int image_read(const struct image *image, const char *what, uint64_t offset,
	       uint64_t size, void **ret)
{
	errno = 0;
	if (!range_within(offset, size, image->size))
		return image_short(image, what);
	if (size > IMAGE_TABLE_MAX)
		return status_fail(DLAZY_EFORMAT,
				   "%s: not a usable ELF file: %s of %llu "
				   "bytes, the limit is %u",
				   image->name, what, (unsigned long long)size,
				   IMAGE_TABLE_MAX);
	_cleanup_free_ char *data = malloc(size + 1);
	if (!data)
		return status_no_memory(image->name);
	if (!read_bytes(image, offset, data, size))
		return image_short(image, what);
	data[size] = '\0';
	*ret = TAKE_PTR(data);
	return 0;
}

/* Where in the file an address is, and how much of its segment follows. */
static bool locate(const struct image *image, uint64_t address,
		   uint64_t *ret_offset, uint64_t *ret_size)
{
	for (size_t i = 0; i < image->segment_count; i++) {
		const ElfN(Phdr) *segment = &image->segments[i];

		if (segment->p_type != PT_LOAD || address < segment->p_vaddr ||
		    address - segment->p_vaddr >= segment->p_filesz)
			continue;
		uint64_t into = address - segment->p_vaddr;
		if (!range_within(segment->p_offset, into, image->size))
			return false;
		uint64_t left = image->size - segment->p_offset - into;
		uint64_t room = segment->p_filesz - into;
		*ret_offset = segment->p_offset + into;
		*ret_size = room < left ? room : left;
		return true;
	}
	return false;
}

int image_read_address(const struct image *image, const char *what,
		       uint64_t address, uint64_t size, void **ret)
{
	uint64_t offset, room;

	errno = 0;
	if (!locate(image, address, &offset, &room) || size > room)
		return image_short(image, what);
	return image_read(image, what, offset, size, ret);
}

static bool is_table(int64_t tag)
{
	switch (tag) {
	case DT_HASH:
	case DT_GNU_HASH:
	case DT_SYMTAB:
	case DT_STRTAB:
	case DT_VERSYM:
	case DT_VERDEF:
	case DT_VERNEED:
	case DT_RELA:
	case DT_REL:
	case 36: /* DT_RELR, newer than some <elf.h> */
	case DT_JMPREL:
	case DT_PLTGOT:
	case DT_INIT:
	case DT_FINI:
	case DT_INIT_ARRAY:
	case DT_FINI_ARRAY:
	case DT_PREINIT_ARRAY:
		return true;
	default:
		return false;
	}
}

uint64_t image_room(const struct image *image, uint64_t address)
{
	uint64_t offset, room;

	if (!locate(image, address, &offset, &room))
		return 0;
	for (size_t i = 0; i < image->dynamic_count; i++) {
		uint64_t other = image->dynamic[i].d_un.d_ptr;

		if (is_table(image->dynamic[i].d_tag) && other > address &&
		    other - address < room)
			room = other - address;
	}
	return room;
}

bool image_dynamic(const struct image *image, int64_t tag, uint64_t *ret)
{
	for (size_t i = image->dynamic_count; i > 0; i--) {
		if (image->dynamic[i - 1].d_tag != tag)
			continue;
		*ret = image->dynamic[i - 1].d_un.d_val;
		return true;
	}
	return false;
}

uint64_t image_dynamic_value(const struct image *image, int64_t tag)
{
	uint64_t value = 0;

	image_dynamic(image, tag, &value);
	return value;
}

int image_sections(const struct image *image, ElfN(Shdr) * *ret,
		   size_t *ret_count)
{
	const ElfN(Ehdr) *header = &image->header;

	*ret = NULL;
	*ret_count = 0;
	if (header->e_shnum == 0 || header->e_shentsize != sizeof(**ret))
		return 0;
	int r = image_read(image, "the section headers", header->e_shoff,
			   (uint64_t)header->e_shnum * sizeof(**ret),
			   (void **)ret);
	if (status_is_state(r))
		return r;
	if (r < 0)
		status_clear();
	else
		*ret_count = header->e_shnum;
	return 0;
}

static int read_head(struct image *image)
{
	size_t size = image->size < HEAD_MAX ? image->size : HEAD_MAX;

	image->head = malloc(size + 1);
	if (!image->head)
		return status_no_memory(image->name);
	errno = 0;
	if (!file_read_at(image->fd, 0, image->head, size))
		return image_short(image, "its header");
	image->head_size = size;
	return 0;
}

static int read_header(struct image *image)
{
	uint8_t head[sizeof(image->header)] = {0};
	char words[48];
	size_t size = image->size < sizeof(head) ? image->size : sizeof(head);

	memcpy(head, image->head, size);
	switch (machine_fit(head, size)) {
	case MACHINE_NOT_ELF:
		return status_fail(DLAZY_EFORMAT, "%s: not an ELF file",
				   image->name);
	case MACHINE_FOREIGN:
		return status_fail(
			DLAZY_EMACHINE, "%s: made for %s, this is %s",
			image->name,
			elf_machine_name(head, size, words, sizeof(words)),
			machine_native_name());
	case MACHINE_NATIVE:
		break;
	}
	if (size < sizeof(head))
		return image_short(image, "its header");
	memcpy(&image->header, head, sizeof(head));
	return 0;
}

/* A file that was not copied whole has all its headers, and a page behind its end
 * is a SIGBUS. */
static int check_segments(const struct image *image)
{
	errno = 0;
	for (size_t i = 0; i < image->segment_count; i++) {
		const ElfN(Phdr) *segment = &image->segments[i];

		if (segment->p_type == PT_LOAD &&
		    !range_within(segment->p_offset, segment->p_filesz,
				  image->size))
			return image_short(image, "a segment");
	}
	return 0;
}

static int read_segments(struct image *image)
{
	const ElfN(Ehdr) *header = &image->header;

	if (header->e_type != ET_DYN && header->e_type != ET_EXEC)
		return status_fail(DLAZY_EFORMAT,
				   "%s: neither a shared object nor a program "
				   "(ELF type %u)",
				   image->name, header->e_type);
	if (header->e_phnum == 0 || header->e_phentsize != sizeof(ElfN(Phdr)))
		return image_damaged(image, "no usable program headers");
	int r = image_read(image, "the program header table", header->e_phoff,
			   (uint64_t)header->e_phnum * sizeof(ElfN(Phdr)),
			   (void **)&image->segments);
	if (r < 0)
		return r;
	image->segment_count = header->e_phnum;
	return check_segments(image);
}

static int read_dynamic(struct image *image)
{
	const ElfN(Phdr) *found = NULL;

	for (size_t i = 0; i < image->segment_count; i++)
		if (image->segments[i].p_type == PT_DYNAMIC)
			found = &image->segments[i];
	if (!found)
		return 0;
	int r = image_read(image, "the dynamic section", found->p_offset,
			   found->p_filesz, (void **)&image->dynamic);
	if (r < 0)
		return r;
	size_t most = found->p_filesz / sizeof(ElfN(Dyn));
	while (image->dynamic_count < most &&
	       image->dynamic[image->dynamic_count].d_tag != DT_NULL)
		image->dynamic_count++;
	return 0;
}

int image_open(struct image *image, int fd, const char *name)
{
	struct stat st;

	*image = (struct image){.fd = fd, .name = name};
	if (fstat(fd, &st) < 0)
		return status_fail(status_from_errno(errno), "%s: %s", name,
				   strerror(errno));
	image->size = st.st_size > 0 ? (uint64_t)st.st_size : 0;
	int r = read_head(image);
	if (r == 0)
		r = read_header(image);
	if (r == 0)
		r = read_segments(image);
	return r ? r : read_dynamic(image);
}

void image_end(struct image *image)
{
	free(image->head);
	image->head = NULL;
	image->head_size = 0;
	image->fd = -1;
}

void image_clear(struct image *image)
{
	free(image->head);
	free(image->segments);
	free(image->dynamic);
	*image = (struct image){.fd = -1};
}
