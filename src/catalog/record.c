/* SPDX-License-Identifier: MIT */
/*
 * Looking things up in a record's bytes. record_check() makes sure of the
 * block's size, and that its last byte is NUL. So any offset below record.size
 * begins a string that ends inside the block, and each accessor only has to
 * compare the offset that it uses.
 */
#include "catalog/record.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/status.h"
#include "catalog/format.h"
#include "elf/view.h"

#include <errno.h>
#include <unistd.h>

static const char *string_at(const struct record *r, uint32_t offset)
{
	return offset < r->size ? (const char *)r + offset : "";
}

/* NULL: it does not lie within the block. */
static const void *array_at(const struct record *r, struct record_array array,
			    size_t each)
{
	if (!range_array_within(array.offset, array.count, each, r->size) ||
	    array.offset % (each < FORMAT_ALIGN ? each : FORMAT_ALIGN))
		return NULL;
	return (const uint8_t *)r + array.offset;
}

static size_t array_count(const struct record *r, struct record_array array,
			  size_t each)
{
	return array_at(r, array, each) ? array.count : 0;
}

static const char *array_string(const struct record *r,
				struct record_array array, size_t i)
{
	const uint32_t *offsets = array_at(r, array, sizeof(*offsets));

	return offsets && i < array.count ? string_at(r, offsets[i]) : "";
}

uint64_t record_checksum(const struct record *r)
{
	return hash_bytes(&r->size, r->size - offsetof(struct record, size));
}

bool record_content(int fd, uint64_t *ret)
{
	uint8_t buffer[16384];
	XXH3_state_t state;

	XXH3_64bits_reset(&state);
	for (off_t at = 0;;) {
		ssize_t n = file_read_some(fd, (uint64_t)at, buffer,
					   sizeof(buffer));
		if (n < 0)
			return false;
		if (n == 0)
			break;
		XXH3_64bits_update(&state, buffer, (size_t)n);
		at += n;
	}
	*ret = XXH3_64bits_digest(&state);
	return true;
}

const struct record *record_check(const void *data, size_t size)
{
	const struct record *r = data;

	if ((uintptr_t)data % FORMAT_ALIGN || size < sizeof(*r) ||
	    r->size < sizeof(*r) || r->size > size || r->size % FORMAT_ALIGN ||
	    ((const char *)r)[r->size - 1])
		return NULL;
	return record_checksum(r) == r->checksum ? r : NULL;
}

size_t record_size(const struct record *r)
{
	return r->size;
}

const char *record_name(const struct record *r)
{
	return string_at(r, r->name);
}

const char *record_file(const struct record *r)
{
	return string_at(r, r->file);
}

const char *record_soname(const struct record *r)
{
	return string_at(r, r->soname);
}

const char *record_rpath(const struct record *r)
{
	return string_at(r, r->rpath);
}

const char *record_runpath(const struct record *r)
{
	return string_at(r, r->runpath);
}

const char *record_machine(const struct record *r)
{
	return string_at(r, r->machine);
}

unsigned record_flags(const struct record *r)
{
	return r->flags & ~RECORD_FLAGS;
}

int record_status(const struct record *r)
{
	return r->status;
}

const char *record_message(const struct record *r)
{
	return string_at(r, r->message);
}

const uint8_t *record_build_id(const struct record *r, size_t *ret_size)
{
	*ret_size = array_count(r, r->build_id, 1);
	return array_at(r, r->build_id, 1);
}

bool record_is_noted(const struct record *r)
{
	return r->flags & RECORD_NOTED;
}

size_t record_needs_count(const struct record *r)
{
	return array_count(r, r->needs, sizeof(uint32_t));
}

const char *record_need(const struct record *r, size_t i)
{
	return array_string(r, r->needs, i);
}

size_t record_dlopen_note_count(const struct record *r)
{
	return array_count(r, r->notes, sizeof(uint32_t));
}

const char *record_dlopen_note(const struct record *r, size_t i)
{
	return array_string(r, r->notes, i);
}

struct file_identity record_identity(const struct record *r)
{
	return r->identity;
}

/* Whether the file has the record's build-id where it was. */
static bool has_build_id(const struct record *r, int fd)
{
	size_t size, found_size;
	const uint8_t *id = record_build_id(r, &size);
	uint8_t found[64];

	if (size == 0)
		return false;
	if (r->build_id_at && size <= sizeof(found))
		return file_read_at(fd, r->build_id_at, found, size) &&
		       memcmp(found, id, size) == 0;
	_cleanup_elf_view_ struct elf_view *view = NULL;
	if (elf_view_open(fd, record_file(r), &view) < 0)
		return false;
	const uint8_t *other = elf_view_build_id(view, &found_size);
	return found_size == size && memcmp(other, id, size) == 0;
}

static bool is_current_portable(const struct record *r, int dirfd,
				const struct file_identity *now)
{
	_cleanup_close_ int fd = -1;
	uint64_t content;

	if (now->size != r->identity.size ||
	    file_open(dirfd, record_file(r), &fd, NULL) < 0)
		return false;
	if (r->build_id.count > 0)
		return has_build_id(r, fd);
	return record_content(fd, &content) && content == r->content;
}

bool record_is_current(const struct record *r, int dirfd,
		       const struct file_identity *now)
{
	if (!(r->flags & RECORD_PORTABLE))
		return !(r->flags & RECORD_YOUNG) &&
		       file_identity_equal(&r->identity, now);
	bool is_current = is_current_portable(r, dirfd, now);
	status_clear();
	return is_current;
}

struct record *record_moved(const struct record *r, int dirfd,
			    const struct file_identity *now)
{
	struct file_identity moved = r->identity;
	_cleanup_close_ int fd = -1;

	moved.dev = now->dev;
	if (r->flags & (RECORD_PORTABLE | RECORD_YOUNG) ||
	    !file_identity_equal(&moved, now))
		return NULL;
	bool same = file_open(dirfd, record_file(r), &fd, NULL) == 0 &&
		    has_build_id(r, fd);
	struct record *copy = same ? malloc(r->size) : NULL;
	if (copy) {
		memcpy(copy, r, r->size);
		copy->identity = *now;
		copy->checksum = record_checksum(copy);
	}
	status_clear();
	return copy;
}

static const struct record_export *exports(const struct record *r)
{
	return array_at(r, r->symbols, sizeof(struct record_export));
}

size_t record_symbol_count(const struct record *r)
{
	return array_count(r, r->symbols, sizeof(struct record_export));
}

bool record_symbol_at(const struct record *r, size_t i,
		      struct record_symbol *ret)
{
	if (i >= record_symbol_count(r))
		return false;
	const struct record_export *e = exports(r) + i;
	*ret = (struct record_symbol){
		.name = string_at(r, e->name),
		.version = string_at(r, e->version),
		.value = e->value,
		.size = e->size,
		.type = e->type,
		.binding = e->binding,
		.is_default = e->flags & EXPORT_DEFAULT,
		.variant = e->flags & EXPORT_VARIANT,
	};
	return true;
}

/* The first export whose name is not below `name`. */
static size_t lower_bound(const struct record *r, const char *name)
{
	const struct record_export *all = exports(r);

	return ARRAY_COUNT_BEFORE(record_symbol_count(r), i,
				  strcmp(string_at(r, all[i].name), name) < 0);
}

bool record_find(const struct record *r, const char *name, const char *version,
		 struct record_symbol *ret)
{
	struct record_symbol symbol;

	for (size_t i = lower_bound(r, name);
	     record_symbol_at(r, i, &symbol) && !strcmp(symbol.name, name);
	     i++) {
		if (version ? strcmp(symbol.version, version) != 0
			    : !symbol.is_default)
			continue;
		*ret = symbol;
		return true;
	}
	return false;
}
