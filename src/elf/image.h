/* SPDX-License-Identifier: MIT */
/*
 * An image: one ELF file on disk, as its program headers map bytes of the file
 * to addresses, and its dynamic section. The lowest layer of the ELF reader:
 * every byte that the other files of this folder see was read and
 * range-checked here.
 */
#ifndef ELF_IMAGE_H
#define ELF_IMAGE_H

#include "elf/native.h"

#include <stdbool.h>
#include <stddef.h>

/* No table of a real file is near this size; one that claims to be larger is
 * refused rather than read. */
#define IMAGE_TABLE_MAX (64u << 20)

struct image {
	int fd;		  /* borrowed; read during opening only */
	const char *name; /* for messages; borrowed */
	uint64_t size;	  /* of the file, when it was opened */
	char *head;	  /* its first bytes, where most tables are */
	size_t head_size;
	ElfN(Ehdr) header;
	ElfN(Phdr) * segments;
	size_t segment_count;
	ElfN(Dyn) * dynamic; /* NULL without PT_DYNAMIC */
	size_t dynamic_count;
};

/* Reads the headers and the dynamic section. 0, or, with message,
 * -DLAZY_EFORMAT, -DLAZY_EMACHINE, -DLAZY_EIO, -DLAZY_ENOMEM. On failure, too,
 * image_clear() frees. */
int image_open(struct image *image, int fd, const char *name);
void image_clear(struct image *image);

/* No more is read. */
void image_end(struct image *image);

/*
 * The section headers, where a file has sound ones; none (NULL, 0) if not. A
 * last resort, as nothing that loads a file reads them and strip may remove
 * them. malloc'd. 0, or the state (status_is_state()) that kept them from being
 * read, with message.
 */
int image_sections(const struct image *image, ElfN(Shdr) * *ret,
		   size_t *ret_count);

/* "damaged ELF file: WHAT", as -DLAZY_EFORMAT. */
int image_damaged(const struct image *image, const char *what);

/* Reads bytes of the file into malloc'd memory, a NUL added after them.
 * what: the table, for messages. */
int image_read(const struct image *image, const char *what, uint64_t offset,
	       uint64_t size, void **ret);

/* The same by address. */
int image_read_address(const struct image *image, const char *what,
		       uint64_t address, uint64_t size, void **ret);

/*
 * How many bytes a table at `address` can have: up to the nearest other table
 * that the dynamic section points at, or the end of the segment's bytes in
 * the file. 0: the address is not in the file.
 */
uint64_t image_room(const struct image *image, uint64_t address);

/* The last entry of that tag in the dynamic section, as ld.so takes it. */
bool image_dynamic(const struct image *image, int64_t tag, uint64_t *ret);

/* Its value, 0 if there is none. */
uint64_t image_dynamic_value(const struct image *image, int64_t tag);

#endif
