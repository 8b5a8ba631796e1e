/* SPDX-License-Identifier: MIT */
/*
 * An ELF file in memory, for tests that damage one and read what comes of it.
 * Only for good files: nothing is checked here.
 */
#ifndef TESTS_UNIT_ELF_FILE_H
#define TESTS_UNIT_ELF_FILE_H

#include "tests/test.h"

#include "elf/native.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct elf_file {
	uint8_t *data;
	size_t size;
};

static inline struct elf_file elf_file_read(const char *path)
{
	struct elf_file file;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0)
		test_fail(__FILE__, __LINE__, "cannot read %s", path);
	file.size = (size_t)st.st_size;
	file.data = malloc(file.size);
	CHECK(file.data &&
	      read(fd, file.data, file.size) == (ssize_t)file.size);
	close(fd);
	return file;
}

static inline ElfN(Ehdr) * elf_file_header(const struct elf_file *file)
{
	return (ElfN(Ehdr) *)file->data;
}

static inline ElfN(Phdr) *
	elf_file_segment(const struct elf_file *file, uint32_t type)
{
	const ElfN(Ehdr) *header = elf_file_header(file);
	ElfN(Phdr) *segments = (void *)(file->data + header->e_phoff);

	for (unsigned i = 0; i < header->e_phnum; i++)
		if (segments[i].p_type == type)
			return &segments[i];
	return NULL;
}

/* The bytes at an address. */
static inline void *elf_file_at(const struct elf_file *file, uint64_t address)
{
	const ElfN(Ehdr) *header = elf_file_header(file);
	const ElfN(Phdr) *segments = (void *)(file->data + header->e_phoff);

	for (unsigned i = 0; i < header->e_phnum; i++)
		if (segments[i].p_type == PT_LOAD &&
		    address - segments[i].p_vaddr < segments[i].p_filesz)
			return file->data + segments[i].p_offset +
			       (address - segments[i].p_vaddr);
	return NULL;
}

/* The first dynamic entry of that tag (DT_NULL: the end), or NULL. */
static inline ElfN(Dyn) *
	elf_file_dynamic(const struct elf_file *file, int64_t tag)
{
	const ElfN(Phdr) *segment = elf_file_segment(file, PT_DYNAMIC);
	ElfN(Dyn) *entry = (void *)(file->data + segment->p_offset);

	for (; entry->d_tag != tag; entry++)
		if (entry->d_tag == DT_NULL)
			return NULL;
	return entry;
}

/* Takes a table out of the dynamic section. */
static inline void elf_file_drop(const struct elf_file *file, int64_t tag)
{
	ElfN(Dyn) *entry = elf_file_dynamic(file, tag);

	if (entry)
		entry->d_tag = 0x6000000f; /* of no meaning */
}

/* Appends an entry: link editors leave room. */
static inline void elf_file_add(const struct elf_file *file, int64_t tag,
				uint64_t value)
{
	ElfN(Dyn) *entry = elf_file_dynamic(file, DT_NULL);

	entry->d_tag = (int)tag;
	entry->d_un.d_val = value;
	CHECK(entry[1].d_tag == DT_NULL);
}

static inline void elf_file_write(const struct elf_file *file, const char *path)
{
	FILE *out = fopen(path, "we");

	CHECK(out && fwrite(file->data, 1, file->size, out) == file->size &&
	      fclose(out) == 0);
}

#endif
