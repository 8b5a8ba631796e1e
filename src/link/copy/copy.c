/* SPDX-License-Identifier: MIT */
/*
 * What has been made (mirror-make.c), for who writes it.
 */
#include "link/copy/copy.h"

#include <stdlib.h>
#include <string.h>

/* A cache line's, and, at most, a page's; powers of two. */
#define ALIGNMENT_MIN 64
#define ALIGNMENT_MAX 4096

void mirror_clear(struct mirror *mirror)
{
	for (size_t i = 0; i < mirror->piece_count; i++)
		free(mirror->pieces[i].bytes);
	free(mirror->pieces);
	free(mirror->fixups);
	free(mirror->functions);
	free(mirror->answers);
	memset(mirror, 0, sizeof(*mirror));
}

const struct mirror_piece *mirror_find(const struct mirror *mirror,
				       uint64_t address)
{
	for (size_t i = 0; i < mirror->piece_count; i++) {
		const struct elf_range *range = &mirror->pieces[i].range;

		if (address >= range->start && address < range->end)
			return &mirror->pieces[i];
	}
	return NULL;
}

bool mirror_has(const struct mirror *mirror, uint64_t address, uint64_t size)
{
	const struct mirror_piece *piece = mirror_find(mirror, address);

	return piece && size <= piece->range.end - address;
}

const struct code_answer *mirror_answer(const struct mirror *mirror,
					uint64_t function)
{
	size_t low = 0, high = mirror->answer_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct answer *at = &mirror->answers[middle];

		if (at->function == function)
			return &at->what;
		if (at->function < function)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static uint64_t alignment_of(uint64_t address)
{
	return address & -address;
}

uint64_t mirror_alignment(const struct mirror *mirror)
{
	uint64_t most = ALIGNMENT_MIN;

	for (size_t i = 0; i < mirror->piece_count; i++)
		most |= alignment_of(mirror->pieces[i].range.start);
	for (size_t i = 0; i < mirror->fixup_count; i++)
		if (mirror->fixups[i].target == MIRROR_TO_DATA)
			most |= alignment_of(mirror->fixups[i].to);
	while (most & (most - 1))
		most &= most - 1; /* the highest bit is left */
	return most < ALIGNMENT_MAX ? most : ALIGNMENT_MAX;
}

void mirror_lay_out(struct mirror *mirror, uint64_t alignment,
		    uint64_t sizes[MIRROR_PARTS])
{
	for (size_t i = 0; i < mirror->piece_count; i++) {
		struct mirror_piece *piece = &mirror->pieces[i];
		uint64_t *size = &sizes[piece->part];

		*size += (piece->range.start - *size) & (alignment - 1);
		piece->place = *size;
		*size += piece->range.end - piece->range.start;
	}
}
