/* SPDX-License-Identifier: MIT */
/*
 * A relocatable stub file in an archive, as ar(1) writes one: the index of
 * symbols, then the one member. Equal stub files give equal archives: no time
 * and no user is written.
 */
#include "base/cleanup.h"
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
#define MEMBER_NAME "dlazy-stub.o/"

static uint8_t *put_member(uint8_t *at, const char *name, unsigned mode,
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

static size_t names_size(const struct object_names *names)
{
	return names->count ? names->strings.size - 1 : 0;
}

/* How many names; for each, where its member is; the names. */
static size_t index_size(const struct object_names *names)
{
	return even(4 + 4 * names->count + names_size(names));
}

static void write_index(uint8_t *at, const struct object_names *names,
			size_t member_at)
{
	at = put_number(at, names->count);
	for (size_t i = 0; i < names->count; i++)
		at = put_number(at, member_at);
	if (names->count)
		memcpy(at, names->strings.data + 1, names_size(names));
}

static int write_archive(const struct stubfile *member,
			 const struct object_names *names, struct stubfile *ret)
{
	size_t index = index_size(names);
	size_t member_at = strlen(ARCHIVE_MAGIC) + MEMBER_SIZE + index;
	size_t size = member_at + MEMBER_SIZE + even(member->size);
	uint8_t *data = calloc(1, size);

	if (!data)
		return status_fail(DLAZY_ENOMEM, "out of memory");
	uint8_t *at = mempcpy(data, ARCHIVE_MAGIC, strlen(ARCHIVE_MAGIC));
	at = put_member(at, "/", 0, index);
	write_index(at, names, member_at);
	at = put_member(at + index, MEMBER_NAME, 0644, member->size);
	memcpy(at, member->data, member->size);
	*ret = (struct stubfile){data, size};
	return 0;
}

int stubfile_archive(const struct library *library,
		     const struct stubfile_options *options,
		     struct stubfile *ret)
{
	_cleanup_(stubfile_clear) struct stubfile member = {NULL, 0};
	struct object_names names;

	int r = object_write(library, options, &member, &names);
	if (r < 0)
		return r;
	r = write_archive(&member, &names, ret);
	build_strings_clear(&names.strings);
	return r;
}
