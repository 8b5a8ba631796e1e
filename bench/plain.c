/* SPDX-License-Identifier: MIT */
/*
 * A host without dlazy; or, built with -include dlazy/dlfcn.h, the same with it.
 *
 *   plain none                an empty process
 *   plain eager DIR [SYMBOL]  every plugin by dlopen and dlsym
 *   plain open FILE SYMBOL    one by dlopen, dlsym and a call
 *   plain absent FILE         a symbol that it has not, again and again
 *   plain list DIR            no plugin, but opendir and stat of each file
 */
#include "bench/host.h"

#include <dlfcn.h>
#include <sys/stat.h>

/* So often that clock and first call are nothing beside it. */
#define ABSENT 10000

static void eager(const char *dir, const char *symbol)
{
	DIR *stream = opendir(dir);
	struct dirent *entry;
	char path[4096];

	while (stream && (entry = readdir(stream))) {
		if (!plugin_path(dir, entry->d_name, path))
			continue;
		void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
		if (handle && symbol)
			dlsym(handle, symbol);
	}
	closedir(stream);
}

static void list(const char *dir)
{
	DIR *stream = opendir(dir);
	struct dirent *entry;
	char path[4096];
	struct stat st;

	while (stream && (entry = readdir(stream)))
		if (plugin_path(dir, entry->d_name, path))
			stat(path, &st);
	closedir(stream);
}

static void open_one(const char *file, const char *symbol)
{
	void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);

	use(symbol, handle ? dlsym(handle, symbol) : NULL);
}

/* The time at which the first dlsym() begins. */
static uint64_t absent(const char *file)
{
	void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	uint64_t start = now_ns();

	for (int i = 0; handle && i < ABSENT; i++)
		if (dlsym(handle, "no_such_symbol"))
			errx(1, "%s: has no_such_symbol", file);
	return start;
}

int main(int argc, char **argv)
{
	uint64_t start = now_ns();

	if (argc > 2 && !strcmp(argv[1], "eager"))
		eager(argv[2], argv[3]);
	else if (argc > 2 && !strcmp(argv[1], "list"))
		list(argv[2]);
	else if (argc > 2 && !strcmp(argv[1], "absent"))
		start = absent(argv[2]);
	else if (argc > 3 && !strcmp(argv[1], "open"))
		open_one(argv[2], argv[3]);
	report(start);
}
