/* SPDX-License-Identifier: MIT */
/*
 * A program that opens the index of this machine (src/link/index/index.h):
 *
 *   indexer first FILE     with nothing kept
 *   indexer again FILE     with what is kept in FILE
 *   indexer facts FILE     prints: ELF files, directories, files read,
 *                           libraries, those of which data is imported, bytes kept
 */
#include "bench/host.h"

#include "link/index/index.h"

#include <sys/stat.h>

static struct index *open_index(const char *file)
{
	struct index_options options = {.cache_path = file};
	struct index *index;

	if (index_open(&options, &index) < 0)
		errx(1, "index_open failed");
	return index;
}

static int tell_facts(const char *file)
{
	struct stat st;

	unlink(file);
	struct index_stats stats = index_stats(open_index(file));
	if (stat(file, &st) < 0)
		err(1, "%s", file);
	printf("%zu %zu %zu %zu %zu %lld\n", stats.files, stats.directories,
	       stats.read, stats.libraries, stats.imported,
	       (long long)st.st_size);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	if (!strcmp(argv[1], "facts"))
		return tell_facts(argv[2]);
	if (!strcmp(argv[1], "first"))
		unlink(argv[2]);
	uint64_t start = now_ns();
	open_index(argv[2]);
	report(start);
}
