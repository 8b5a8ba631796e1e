/* SPDX-License-Identifier: MIT */
/*
 * Looking things up in a canonical copy, for the writer of the stub file.
 * make.c makes copies.
 */
#include "link/copy/copy.h"

#include "base/array.h"

#include <stdlib.h>
#include <string.h>

/* A cache line's, and, at most, a page's; powers of two. */
#define ALIGNMENT_MIN 64
#define ALIGNMENT_MAX 4096

void copy_clear(struct copy *copy)
{
	for (size_t i = 0; i < copy->piece_count; i++)
		free(copy->pieces[i].bytes);
	free(copy->pieces);
	free(copy->fixups);
	free(copy->functions);
	free(copy->constants);
	memset(copy, 0, sizeof(*copy));
}

const struct copy_piece *copy_find(const struct copy *copy, uint64_t address)
{
	for (size_t i = 0; i < copy->piece_count; i++) {
		const struct elf_range *range = &copy->pieces[i].range;

		if (address >= range->start && address < range->end)
			return &copy->pieces[i];
	}
	return NULL;
}

bool copy_has(const struct copy *copy, uint64_t address, uint64_t size)
{
	const struct copy_piece *piece = copy_find(copy, address);

	return piece && size <= piece->range.end - address;
}

const struct code_constant *copy_constant(const struct copy *copy,
					  uint64_t function)
{
	size_t at = ARRAY_COUNT_BEFORE(copy->constant_count, i,
				       copy->constants[i].function < function);

	return at < copy->constant_count &&
			       copy->constants[at].function == function
		       ? &copy->constants[at].what
		       : NULL;
}

static uint64_t alignment_of(uint64_t address)
{
	return address & -address;
}

uint64_t copy_alignment(const struct copy *copy)
{
	uint64_t most = ALIGNMENT_MIN;

	for (size_t i = 0; i < copy->piece_count; i++)
		most |= alignment_of(copy->pieces[i].range.start);
	for (size_t i = 0; i < copy->fixup_count; i++)
		if (copy->fixups[i].target == COPY_TO_DATA)
			most |= alignment_of(copy->fixups[i].to);
	while (most & (most - 1))
		most &= most - 1; /* the highest bit is left */
	return most < ALIGNMENT_MAX ? most : ALIGNMENT_MAX;
}

void copy_lay_out(struct copy *copy, uint64_t alignment,
		  uint64_t sizes[COPY_PARTS])
{
	for (size_t i = 0; i < copy->piece_count; i++) {
		struct copy_piece *piece = &copy->pieces[i];
		uint64_t *size = &sizes[piece->part];

		*size += (piece->range.start - *size) & (alignment - 1);
		piece->place = *size;
		*size += piece->range.end - piece->range.start;
	}
}
