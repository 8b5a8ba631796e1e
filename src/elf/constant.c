/* SPDX-License-Identifier: MIT */
/*
 * An object is constant if the segment that it lies in is not writable, or is made
 * read-only after relocation (RELRO), and no relocation writes to it. Relocations
 * are read from the tables that the dynamic linker uses: DT_REL, DT_RELA,
 * DT_JMPREL and DT_RELR.
 */
#include "elf/constant.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "elf/image.h"
#include "elf/view.h"

#include <string.h>

/* Newer than some <elf.h>. */
#ifndef DT_RELR
#define DT_RELRSZ 35
#define DT_RELR 36
#endif

#define WORD sizeof(ElfN(Addr))

/* What lies at [begin, begin + size). */
struct extent {
	uint64_t begin, size;
};

static bool is_inside(const struct extent *e, const ElfN(Phdr) * segment)
{
	return e->begin >= segment->p_vaddr &&
	       range_within(e->begin - segment->p_vaddr, e->size,
			    segment->p_memsz);
}

static const ElfN(Phdr) * segment_around(const struct image *image,
					 const struct extent *e, uint32_t type)
{
	for (size_t i = 0; i < image->segment_count; i++)
		if (image->segments[i].p_type == type &&
		    is_inside(e, &image->segments[i]))
			return &image->segments[i];
	return NULL;
}

/* Whether a word at that address has a byte of it. */
static bool is_hit(const struct extent *e, uint64_t address)
{
	return address < e->begin + e->size && e->begin < address + WORD;
}

/* A table of entries that begin with the address: DT_REL, DT_RELA. */
static int look_at_table(const struct image *image, const struct extent *e,
			 uint64_t address, uint64_t size, size_t entry,
			 bool *ret_hit)
{
	_cleanup_free_ uint8_t *table = NULL;
	ElfN(Addr) at;
	int r = image_read_address(image, "a table of relocations", address,
				   size, (void **)&table);

	for (uint64_t i = 0; r == 0 && i + entry <= size; i += entry) {
		memcpy(&at, table + i, sizeof(at));
		*ret_hit |= is_hit(e, at);
	}
	return r;
}

/* Entries are addresses, or (odd) bits for the words behind the last one. */
static int look_at_relr(const struct image *image, const struct extent *e,
			uint64_t address, uint64_t size, bool *ret_hit)
{
	_cleanup_free_ uint8_t *table = NULL;
	ElfN(Addr) entry;
	uint64_t where = 0;
	int r = image_read_address(image, "a table of relocations", address,
				   size, (void **)&table);

	for (uint64_t i = 0; r == 0 && i + WORD <= size; i += WORD) {
		memcpy(&entry, table + i, sizeof(entry));
		if (!(entry & 1)) {
			*ret_hit |= is_hit(e, entry);
			where = entry + WORD;
			continue;
		}
		for (unsigned bit = 1; bit < 8 * WORD; bit++)
			if (entry >> bit & 1)
				*ret_hit |= is_hit(e, where + (bit - 1) * WORD);
		where += (8 * WORD - 1) * WORD;
	}
	return r;
}

static int look_at_relocations(const struct image *image,
			       const struct extent *e, bool *ret_hit)
{
	bool is_rela = image_dynamic_value(image, DT_PLTREL) == DT_RELA;
	const struct {
		int64_t table, size;
		size_t entry;
	} tables[] = {
		{DT_REL, DT_RELSZ, sizeof(ElfN(Rel))},
		{DT_RELA, DT_RELASZ, sizeof(ElfN(Rela))},
		{DT_JMPREL, DT_PLTRELSZ,
		 is_rela ? sizeof(ElfN(Rela)) : sizeof(ElfN(Rel))},
	};
	uint64_t address;
	int r = 0;

	*ret_hit = false;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(tables); i++)
		if (image_dynamic(image, tables[i].table, &address))
			r = look_at_table(
				image, e, address,
				image_dynamic_value(image, tables[i].size),
				tables[i].entry, ret_hit);
	if (r == 0 && image_dynamic(image, DT_RELR, &address))
		r = look_at_relr(image, e, address,
				 image_dynamic_value(image, DT_RELRSZ),
				 ret_hit);
	return r;
}

static int check_constant(const struct image *image, const struct extent *e,
			  const ElfN(Phdr) * segment,
			  const struct constant_request *request)
{
	bool is_hit = false;

	if (!request->initial && segment->p_flags & PF_W &&
	    !segment_around(image, e, PT_GNU_RELRO))
		return status_fail(DLAZY_EKIND,
				   "%s: \"%s\" can be written to, so it may be "
				   "another when it is loaded",
				   image->name, request->symbol);
	int r = look_at_relocations(image, e, &is_hit);
	if (r == 0 && is_hit)
		return status_fail(DLAZY_EKIND,
				   "%s: \"%s\" has an address in it, which is "
				   "known when it is loaded",
				   image->name, request->symbol);
	return r;
}

/* What is behind the segment's bytes in the file is zero. */
static int copy_bytes(const struct image *image, const struct extent *e,
		      const ElfN(Phdr) * segment, void *buffer, uint64_t size)
{
	_cleanup_free_ void *bytes = NULL;
	uint64_t at = e->begin - segment->p_vaddr;
	uint64_t held = at < segment->p_filesz ? segment->p_filesz - at : 0;

	if (held > size)
		held = size;
	if (size)
		memset(buffer, 0, size);
	if (!held)
		return 0;
	int r = image_read(image, "an object", segment->p_offset + at, held,
			   &bytes);
	if (r == 0)
		memcpy(buffer, bytes, held);
	return r;
}

static int read_object(const struct image *image,
		       const struct constant_request *request,
		       const struct elf_symbol *symbol, void *buffer,
		       size_t size, uint64_t *ret_size)
{
	struct extent e = {symbol->value, symbol->size};
	const ElfN(Phdr) *segment = segment_around(image, &e, PT_LOAD);

	if (!segment || e.size > PTRDIFF_MAX)
		return image_damaged(image, "an object is in no segment");
	int r = check_constant(image, &e, segment, request);
	if (r == 0)
		r = copy_bytes(image, &e, segment, buffer,
			       size < e.size ? size : e.size);
	if (r == 0)
		*ret_size = e.size;
	return r;
}

static int find_object(int fd, const char *name,
		       const struct constant_request *request,
		       struct elf_symbol *ret)
{
	_cleanup_elf_view_ struct elf_view *view = NULL;
	int r = elf_view_open(fd, name, &view);

	if (r < 0)
		return r;
	if (!elf_view_find(view, request->symbol, request->version, ret))
		return status_fail(DLAZY_ENOSYM, "%s: no symbol \"%s\"", name,
				   request->symbol);
	if (ret->type == ELF_TYPE_OBJECT)
		return 0;
	return status_fail(DLAZY_EKIND, "%s: \"%s\" is of type %s, no object",
			   name, request->symbol, elf_type_name(ret->type));
}

int elf_constant_read(int fd, const char *name,
		      const struct constant_request *request, void *buffer,
		      size_t size, uint64_t *ret_size)
{
	_cleanup_(image_clear) struct image image = {.fd = -1};
	struct elf_symbol symbol; /* its texts end with the view */
	int r = find_object(fd, name, request, &symbol);

	if (r == 0)
		r = image_open(&image, fd, name);
	if (r == 0)
		r = read_object(&image, request, &symbol, buffer, size,
				ret_size);
	return r;
}
