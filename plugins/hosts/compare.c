/* SPDX-License-Identifier: MIT */
/*
 * The eager side of the example hosts, and their account of what is mapped.
 */
#include "plugins/hosts/compare.h"

#include <dirent.h>
#include <dlfcn.h>
#include <err.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t opened;

void *eager_open(const char *dir, const char *name, const char *symbol)
{
	char path[PATH_MAX];
	void *found = NULL;
	DIR *entries = opendir(dir);

	if (!entries)
		err(1, "%s", dir);
	for (struct dirent *e; (e = readdir(entries));) {
		char *end = strstr(e->d_name, ".so");
		if (!end)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		void *handle = dlopen(path, RTLD_NOW);
		if (!handle || !dlsym(handle, symbol))
			continue;
		opened++;
		*end = '\0';
		if (!strcmp(e->d_name, name))
			found = handle;
	}
	closedir(entries);
	return found;
}

void eager_each(const char *dir, const char *symbol, eager_fn *fn)
{
	char path[PATH_MAX];
	struct dirent **entries;
	int n = scandir(dir, &entries, NULL, alphasort);

	if (n < 0)
		err(1, "%s", dir);
	for (int i = 0; i < n; free(entries[i++])) {
		char *name = entries[i]->d_name, *end = strstr(name, ".so");
		if (!end)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, name);
		void *handle = dlopen(path, RTLD_LAZY);
		void *found = handle ? dlsym(handle, symbol) : NULL;
		if (!found)
			continue;
		opened++;
		*end = '\0';
		fn(name, found);
	}
	free(entries);
}

void *eager_symbol(void *handle, const char *symbol)
{
	return dlsym(handle, symbol);
}

static size_t count_used(struct dlazy_registry *registry)
{
	size_t n = 0;

	for (struct dlazy_module *m = dlazy_registry_next(registry, NULL); m;
	     m = dlazy_registry_next(registry, m))
		n += dlazy_module_state(m) == DLAZY_LOADED;
	return n;
}

/* Files below `dir` in /proc/self/maps; an object's lines follow each other. */
static size_t count_mapped(const char *dir, char *names, size_t size)
{
	char line[PATH_MAX + 128], last[PATH_MAX + 128] = "";
	size_t n = 0, used = 0;
	FILE *maps = fopen("/proc/self/maps", "re");

	names[0] = '\0';
	while (maps && fgets(line, sizeof(line), maps)) {
		char *path = strchr(line, '/');
		if (!path || strncmp(path, dir, strlen(dir)) != 0 ||
		    path[strlen(dir)] != '/' || !strcmp(path, last))
			continue;
		strcpy(last, path);
		path[strcspn(path, "\n")] = '\0';
		if (n++ < 8 && used < size)
			used += (size_t)snprintf(names + used, size - used,
						 " %s", path + strlen(dir) + 1);
	}
	if (maps)
		fclose(maps);
	return n;
}

void print_stats(struct dlazy_registry *registry, const char *dir)
{
	char names[1024];
	char *absolute = realpath(dir, NULL);
	size_t mapped =
		count_mapped(absolute ? absolute : dir, names, sizeof(names));

	fprintf(stderr, "declared %zu used %zu mapped %zu:%s%s\n",
		registry ? dlazy_registry_count(registry) : opened,
		registry ? count_used(registry) : 1, mapped, names,
		mapped > 8 ? " ..." : "");
	free(absolute);
}
