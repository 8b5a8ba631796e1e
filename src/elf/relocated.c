/* SPDX-License-Identifier: MIT */
/*
 * The dynamic linker may leave DT_JMPREL for later, but not DT_REL and DT_RELA.
 * (DT_RELR has no symbols.) On some machines the range of DT_RELA includes that of
 * DT_JMPREL: what is in both is left for later.
 */
#include "elf/relocated.h"

#include "base/cleanup.h"
#include "base/status.h"
#include "elf/image.h"

#include <string.h>

/* One table of relocations; entry: bytes of each. */
struct table {
	uint64_t address, size, entry;
};

static struct table late_table(const struct image *image)
{
	bool has_addend =
		image_dynamic_value(image, DT_PLTREL) == (uint64_t)DT_RELA;

	return (struct table){
		image_dynamic_value(image, DT_JMPREL),
		image_dynamic_value(image, DT_PLTRELSZ),
		has_addend ? sizeof(ElfN(Rela)) : sizeof(ElfN(Rel)),
	};
}

/* Rel is how each Rela begins. */
static int note_table(const struct image *image, const struct table *table,
		      const struct table *but, uint8_t as, uint8_t *symbols,
		      size_t count)
{
	_cleanup_free_ char *bytes = NULL;
	void *data = NULL;

	if (!table->address || !table->size)
		return 0;
	int r = image_read_address(image, "the relocations", table->address,
				   table->size, &data);
	bytes = data;
	for (uint64_t at = 0; r == 0 && at + table->entry <= table->size;
	     at += table->entry) {
		ElfN(Rel) entry;

		if (but && table->address + at - but->address < but->size)
			continue;
		memcpy(&entry, bytes + at, sizeof(entry));
		size_t symbol = NATIVE_R_SYM(entry.r_info);
		if (symbol < count)
			symbols[symbol] |= as;
	}
	return r;
}

static int note_tables(const struct image *image, uint8_t *symbols,
		       size_t count)
{
	const struct table late = late_table(image);
	const struct table with_addend = {image_dynamic_value(image, DT_RELA),
					  image_dynamic_value(image, DT_RELASZ),
					  sizeof(ElfN(Rela))};
	const struct table plain = {image_dynamic_value(image, DT_REL),
				    image_dynamic_value(image, DT_RELSZ),
				    sizeof(ElfN(Rel))};
	int r = note_table(image, &late, NULL, RELOCATED_LATE, symbols, count);

	if (r == 0)
		r = note_table(image, &with_addend, &late, RELOCATED_NOW,
			       symbols, count);
	return r < 0 ? r
		     : note_table(image, &plain, &late, RELOCATED_NOW, symbols,
				  count);
}

int relocated_read(int fd, const char *name, size_t count, uint8_t **ret)
{
	_cleanup_free_ uint8_t *symbols = calloc(count + 1, 1);
	struct image image;
	int r = image_open(&image, fd, name);

	if (r == 0 && !symbols)
		r = status_no_memory(name);
	if (r == 0)
		r = note_tables(&image, symbols, count);
	image_clear(&image);
	if (r == 0)
		*ret = TAKE_PTR(symbols);
	return r;
}
