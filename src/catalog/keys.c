/* SPDX-License-Identifier: MIT */
/*
 * See keys.h. A matcher has one key exactly, whatever it is, so that the size of
 * the table is known before openers are written.
 */
#include "catalog/keys.h"

#include "base/array.h"
#include "base/hash.h"

#include <errno.h>
#include <stdlib.h>

/* What tells one kind's keys from another's. */
enum seed { SEED_MIME = 1, SEED_NAME, SEED_HEAD, SEED_SONAME, SEED_KIND };

/* What a key's value is; in its low bits, so that no SONAME that was made to have
 * another's hash leads to what is no opener. */
enum value { VALUE_OPENER, VALUE_PLUGIN, VALUE_SHAPE };
#define VALUE_BITS 3u

/* Letters count alike if they differ in ASCII case alone, whoever asks. */
static uint32_t key_hash(uint64_t seed, enum value value, const void *bytes,
			 size_t size)
{
	const uint8_t *next = bytes;
	uint64_t hash = seed;

	for (size_t i = 0; i < size; i++) {
		uint8_t byte = next[i];
		if (byte >= 'A' && byte <= 'Z')
			byte |= 0x20;
		hash = (hash ^ byte) * 0x100000001b3u;
	}
	return ((uint32_t)hash_bytes(&hash, sizeof(hash)) & ~VALUE_BITS) |
	       value;
}

uint32_t key_of_kind(enum key_kind kind)
{
	return key_hash(SEED_KIND + ((uint64_t)kind << 8),
			kind == KEY_SHAPES ? VALUE_SHAPE : VALUE_OPENER, "", 0);
}

uint32_t key_of_soname(const char *soname)
{
	return key_hash(SEED_SONAME, VALUE_PLUGIN, soname, strlen(soname));
}

/* Without parameters. */
uint32_t key_of_mime(const char *mime)
{
	return key_hash(SEED_MIME, VALUE_OPENER, mime, strcspn(mime, "; \t"));
}

uint32_t key_of_name(const char *file)
{
	const char *base = file_base_name(file), *dot = strrchr(base, '.');

	base = dot ? dot : base;
	return key_hash(SEED_NAME, VALUE_OPENER, base, strlen(base));
}

uint32_t key_of_head(uint32_t shape, const uint8_t *bytes)
{
	return key_hash(SEED_HEAD + ((uint64_t)shape << 8), VALUE_OPENER, bytes,
			key_shape_length(shape));
}

/* What is behind the last character of a glob that may not be text is the end of
 * all names that it matches. Is the key in there? */
static uint32_t key_of_glob(const char *glob)
{
	const char *end = glob;

	for (const char *p = glob; (p = strpbrk(p, "*?[]\\")); end = ++p)
		;
	if (end == glob || strchr(end, '/') || strchr(end, '.'))
		return key_of_name(end);
	return key_of_kind(KEY_ANY_NAME);
}

/* 0: it has none. */
static uint32_t shape_of(const struct metadata_matcher *magic)
{
	uint32_t length = 0;

	while (length < 4 && length < magic->size &&
	       (!magic->mask || magic->mask[length] == 0xff))
		length++;
	if (magic->offset > UINT32_MAX >> 4)
		return 0;
	return (uint32_t)magic->offset << 3 | (length == 3 ? 2 : length);
}

static bool has_shape(const struct key_index *index, uint32_t shape)
{
	for (size_t i = 0; i < index->shape_count; i++)
		if (index->shapes[i] == shape)
			return true;
	return false;
}

static uint32_t key_of_magic(const struct key_index *index,
			     const struct metadata_matcher *magic)
{
	uint32_t shape = shape_of(magic);

	return has_shape(index, shape) ? key_of_head(shape, magic->bytes)
				       : key_of_kind(KEY_ANY_HEAD);
}

static uint32_t key_of_matcher(const struct key_index *index,
			       const struct metadata_matcher *m)
{
	switch (m->kind) {
	case METADATA_MIME:
		return key_of_mime(m->text);
	case METADATA_GLOB:
		return key_of_glob(m->text);
	default:
		return key_of_magic(index, m);
	}
}

/* ------------------------------------------------------------------ */
/* Gathering                                                          */

static bool add_key(struct key_index *index, uint32_t hash, uint32_t value)
{
	if (!array_reserve(&index->keys, index->count, &index->room,
			   sizeof(*index->keys)))
		return false;
	index->keys[index->count++] = (struct catalog_key){hash, value};
	return true;
}

bool key_index_add_soname(struct key_index *index, const char *soname,
			  uint32_t plugin)
{
	if (!add_key(index, key_of_soname(soname), plugin))
		return false;
	index->sonames++;
	return true;
}

static uint64_t key_count(const struct key_index *index)
{
	return index->sonames + index->shape_count + index->promised;
}

bool key_index_promise(struct key_index *index,
		       const struct catalog_metadata *m, size_t provided)
{
	struct metadata_matcher matcher;

	for (size_t k = 0; metadata_matcher(m, provided, k, &matcher); k++) {
		uint32_t shape =
			matcher.kind == METADATA_MAGIC ? shape_of(&matcher) : 0;

		if (key_shape_length(shape) && !has_shape(index, shape) &&
		    index->shape_count < KEY_SHAPES_MAX)
			index->shapes[index->shape_count++] = shape;
		index->promised++;
	}
	return key_count(index) < UINT32_MAX / 2;
}

void key_index_lay_out(const struct key_index *index, struct catalog_header *h)
{
	h->keys = (uint32_t)key_count(index);
	format_add_section(
		h, FORMAT_KEYS,
		format_table_size(h->keys, sizeof(struct catalog_key)));
	format_add_section(h, FORMAT_KEY_STARTS,
			   format_table_size(format_key_starts(h->keys),
					     sizeof(uint32_t)));
}

/* ------------------------------------------------------------------ */
/* Writing                                                            */

void key_index_begin(struct key_index *index)
{
	if (!index->is_sorted)
		index->count = index->sonames;
}

void key_index_add_opener(struct key_index *index,
			  const struct catalog_metadata *m, size_t provided,
			  uint64_t at, struct output *out)
{
	struct metadata_matcher matcher;

	if (index->is_sorted)
		return;
	if (at / FORMAT_ALIGN > UINT32_MAX)
		output_fail(out, EFBIG);
	for (size_t k = 0; metadata_matcher(m, provided, k, &matcher); k++)
		if (!add_key(index, key_of_matcher(index, &matcher),
			     (uint32_t)(at / FORMAT_ALIGN)))
			output_fail(out, ENOMEM);
}

static int compare_keys(const void *a, const void *b)
{
	const struct catalog_key *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return (x->value > y->value) - (x->value < y->value);
}

static void write_starts(const struct key_index *index,
			 const struct catalog_header *h, struct output *out)
{
	uint32_t start = 0;
	struct table t;

	table_begin(&t, out, h, FORMAT_KEY_STARTS);
	for (uint32_t i = 0; i < format_key_starts(h->keys); i++) {
		while (start < h->keys &&
		       format_key_start(h->keys, index->keys[start].hash) < i)
			start++;
		table_element(&t, &start, sizeof(start));
	}
	table_end(&t);
}

static void sort(struct key_index *index, struct output *out)
{
	for (size_t i = 0; i < index->shape_count; i++)
		if (!add_key(index, key_of_kind(KEY_SHAPES), index->shapes[i]))
			output_fail(out, ENOMEM);
	if (out->error || index->count == 0)
		return;
	qsort(index->keys, index->count, sizeof(*index->keys), compare_keys);
	index->is_sorted = true;
}

void key_index_write(struct key_index *index, const struct catalog_header *h,
		     struct output *out)
{
	struct table t;

	if (!index->is_sorted)
		sort(index, out);
	if (out->error || h->keys == 0)
		return;
	table_begin(&t, out, h, FORMAT_KEYS);
	for (size_t i = 0; i < index->count; i++)
		table_element(&t, &index->keys[i], sizeof(index->keys[i]));
	table_end(&t);
	write_starts(index, h, out);
}

void key_index_clear(struct key_index *index)
{
	free(index->keys);
	*index = (struct key_index){.keys = NULL};
}
