/* SPDX-License-Identifier: MIT */
/*
 * A stub file as an archive, as ar(1) writes one: the index of symbols, the
 * table of names, and the members. The first is the head, which all others
 * need; then comes one for each function, so that a program has only those that
 * it calls, and one for each datum (object.h). Equal stub files give equal
 * archives: no time and no user is written.
 */
#include "base/array.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/status.h"
#include "link/stubfile/object.h"

#include <stdio.h>
#include <string.h>

/*
 * A member's header is text, padded with spaces: name, date, user, group,
 * mode, size.
 */
#define ARCHIVE_MAGIC "!<arch>\n"
#define MEMBER_SIZE 60
#define MEMBER_FORMAT "%-16s%-12d%-6d%-6d%-8o%-10u`\n"
#define MEMBER_MODE 0644
#define HEAD_NAME "dlazy-stub"
#define ALONE_NAME "dlazy-standalone"
#define TAIL_MAX 512

struct archive {
	const struct library *library;
	const struct stubfile_options *options;
	char tail[TAIL_MAX]; /* the symbol by which members find the head */
	struct archive_member {
		struct stubfile file;
		uint32_t name; /* in the table of names */
		size_t at;     /* in the archive */
	} * members;
	size_t member_count, member_room;
	struct build_strings names; /* of members; the first is empty */
	struct build_strings symbols;
	size_t *owners; /* the member of each symbol */
	size_t symbol_count, owner_room;
	struct map seen; /* hash of a symbol's name -> that */
};

static void archive_clear(struct archive *a)
{
	for (size_t i = 0; i < a->member_count; i++)
		stubfile_clear(&a->members[i].file);
	free(a->members);
	free(a->owners);
	build_strings_clear(&a->names);
	build_strings_clear(&a->symbols);
	map_clear(&a->seen);
}
#define _cleanup_archive_ _cleanup_(archive_clear)

/* Collecting. */

/* "NAME.o/" in the table of names. */
static uint32_t add_member_name(struct archive *a, const char *name)
{
	_cleanup_free_ char *line = NULL;

	if (asprintf(&line, "%s.o/", name) < 0) {
		line = NULL;
		a->names.failed = true;
		return 0;
	}
	for (char *at = line; at[0] && at[1]; at++)
		if (*at == '/')
			*at = '_';
	return build_string(&a->names, line);
}

static int add_member(struct archive *a, const char *name,
		      const struct stubfile *file)
{
	if (!array_reserve(&a->members, a->member_count, &a->member_room,
			   sizeof(*a->members)))
		return status_no_memory(NULL);
	a->members[a->member_count++] =
		(struct archive_member){*file, add_member_name(a, name), 0};
	return 0;
}

/* The newest member defines it. */
static int add_symbol(struct archive *a, const char *name)
{
	if (!array_reserve(&a->owners, a->symbol_count, &a->owner_room,
			   sizeof(*a->owners)))
		return status_no_memory(NULL);
	a->owners[a->symbol_count++] = a->member_count - 1;
	build_string(&a->symbols, name);
	return 0;
}

static int add_head(struct archive *a)
{
	struct stubfile file = {NULL, 0};
	struct object_names names = {.count = 0};
	int r = object_write_head(a->library, a->options, a->tail, &file,
				  &names);

	if (r == 0)
		r = add_member(a, HEAD_NAME, &file);
	if (r < 0)
		stubfile_clear(&file);
	const char *name = names.strings.data;
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		name += strlen(name) + 1;
		r = add_symbol(a, name);
	}
	build_strings_clear(&names.strings);
	return r;
}

/* Of several archives in one link the first one's is taken for all. */
static int add_alone(struct archive *a)
{
	const struct stubfile *from = a->options->alone;
	struct stubfile file = {malloc(from->size), from->size};
	const char *name;

	if (!file.data)
		return status_no_memory(NULL);
	memcpy(file.data, from->data, from->size);
	int r = add_member(a, ALONE_NAME, &file);
	if (r < 0)
		stubfile_clear(&file);
	for (size_t i = 0; r == 0 && (name = object_alone_function(i)); i++)
		r = add_symbol(a, name);
	return r;
}

/* Was there one of that name? */
static bool is_seen(struct archive *a, const char *name)
{
	uint64_t key = hash_string(name);
	const char *other;

	/* Another name of the same hash has the next key. */
	for (; (other = map_get(&a->seen, key)); key++)
		if (strcmp(other, name) == 0)
			return true;
	if (!map_put(&a->seen, key, (void *)name))
		a->symbols.failed = true;
	return false;
}

static int add_symbols_member(struct archive *a,
			      const struct library_symbol *symbol)
{
	struct stubfile file = {NULL, 0};
	int r;

	if (symbol->why_not || !symbol->is_default || is_seen(a, symbol->name))
		return 0;
	if (object_accepts(symbol))
		r = object_write_function(symbol, a->options, a->tail, &file);
	else
		r = object_write_datum(symbol, a->library->soname,
				       a->options->cpu, &file);
	if (r == 0)
		r = add_member(a, symbol->name, &file);
	if (r == 0)
		return add_symbol(a, symbol->name);
	stubfile_clear(&file);
	return r;
}

/*
 * Two archives in one link may be of two versions of a library: each has a tail
 * of its own.
 */
static void name_tail(struct archive *a)
{
	const struct library *l = a->library;
	uint64_t hash = hash_string(l->feature) + 3 * hash_string(l->package) +
			(a->options->alone != NULL);

	for (size_t i = 0; i < l->file_count; i++)
		hash = hash * 5 + hash_string(l->files[i]);
	snprintf(a->tail, sizeof(a->tail), "dlazy_stub_tail.%016llx.%s",
		 (unsigned long long)hash, l->soname);
}

static int collect(struct archive *a)
{
	name_tail(a);
	int r = add_head(a);

	for (size_t i = 0; r == 0 && i < a->library->symbol_count; i++)
		r = add_symbols_member(a, &a->library->symbols[i]);
	if (r == 0 && a->options->alone)
		r = add_alone(a);
	if (r == 0 && (a->names.failed || a->symbols.failed))
		r = status_no_memory(NULL);
	return r;
}

/* Writing. */

static uint8_t *put_header(uint8_t *at, const char *name, unsigned mode,
			   size_t size)
{
	char header[MEMBER_SIZE + 1];

	snprintf(header, sizeof(header), MEMBER_FORMAT, name, 0, 0, 0, mode,
		 (unsigned)size);
	return mempcpy(at, header, MEMBER_SIZE);
}

/* Numbers of the index are big-endian on any machine. */
static uint8_t *put_number(uint8_t *at, size_t value)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		*at++ = (uint8_t)(value >> shift);
	return at;
}

/* Members begin at even places. */
static size_t even(size_t size)
{
	return size + (size & 1);
}

/* How many symbols; for each, where its member is; the names. */
static size_t index_size(const struct archive *a)
{
	return even(4 + 4 * a->symbol_count + a->symbols.size - 1);
}

/* Its strings end as lines do: what is between them is no part of it. */
static size_t names_size(const struct archive *a)
{
	return even(a->names.size - 1);
}

static size_t place_members(struct archive *a)
{
	size_t at = strlen(ARCHIVE_MAGIC) + 2 * MEMBER_SIZE + index_size(a) +
		    names_size(a);

	for (size_t i = 0; i < a->member_count; i++) {
		a->members[i].at = at;
		at += MEMBER_SIZE + even(a->members[i].file.size);
	}
	return at;
}

static void write_index(const struct archive *a, uint8_t *at)
{
	at = put_number(at, a->symbol_count);
	for (size_t i = 0; i < a->symbol_count; i++)
		at = put_number(at, a->members[a->owners[i]].at);
	memcpy(at, a->symbols.data + 1, a->symbols.size - 1);
}

static void write_names(const struct archive *a, uint8_t *at)
{
	size_t size = a->names.size - 1;

	memcpy(at, a->names.data + 1, size);
	/* Each line was ended as a string is. */
	for (size_t i = 0; i < size; i++)
		if (at[i] == '\0')
			at[i] = '\n';
	if (size & 1)
		at[size] = '\n';
}

static void write_members(const struct archive *a, uint8_t *data)
{
	for (size_t i = 0; i < a->member_count; i++) {
		const struct archive_member *m = &a->members[i];
		char name[16];

		snprintf(name, sizeof(name), "/%u", m->name - 1);
		uint8_t *at = put_header(data + m->at, name, MEMBER_MODE,
					 m->file.size);
		memcpy(at, m->file.data, m->file.size);
		if (m->file.size & 1)
			at[m->file.size] = '\n';
	}
}

static int write_archive(struct archive *a, struct stubfile *ret)
{
	size_t size = place_members(a);
	uint8_t *data = size <= UINT32_MAX ? calloc(1, size) : NULL;

	if (!data)
		return status_no_memory(NULL);
	uint8_t *at = mempcpy(data, ARCHIVE_MAGIC, strlen(ARCHIVE_MAGIC));
	at = put_header(at, "/", 0, index_size(a));
	write_index(a, at);
	at = put_header(at + index_size(a), "//", 0, names_size(a));
	write_names(a, at);
	write_members(a, data);
	*ret = (struct stubfile){data, size};
	return 0;
}

int stubfile_archive(const struct library *library,
		     const struct stubfile_options *options,
		     struct stubfile *ret)
{
	_cleanup_archive_ struct archive a = {
		.library = library,
		.options = options,
	};
	int r = collect(&a);

	return r < 0 ? r : write_archive(&a, ret);
}
