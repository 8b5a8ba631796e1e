/* SPDX-License-Identifier: MIT */
/*
 * A host without dlazy.
 *
 *   plain none                an empty process
 *   plain eager DIR [SYMBOL]  every plugin by dlopen and dlsym
 *   plain open FILE SYMBOL    one by dlopen, dlsym and a call
 *   plain list DIR            no plugin, but opendir and stat of each file
 */
#include "bench/host.h"

#include <dlfcn.h>
#include <sys/stat.h>

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

int main(int argc, char **argv)
{
	uint64_t start = now_ns();

	if (argc > 2 && !strcmp(argv[1], "eager"))
		eager(argv[2], argv[3]);
	else if (argc > 2 && !strcmp(argv[1], "list"))
		list(argv[2]);
	else if (argc > 3 && !strcmp(argv[1], "open"))
		open_one(argv[2], argv[3]);
	report(start);
}
