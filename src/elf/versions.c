/* SPDX-License-Identifier: MIT */
/*
 * Reading DT_VERDEF and DT_VERNEED. Both are chains of relative offsets,
 * bounded only by the end of the bytes they lie in. Each step must go forward
 * and stay inside. Entries that overlap could still make a walk quadratic in
 * the size, so there may be no more of them than would fit side by side.
 *
 * Source: "ELF Symbol Versioning",
 * https://akkadia.org/drepper/symbol-versioning
 */
#include "elf/versions.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/status.h"

#include <string.h>

#define VERSION_HIDDEN 0x8000u
#define VERSION_INDEX 0x7fffu
#define VERSION_TABLE_MAX (1u << 20)

struct reader {
	struct versions *versions;
	const struct strings *strings;
	const uint8_t *data;
	uint64_t size;
	size_t budget; /* entries that may still be read */
};

/* Copies an entry out of the table; false: it is not inside. */
static bool take(struct reader *reader, uint64_t offset, void *entry,
		 size_t size)
{
	if (reader->budget == 0 || !range_within(offset, size, reader->size))
		return false;
	reader->budget--;
	memcpy(entry, reader->data + offset, size);
	return true;
}

static int set(struct reader *reader, unsigned index, const char *name,
	       const char *library)
{
	struct versions *versions = reader->versions;

	if (!name || !library)
		return -DLAZY_EFORMAT;
	if (index >= versions->count) {
		size_t count = index + 8u;
		struct version *grown =
			reallocarray(versions->table, count, sizeof(*grown));
		if (!grown)
			return -DLAZY_ENOMEM;
		memset(grown + versions->count, 0,
		       (count - versions->count) * sizeof(*grown));
		versions->table = grown;
		versions->count = count;
	}
	versions->table[index] = (struct version){name, library};
	return 0;
}

static int read_definitions(struct reader *reader, uint64_t count)
{
	ElfN(Verdef) definition;
	ElfN(Verdaux) first;
	uint64_t offset = 0;

	for (uint64_t i = 0; i < count; i++) {
		if (!take(reader, offset, &definition, sizeof(definition)) ||
		    !take(reader, offset + definition.vd_aux, &first,
			  sizeof(first)))
			return -DLAZY_EFORMAT;
		/* The base version names the file itself: not a version that
		 * can be asked for. */
		if (!(definition.vd_flags & VER_FLG_BASE)) {
			int r = set(reader, definition.vd_ndx & VERSION_INDEX,
				    strings_at(reader->strings, first.vda_name),
				    "");
			if (r < 0)
				return r;
		}
		if (definition.vd_next == 0)
			break;
		offset += definition.vd_next;
	}
	return 0;
}

static int read_need(struct reader *reader, const ElfN(Verneed) * need,
		     uint64_t offset)
{
	const char *library = strings_at(reader->strings, need->vn_file);
	ElfN(Vernaux) wanted;

	offset += need->vn_aux;
	for (unsigned i = 0; i < need->vn_cnt; i++) {
		if (!take(reader, offset, &wanted, sizeof(wanted)))
			return -DLAZY_EFORMAT;
		int r = set(reader, wanted.vna_other & VERSION_INDEX,
			    strings_at(reader->strings, wanted.vna_name),
			    library);
		if (r < 0)
			return r;
		if (wanted.vna_next == 0)
			break;
		offset += wanted.vna_next;
	}
	return 0;
}

static int read_needs(struct reader *reader, uint64_t count)
{
	ElfN(Verneed) need;
	uint64_t offset = 0;

	for (uint64_t i = 0; i < count; i++) {
		if (!take(reader, offset, &need, sizeof(need)))
			return -DLAZY_EFORMAT;
		int r = read_need(reader, &need, offset);
		if (r < 0)
			return r;
		if (need.vn_next == 0)
			break;
		offset += need.vn_next;
	}
	return 0;
}

static int read_table(struct versions *versions, const struct image *image,
		      const struct strings *strings, int64_t tag,
		      int64_t count_tag, const char *what,
		      int (*walk)(struct reader *, uint64_t))
{
	_cleanup_free_ uint8_t *data = NULL;
	uint64_t address;

	if (!image_dynamic(image, tag, &address))
		return 0;
	uint64_t size = image_room(image, address);
	if (size > VERSION_TABLE_MAX)
		size = VERSION_TABLE_MAX;
	int r = image_read_address(image, what, address, size, (void **)&data);
	if (r < 0)
		return r;
	struct reader reader = {versions, strings, data, size,
				size / sizeof(ElfN(Verdaux))};
	r = walk(&reader, image_dynamic_value(image, count_tag));
	if (r == -DLAZY_ENOMEM)
		return status_no_memory(image->name);
	return r < 0 ? image_damaged(image, what) : 0;
}

int versions_read(struct versions *versions, const struct image *image,
		  const struct strings *strings, size_t symbol_count)
{
	uint64_t address;

	if (!image_dynamic(image, DT_VERSYM, &address) || symbol_count == 0)
		return 0;
	int r = image_read_address(image, "the table of symbol versions",
				   address, symbol_count * sizeof(uint16_t),
				   (void **)&versions->of_symbol);
	if (r < 0)
		return r;
	r = read_table(versions, image, strings, DT_VERNEED, DT_VERNEEDNUM,
		       "the needed versions", read_needs);
	if (r < 0)
		return r;
	return read_table(versions, image, strings, DT_VERDEF, DT_VERDEFNUM,
			  "the defined versions", read_definitions);
}

void versions_clear(struct versions *versions)
{
	free(versions->of_symbol);
	free(versions->table);
}

struct version versions_of(const struct versions *versions, size_t symbol)
{
	if (versions->of_symbol) {
		size_t index = versions->of_symbol[symbol] & VERSION_INDEX;
		if (index < versions->count && versions->table[index].name)
			return versions->table[index];
	}
	return (struct version){"", ""};
}

bool versions_is_plain(const struct versions *versions, size_t symbol)
{
	return !versions->of_symbol ||
	       (versions->of_symbol[symbol] & VERSION_INDEX) <= VER_NDX_GLOBAL;
}

bool versions_is_default(const struct versions *versions, size_t symbol)
{
	return versions_is_plain(versions, symbol) ||
	       !(versions->of_symbol[symbol] & VERSION_HIDDEN);
}
