/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a block of metadata whose checksum is right, and all that can be
 * asked of it. Built and run by tests/fuzz/run.
 */
#include "catalog/format.h"
#include "catalog/metadata.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t length(const char *string)
{
	return string ? strlen(string) : 0;
}

static size_t read_provided(const struct catalog_metadata *m)
{
	struct metadata_provided provided;
	struct metadata_matcher matcher;
	size_t n = 0;

	for (size_t i = 0; i < 64 && metadata_provided(m, i, &provided); i++) {
		n += length(provided.id) + length(provided.description) +
		     length(provided.symbol) + metadata_patterns(m, i);
		for (size_t k = 0;
		     k < 64 && metadata_matcher(m, i, k, &matcher); k++)
			for (size_t b = 0; b < matcher.size; b++)
				n += matcher.bytes[b] +
				     (matcher.mask ? matcher.mask[b] : 0u);
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct catalog_metadata *block;
	struct metadata_given given;

	if (size < sizeof(*block))
		return 0;
	size &= ~(size_t)(FORMAT_ALIGN - 1);
	block = malloc(size);
	memcpy(block, data, size);
	block->size = (uint32_t)size;
	((char *)block)[size - 1] = '\0';
	block->checksum = metadata_checksum(block);
	const struct catalog_metadata *m = metadata_check(block, size);
	if (m) {
		volatile size_t n = length(metadata_text(m)) +
				    length(metadata_sources(m)) +
				    length(metadata_problem(m)) +
				    length(metadata_interface(m)) +
				    length(metadata_name(m)) +
				    length(metadata_file(m)) + read_provided(m);
		(void)n;
		metadata_keep(m, &given);
	}
	free(block);
	return 0;
}
