/* SPDX-License-Identifier: MIT */
/*
 * Blocks are finished in place and handed on. After a failure nothing more is
 * written, so the caller looks for a failure once, at the end.
 */
#include "catalog/table.h"

#include "base/hash.h"

#include <errno.h>
#include <string.h>

uint64_t format_block_checksum(const struct catalog_header *h,
			       enum format_section section, uint64_t number,
			       const void *block)
{
	return hash_bytes_seeded(block, FORMAT_BLOCK_ROOM,
				 h->checksum + ((uint64_t)section << 56) +
					 number);
}

struct output output_begin(int fd, void *memory, size_t room)
{
	return (struct output){.fd = fd, .memory = memory, .room = room};
}

void output_fail(struct output *out, int error)
{
	if (!out->error)
		out->error = error;
}

static void output_flush(struct output *out)
{
	if (out->error || out->fd < 0)
		return;
	if (!file_write_at(out->fd, out->at - out->waiting, out->memory,
			   out->waiting))
		output_fail(out, errno);
	out->waiting = 0;
}

void output_bytes(struct output *out, const void *bytes, size_t size)
{
	const uint8_t *from = bytes;

	while (size > 0 && !out->error) {
		size_t used = out->fd < 0 ? (size_t)out->at : out->waiting;
		size_t left = out->room - used;
		size_t n = size < left ? size : left;

		if (left == 0) {
			output_flush(out);
			if (out->fd < 0) /* more than was laid out */
				output_fail(out, EINVAL);
			continue;
		}
		memcpy(out->memory + used, from, n);
		out->at += n;
		out->waiting += n;
		from += n;
		size -= n;
	}
}

bool output_end(struct output *out)
{
	output_flush(out);
	errno = out->error;
	return !out->error;
}

void table_begin(struct table *t, struct output *out,
		 const struct catalog_header *header,
		 enum format_section section)
{
	*t = (struct table){.out = out, .header = header, .section = section};
}

static void table_flush(struct table *t)
{
	memset(t->block + t->used, 0, FORMAT_BLOCK_ROOM - t->used);
	uint64_t sum = format_block_checksum(t->header, t->section, t->number,
					     t->block);
	memcpy(t->block + FORMAT_BLOCK_ROOM, &sum, sizeof(sum));
	output_bytes(t->out, t->block, sizeof(t->block));
	t->number++;
	t->used = 0;
}

void table_element(struct table *t, const void *element, size_t size)
{
	if (t->used + size > FORMAT_BLOCK_ROOM)
		table_flush(t);
	memcpy(t->block + t->used, element, size);
	t->used += size;
}

void table_bytes(struct table *t, const void *bytes, size_t size)
{
	const uint8_t *from = bytes;

	while (size > 0) {
		size_t left = FORMAT_BLOCK_ROOM - t->used;
		size_t n = size < left ? size : left;

		if (left == 0) {
			table_flush(t);
			continue;
		}
		memcpy(t->block + t->used, from, n);
		t->used += n;
		from += n;
		size -= n;
	}
}

void table_end(struct table *t)
{
	uint64_t size = t->header->sections[t->section].size;

	while (t->number < size / FORMAT_BLOCK)
		table_flush(t);
}
