/* SPDX-License-Identifier: MIT */
/*
 * Reading symbol tables through section headers, which relocatable objects
 * always have. Sources: gABI chapter 4; ar(5).
 */
#include "link/code/undefined.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/status.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARCHIVE_MAGIC "!<arch>\n"
#define THIN_MAGIC "!<thin>\n"
#define BITCODE_MAGIC "BC\xc0\xde"
#define FILE_MAX_SIZE (UINT64_C(1) << 31)

/* An object: a file, or a member of an archive. */
struct object_bytes {
	const char *path;
	const uint8_t *data;
	size_t size;
};

static bool begins(const struct object_bytes *o, const char *magic)
{
	size_t n = strlen(magic);

	return o->size >= n && memcmp(o->data, magic, n) == 0;
}

static int damaged(const struct object_bytes *o, const char *what)
{
	return status_fail(DLAZY_EFORMAT, "%s: damaged: %s", o->path, what);
}

static bool is_inside(const struct object_bytes *o, uint64_t at, uint64_t size)
{
	return size <= o->size && at <= o->size - size;
}

static bool read_section(const struct object_bytes *o, const Elf64_Ehdr *header,
			 uint64_t i, Elf64_Shdr *ret)
{
	uint64_t at = header->e_shoff;

	if (at > o->size || i > o->size / sizeof(*ret))
		return false;
	at += i * sizeof(*ret);
	if (!is_inside(o, at, sizeof(*ret)))
		return false;
	memcpy(ret, o->data + at, sizeof(*ret));
	return ret->sh_type == SHT_NOBITS ||
	       is_inside(o, ret->sh_offset, ret->sh_size);
}

static int refuse_lto(const struct object_bytes *o)
{
	return status_fail(DLAZY_EFORMAT,
			   "%s: compiled with -flto, it has no symbols of "
			   "machine code yet: give the linked file, or compile "
			   "with -ffat-lto-objects",
			   o->path);
}

/* The string at an offset of a table, which may lack its end. NULL: none. */
static const char *string_at(const struct object_bytes *o,
			     const Elf64_Shdr *strings, uint32_t offset)
{
	const char *data = (const char *)o->data + strings->sh_offset;

	if (offset >= strings->sh_size ||
	    !memchr(data + offset, '\0', strings->sh_size - offset))
		return NULL;
	return data + offset;
}

static int each_symbol(const struct object_bytes *o, const Elf64_Shdr *table,
		       const Elf64_Shdr *strings, undefined_fn *fn, void *data)
{
	for (uint64_t i = 1; i < table->sh_size / sizeof(Elf64_Sym); i++) {
		Elf64_Sym symbol;

		memcpy(&symbol, o->data + table->sh_offset + i * sizeof(symbol),
		       sizeof(symbol));
		const char *name = string_at(o, strings, symbol.st_name);
		if (!name)
			return damaged(o, "a symbol's name");
		if (strcmp(name, "__gnu_lto_slim") == 0)
			return refuse_lto(o);
		if (symbol.st_shndx != SHN_UNDEF || !*name)
			continue;
		int r = fn(name, data);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_header(const struct object_bytes *o, Elf64_Ehdr *ret)
{
	if (begins(o, BITCODE_MAGIC))
		return refuse_lto(o);
	if (!begins(o, ELFMAG))
		return status_fail(DLAZY_EFORMAT,
				   "%s: neither object, archive nor linked "
				   "file",
				   o->path);
	if (o->size < sizeof(*ret))
		return damaged(o, "its header");
	memcpy(ret, o->data, sizeof(*ret));
	if (ret->e_ident[EI_CLASS] != ELFCLASS64 ||
	    ret->e_ident[EI_DATA] != ELFDATA2LSB ||
	    ret->e_shentsize != sizeof(Elf64_Shdr))
		return status_fail(DLAZY_EFORMAT,
				   "%s: no ELF file of 64 bits, little-endian, "
				   "with section headers",
				   o->path);
	return 0;
}

/* Relocatable objects have one symbol table; of linked files, that of the
 * dynamic linker counts. */
static int each_of_object(const struct object_bytes *o, undefined_fn *fn,
			  void *data)
{
	Elf64_Ehdr header;
	Elf64_Shdr section, strings;
	int r = check_header(o, &header);

	if (r < 0)
		return r;
	uint32_t wanted = header.e_type == ET_REL ? SHT_SYMTAB : SHT_DYNSYM;
	uint64_t count = header.e_shnum;
	/* So many that the field has no room. */
	if (count == 0 && header.e_shoff &&
	    read_section(o, &header, 0, &section))
		count = section.sh_size;
	for (uint64_t i = 1; i < count; i++) {
		if (!read_section(o, &header, i, &section))
			return damaged(o, "a section header");
		if (section.sh_type != wanted)
			continue;
		if (!read_section(o, &header, section.sh_link, &strings) ||
		    strings.sh_type != SHT_STRTAB)
			return damaged(o, "the names of its symbols");
		r = each_symbol(o, &section, &strings, fn, data);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Archives. */

#define MEMBER_SIZE 60
#define MEMBER_LENGTH 48 /* in a header: decimal, padded by spaces */
#define LENGTH_DIGITS 10

static int each_of_archive(const struct object_bytes *o, undefined_fn *fn,
			   void *data)
{
	size_t at = strlen(ARCHIVE_MAGIC);

	while (at < o->size) {
		char length[LENGTH_DIGITS + 1] = "";

		if (!is_inside(o, at, MEMBER_SIZE))
			return damaged(o, "a member's header");
		const char *header = (const char *)o->data + at;
		memcpy(length, header + MEMBER_LENGTH, LENGTH_DIGITS);
		struct object_bytes member = {o->path,
					      o->data + at + MEMBER_SIZE,
					      strtoull(length, NULL, 10)};
		at += MEMBER_SIZE;
		if (!is_inside(o, at, member.size))
			return damaged(o, "a member");
		at += member.size + (member.size & 1);
		/* "/", "/SYM64/", "//": of the archive itself. Others begin
		 * with a slash only if a number follows. */
		if (header[0] == '/' && (header[1] < '0' || header[1] > '9'))
			continue;
		if (!begins(&member, ELFMAG) && !begins(&member, BITCODE_MAGIC))
			continue;
		int r = each_of_object(&member, fn, data);
		if (r < 0)
			return r;
	}
	return 0;
}

static int each_of_bytes(const struct object_bytes *o, undefined_fn *fn,
			 void *data)
{
	if (begins(o, THIN_MAGIC))
		return status_fail(DLAZY_EFORMAT,
				   "%s: a thin archive: give its members",
				   o->path);
	return begins(o, ARCHIVE_MAGIC) ? each_of_archive(o, fn, data)
					: each_of_object(o, fn, data);
}

int undefined_each(const char *path, undefined_fn *fn, void *data)
{
	_cleanup_close_ int fd = -1;
	struct file_identity identity;
	int r = file_open(AT_FDCWD, path, &fd, &identity);

	if (r < 0)
		return r;
	if (identity.size > FILE_MAX_SIZE)
		return status_fail(DLAZY_EFORMAT, "%s: larger than 2 GiB",
				   path);
	_cleanup_free_ uint8_t *bytes = malloc(identity.size + 1);
	if (!bytes)
		return status_no_memory(path);
	if (!file_read_at(fd, 0, bytes, identity.size))
		return status_fail(DLAZY_EIO, "%s: cannot be read", path);
	const struct object_bytes file = {path, bytes, identity.size};

	return each_of_bytes(&file, fn, data);
}
