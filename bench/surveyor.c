/* SPDX-License-Identifier: MIT */
/*
 * A program that opens what is known of this machine (src/link/index/index.h):
 *
 *   surveyor first FILE     with nothing kept
 *   surveyor again FILE     with what is kept in FILE
 *   surveyor facts FILE     prints: ELF files, directories, files read,
 *                           libraries, those of which data is taken, bytes kept
 */
#include "bench/host.h"

#include "link/index/index.h"

#include <sys/stat.h>

static struct machine *open_machine(const char *file)
{
	struct machine_options options = {.cache_path = file};
	struct machine *machine;

	if (machine_open(&options, &machine) < 0)
		errx(1, "machine_open failed");
	return machine;
}

static int tell_facts(const char *file)
{
	struct stat st;

	unlink(file);
	struct machine_stats stats = machine_stats(open_machine(file));
	if (stat(file, &st) < 0)
		err(1, "%s", file);
	printf("%zu %zu %zu %zu %zu %lld\n", stats.files, stats.directories,
	       stats.read, stats.libraries, stats.taken, (long long)st.st_size);
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
	open_machine(argv[2]);
	report(start);
}
