/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as the index's file: as they are, and with the checksum
 * put right, so that what lies behind it is reached. What is taken for sound is
 * used for all that tables are used for. Built and run by tests/fuzz/run, which
 * says by FUZZ_PLACE of which directory the first seed, FUZZ_SEED, is made.
 */
#include "base/hash.h"
#include "link/index/scan.h"
#include "link/index/dirwalk.h"
#include "link/index/importers.h"
#include "link/index/index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the header, as index/tables.c has it. */
#define CHECKSUM_AT 8
#define CHECKED_FROM 16
#define SIZE_AT 24

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *places[2];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct index_options options = {.cache_path = getenv("FUZZ_SEED"),
					.places = places};
	struct index *index;

	(void)argc;
	(void)argv;
	places[0] = getenv("FUZZ_PLACE");
	if (index_open(&options, &index) == 0)
		index_close(index);
	return 0;
}

static void find_importers(const struct tables *t)
{
	size_t size = t->elf_count * sizeof(*t->elves);
	struct table_elf *elves = malloc(size + 1);
	struct tables own = *t;

	memcpy(elves, t->elves, size);
	own.elves = elves;
	importers_find(&own, elves);
	free(elves);
}

static void use(const struct tables *t)
{
	const struct scan_options options = {.places = places, .former = t};
	struct tables_file scanned;
	size_t read;

	for (uint32_t i = 0; i < t->entry_count; i++)
		free(tables_path(t, i));
	dirwalk_is_current(t, places);
	find_importers(t);
	if (scan_run(&options, &scanned, &read) == 0)
		tables_close(&scanned);
}

static void open_bytes(const uint8_t *data, size_t size, bool mended)
{
	uint8_t *copy = malloc(size + 1);
	struct tables_file file;
	uint64_t words[1] = {size};

	memcpy(copy, data, size);
	if (mended) {
		memcpy(copy + SIZE_AT, words, sizeof(words));
		words[0] = hash_bytes(copy + CHECKED_FROM, size - CHECKED_FROM);
		memcpy(copy + CHECKSUM_AT, words, sizeof(words));
	}
	if (tables_open_memory(copy, size, &file) < 0)
		return;
	use(&file.tables);
	tables_close(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	open_bytes(data, size, false);
	if (size >= SIZE_AT + sizeof(uint64_t))
		open_bytes(data, size, true);
	return 0;
}
