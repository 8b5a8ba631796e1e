/* SPDX-License-Identifier: MIT */
/*
 * The program's own definition of such a symbol is like any other; only the
 * relocation tells that its first bytes are a library's. They are in DT_RELA or
 * DT_REL, behind the relative ones, of which a program may have very many.
 */
#include "elf/copies.h"

#include "base/cleanup.h"
#include "base/status.h"
#include "elf/machine.h"

#include <string.h>

static unsigned symbol_of(const ElfN(Rel) * entry)
{
	return sizeof(entry->r_info) == 8
		       ? (unsigned)((uint64_t)entry->r_info >> 32)
		       : (unsigned)(entry->r_info >> 8);
}

static unsigned type_of(const ElfN(Rel) * entry)
{
	return sizeof(entry->r_info) == 8 ? (uint32_t)entry->r_info
					  : (uint8_t)entry->r_info;
}

/* A table of entries of `each` bytes, which begin as those of DT_REL do. */
struct table {
	int64_t tag, size_tag, relative_tag;
	size_t each;
};

static int read_table(const struct image *image, const struct table *table,
		      unsigned type, bool *copied, size_t count)
{
	_cleanup_free_ uint8_t *data = NULL;
	uint64_t address;

	if (!image_dynamic(image, table->tag, &address))
		return 0;
	uint64_t n = image_dynamic_value(image, table->size_tag) / table->each;
	uint64_t skip = image_dynamic_value(image, table->relative_tag);
	if (skip >= n)
		return 0;
	int r = image_read_address(image, "the relocations",
				   address + skip * table->each,
				   (n - skip) * table->each, (void **)&data);
	for (uint64_t i = 0; r == 0 && i < n - skip; i++) {
		ElfN(Rel) entry;

		memcpy(&entry, data + i * table->each, sizeof(entry));
		if (type_of(&entry) == type && symbol_of(&entry) < count)
			copied[symbol_of(&entry)] = true;
	}
	return r;
}

int copies_read(const struct image *image, bool *copied, size_t count)
{
	static const struct table tables[] = {
		{DT_RELA, DT_RELASZ, DT_RELACOUNT, sizeof(ElfN(Rela))},
		{DT_REL, DT_RELSZ, DT_RELCOUNT, sizeof(ElfN(Rel))},
	};
	unsigned type = machine_copy_type();
	int r = 0;

	if (!type)
		return status_fail(DLAZY_EMACHINE,
				   "%s: the COPY relocations of %s are not "
				   "known",
				   image->name, machine_native_name());
	for (size_t i = 0; r == 0 && i < sizeof(tables) / sizeof(tables[0]);
	     i++)
		r = read_table(image, &tables[i], type, copied, count);
	return r;
}
