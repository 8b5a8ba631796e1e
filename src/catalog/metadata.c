/* SPDX-License-Identifier: MIT */
/*
 * Blocks of metadata: written out of a merged text, and looked up in place. What
 * the text provides is found once, here, so that who asks later need not read it.
 * As in a record, the last byte of a block is NUL; so any offset within it begins a
 * string that ends in it.
 */
#include "catalog/metadata.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/jsonread.h"
#include "base/status.h"
#include "catalog/format.h"

/* No more than a text of this many bytes can ask for. */
#define BLOCK_MAX (1u << 28)

/* ------------------------------------------------------------------ */
/* Writing                                                            */

struct metadata_block {
	uint8_t *data;
	size_t size, room;
	bool failed;
};

/* Appends zeroed room and returns its offset. */
static uint32_t block_room(struct metadata_block *b, size_t size)
{
	size_t at = b->size;

	if (b->failed || size > BLOCK_MAX - b->size) {
		b->failed = true;
		return 0;
	}
	if (b->size + size > b->room) {
		size_t room = 2 * (b->size + size);
		uint8_t *data = realloc(b->data, room);

		b->failed = !data;
		if (!data)
			return 0;
		b->data = data;
		b->room = room;
	}
	memset(b->data + at, 0, size);
	b->size += size;
	return (uint32_t)at;
}

static uint32_t block_bytes(struct metadata_block *b, const void *bytes,
			    size_t size)
{
	uint32_t at = block_room(b, size);

	if (!b->failed)
		memcpy(b->data + at, bytes, size);
	return at;
}

static uint32_t block_string(struct metadata_block *b, const char *string)
{
	return string ? block_bytes(b, string, strlen(string) + 1) : 0;
}

/* A string value, malloc'd; NULL: it is none. */
static char *block_read(struct metadata_block *b, const char *value)
{
	char *string = json_read_string(value);

	b->failed |= !string && value && *value == '"';
	return string;
}

/* A member of an object; 0 if it is no string. */
static uint32_t block_member(struct metadata_block *b, const char *object,
			     const char *key)
{
	_cleanup_free_ char *string = block_read(b, json_member(object, key));

	return block_string(b, string);
}

static void block_align(struct metadata_block *b)
{
	block_room(b, (size_t)format_align(b->size) - b->size);
}

static unsigned hex_digit(char c)
{
	return c <= '9' ? (unsigned)c - '0' : ((unsigned)c | 0x20) - 'a' + 10;
}

/* Pairs of digits as bytes, in place; how many. */
static size_t bytes_of_hex(char *digits)
{
	size_t n = 0;

	for (; digits[2 * n] && digits[2 * n + 1]; n++)
		digits[n] = (char)(hex_digit(digits[2 * n]) << 4 |
				   hex_digit(digits[2 * n + 1]));
	return n;
}

static void mask_bytes(char *bytes, const char *mask, size_t size)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(bytes[i] & mask[i]);
}

/* Bytes to be found at an offset. A mask that is shorter leaves the rest to
 * count, one that is longer has too much. */
static struct metadata_pattern block_magic(struct metadata_block *b,
					   const char *object)
{
	struct metadata_pattern pattern = {.kind = METADATA_MAGIC};
	_cleanup_free_ char *bytes = block_read(b, json_member(object, "hex"));
	_cleanup_free_ char *mask = block_read(b, json_member(object, "mask"));
	int64_t offset = 0;

	if (!bytes)
		return (struct metadata_pattern){0};
	json_read_integer(json_member(object, "offset"), &offset);
	pattern.offset = offset > 0 ? (uint64_t)offset : 0;
	pattern.size = (uint32_t)bytes_of_hex(bytes);
	if (mask) {
		_cleanup_free_ char *whole = malloc(pattern.size + 1);
		size_t size = bytes_of_hex(mask);

		if (!whole) {
			b->failed = true;
			return pattern;
		}
		memset(whole, 0xff, pattern.size);
		memcpy(whole, mask, size < pattern.size ? size : pattern.size);
		mask_bytes(bytes, whole, pattern.size);
		pattern.mask = block_bytes(b, whole, pattern.size);
	}
	pattern.bytes = block_bytes(b, bytes, pattern.size);
	return pattern;
}

static struct metadata_pattern block_text(struct metadata_block *b,
					  const char *value, unsigned kind)
{
	_cleanup_free_ char *text = block_read(b, value);

	if (!text)
		return (struct metadata_pattern){0};
	return (struct metadata_pattern){.kind = kind,
					 .bytes = block_string(b, text),
					 .size = (uint32_t)strlen(text)};
}

/* Appends the patterns of one key to a list. */
static void add_patterns(struct metadata_block *b, const char *array,
			 unsigned kind, struct metadata_pattern **list,
			 size_t *count, size_t *room)
{
	struct json_walk walk = json_walk(array);

	while (json_walk_next(&walk)) {
		struct metadata_pattern pattern =
			kind == METADATA_MAGIC
				? block_magic(b, walk.value)
				: block_text(b, walk.value, kind);

		if (pattern.kind == 0)
			continue;
		if (!array_reserve(list, *count, room, sizeof(**list))) {
			b->failed = true;
			return;
		}
		(*list)[(*count)++] = pattern;
	}
}

static struct record_array block_matchers(struct metadata_block *b,
					  const char *object)
{
	_cleanup_free_ struct metadata_pattern *list = NULL;
	size_t count = 0, room = 0;

	add_patterns(b, json_member(object, "mime"), METADATA_MIME, &list,
		     &count, &room);
	add_patterns(b, json_member(object, "glob"), METADATA_GLOB, &list,
		     &count, &room);
	add_patterns(b, json_member(object, "magic"), METADATA_MAGIC, &list,
		     &count, &room);
	block_align(b);
	if (count == 0)
		return (struct record_array){0, 0};
	return (struct record_array){
		block_bytes(b, list, count * sizeof(*list)), (uint32_t)count};
}

static struct metadata_entry block_provided(struct metadata_block *b,
					    const char *object)
{
	struct metadata_entry entry;
	int64_t rank = METADATA_RANK_DEFAULT;

	json_read_integer(json_member(object, "rank"), &rank);
	entry.rank = (int32_t)rank;
	entry.id = block_member(b, object, "id");
	entry.description = block_member(b, object, "description");
	entry.symbol = block_member(b, object, "symbol");
	entry.matchers = block_matchers(b, object);
	return entry;
}

static struct record_array block_provides(struct metadata_block *b,
					  const char *text)
{
	struct json_walk walk = json_walk(json_member(text, "provides"));
	struct json_walk counting = walk;
	size_t count = 0;

	while (json_walk_next(&counting))
		count++;
	block_align(b);
	struct record_array array = {
		block_room(b, count * sizeof(struct metadata_entry)),
		(uint32_t)count};
	for (size_t i = 0; json_walk_next(&walk); i++) {
		struct metadata_entry entry = block_provided(b, walk.value);

		if (b->failed)
			break;
		memcpy(b->data + array.offset + i * sizeof(entry), &entry,
		       sizeof(entry));
	}
	return count ? array : (struct record_array){0, 0};
}

/* Whether the plugin is to be loaded before it is used. */
static bool is_early(struct metadata_block *b, const char *text)
{
	_cleanup_free_ char *load = block_read(b, json_member(text, "load"));

	return load && (!strcmp(load, "eager") || !strcmp(load, "prefetch"));
}

/* What is small, and asked for most, comes first. */
static struct catalog_metadata block_head(struct metadata_block *b,
					  const struct metadata_draft *d)
{
	const struct metadata_given *given = &d->given;
	struct catalog_metadata head = {
		.flags = given->flags,
		.plugin = d->plugin,
		.sidecar = d->sidecar,
		.sidecar_content = d->sidecar_content,
		.prober = given->prober,
	};

	head.name = block_string(b, d->name);
	head.file = block_string(b, d->file);
	head.problem = block_string(b, d->problem);
	head.probe = block_string(b, given->probe);
	head.interface = block_member(b, d->text, "interface");
	head.early = is_early(b, d->text);
	head.provides = block_provides(b, d->text);
	head.text = block_string(b, d->text);
	head.sources = block_string(b, d->sources);
	head.given[0] = block_string(b, given->text[METADATA_STATIC]);
	head.given[1] = block_string(b, given->text[METADATA_PROBE]);
	return head;
}

int metadata_encode(const struct metadata_draft *draft,
		    struct catalog_metadata **ret)
{
	struct metadata_block b = {.data = NULL};

	block_room(&b, sizeof(struct catalog_metadata));
	struct catalog_metadata head = block_head(&b, draft);
	/* One byte more: the block's last must be NUL. */
	block_room(&b, (size_t)format_align(b.size + 1) - b.size);
	if (b.failed) {
		free(b.data);
		return status_fail(DLAZY_ENOMEM, "%s: no memory for metadata",
				   draft->file);
	}
	head.size = (uint32_t)b.size;
	memcpy(b.data, &head, sizeof(head));
	*ret = (struct catalog_metadata *)b.data;
	(*ret)->checksum = metadata_checksum(*ret);
	return 0;
}

/* ------------------------------------------------------------------ */
/* Looking up                                                         */

uint64_t metadata_checksum(const struct catalog_metadata *m)
{
	return hash_bytes(&m->size,
			  m->size - offsetof(struct catalog_metadata, size));
}

const struct catalog_metadata *metadata_check(const void *data, size_t size)
{
	const struct catalog_metadata *m = data;

	if ((uintptr_t)data % FORMAT_ALIGN || size < sizeof(*m) ||
	    m->size < sizeof(*m) || m->size > size || m->size % FORMAT_ALIGN ||
	    ((const char *)m)[m->size - 1])
		return NULL;
	return metadata_checksum(m) == m->checksum ? m : NULL;
}

size_t metadata_size(const struct catalog_metadata *m)
{
	return m->size;
}

/* NULL: there is none. */
static const char *string_or_null(const struct catalog_metadata *m,
				  uint32_t offset)
{
	return offset && offset < m->size ? (const char *)m + offset : NULL;
}

static const void *array_at(const struct catalog_metadata *m,
			    struct record_array array, size_t each)
{
	if (!range_array_within(array.offset, array.count, each, m->size) ||
	    array.offset % FORMAT_ALIGN)
		return NULL;
	return (const uint8_t *)m + array.offset;
}

const char *metadata_text(const struct catalog_metadata *m)
{
	return string_or_null(m, m->text);
}

const char *metadata_sources(const struct catalog_metadata *m)
{
	return string_or_null(m, m->sources);
}

const char *metadata_problem(const struct catalog_metadata *m)
{
	return string_or_null(m, m->problem);
}

const char *metadata_probe(const struct catalog_metadata *m)
{
	return string_or_null(m, m->probe);
}

const char *metadata_interface(const struct catalog_metadata *m)
{
	return string_or_null(m, m->interface);
}

bool metadata_is_early(const struct catalog_metadata *m)
{
	return m->early;
}

unsigned metadata_flags(const struct catalog_metadata *m)
{
	return m->flags;
}

const char *metadata_name(const struct catalog_metadata *m)
{
	const char *name = string_or_null(m, m->name);

	return name ? name : "";
}

const char *metadata_file(const struct catalog_metadata *m)
{
	const char *file = string_or_null(m, m->file);

	return file ? file : "";
}

struct file_identity metadata_plugin(const struct catalog_metadata *m)
{
	return m->plugin;
}

struct file_identity metadata_sidecar(const struct catalog_metadata *m)
{
	return m->sidecar;
}

uint64_t metadata_sidecar_content(const struct catalog_metadata *m)
{
	return m->sidecar_content;
}

void metadata_keep(const struct catalog_metadata *m, struct metadata_given *ret)
{
	*ret = (struct metadata_given){.probe = NULL};
	if (!m)
		return;
	ret->text[METADATA_STATIC] = string_or_null(m, m->given[0]);
	ret->text[METADATA_PROBE] = string_or_null(m, m->given[1]);
	ret->probe = metadata_probe(m);
	ret->flags = m->flags & ~(unsigned)METADATA_YOUNG;
	ret->prober = m->prober;
}

static const struct metadata_entry *entry_at(const struct catalog_metadata *m,
					     size_t i)
{
	const struct metadata_entry *all =
		array_at(m, m->provides, sizeof(*all));

	return all && i < m->provides.count ? all + i : NULL;
}

size_t metadata_provided_count(const struct catalog_metadata *m)
{
	return entry_at(m, 0) ? m->provides.count : 0;
}

bool metadata_provided(const struct catalog_metadata *m, size_t i,
		       struct metadata_provided *ret)
{
	const struct metadata_entry *entry = entry_at(m, i);

	if (!entry)
		return false;
	const char *id = string_or_null(m, entry->id);
	*ret = (struct metadata_provided){
		.id = id ? id : "",
		.description = string_or_null(m, entry->description),
		.symbol = string_or_null(m, entry->symbol),
		.rank = entry->rank,
	};
	return true;
}

bool metadata_pattern(const void *base, size_t size,
		      struct record_array patterns, size_t k,
		      struct metadata_matcher *ret)
{
	const uint8_t *bytes = base;
	struct metadata_pattern pattern;

	if (k >= patterns.count ||
	    !range_array_within(patterns.offset, patterns.count,
				sizeof(pattern), size))
		return false;
	memcpy(&pattern, bytes + patterns.offset + k * sizeof(pattern),
	       sizeof(pattern));
	if (!range_within(pattern.bytes, (uint64_t)pattern.size + 1, size) ||
	    !range_within(pattern.mask, pattern.size, size))
		return false;
	if (pattern.kind != METADATA_MAGIC &&
	    bytes[pattern.bytes + pattern.size] != '\0')
		return false;
	*ret = (struct metadata_matcher){
		.kind = (enum metadata_matcher_kind)pattern.kind,
		.text = (const char *)bytes + pattern.bytes,
		.offset = pattern.offset,
		.bytes = bytes + pattern.bytes,
		.mask = pattern.mask ? bytes + pattern.mask : NULL,
		.size = pattern.size,
	};
	return true;
}

bool metadata_matcher(const struct catalog_metadata *m, size_t i, size_t k,
		      struct metadata_matcher *ret)
{
	const struct metadata_entry *entry = entry_at(m, i);

	return entry && metadata_pattern(m, m->size, entry->matchers, k, ret);
}

size_t metadata_patterns(const struct catalog_metadata *m, size_t i)
{
	const struct metadata_entry *entry = entry_at(m, i);

	return entry ? entry->matchers.count : 0;
}
