/* SPDX-License-Identifier: MIT */
/*
 * The directories that the index covers: those of the Filesystem Hierarchy
 * where programs, libraries and plugins lie, those that ld.so.cache names, and
 * those of PATH. Directories of PATH may be anything, so only the files
 * directly in them count; they are written "DIR/.".
 */
#include "link/index/index.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "elf/places.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct list {
	char **list;
	size_t count, room;
	bool failed; /* with message, but where memory runs out */
};

/* Takes a malloc'd place over. */
static void list_add_place(struct list *list, char *place)
{
	if (place && array_reserve(&list->list, list->count, &list->room,
				   sizeof(*list->list))) {
		list->list[list->count++] = place;
		return;
	}
	list->failed = true;
	free(place);
}

static void add_format(struct list *list, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void add_format(struct list *list, const char *format, ...)
{
	char *place;
	va_list args;

	va_start(args, format);
	if (vasprintf(&place, format, args) < 0)
		place = NULL;
	va_end(args);
	list_add_place(list, place);
}

/* Is the directory in the list already, or below one that is? */
static bool is_covered(const struct list *list, const char *directory)
{
	for (size_t i = 0; i < list->count; i++) {
		const char *place = list->list[i];
		size_t n = strlen(place);

		if (n > 2 && !strcmp(place + n - 2, "/."))
			n -= 2;
		else if (!strncmp(directory, place, n) && directory[n] == '/')
			return true;
		if (!strncmp(directory, place, n) && !directory[n])
			return true;
	}
	return false;
}

/*
 * Adds a directory whose name has n bytes, if it is absolute. It is added by
 * its real path, if it is there, so that the same directories by other names
 * are the same places.
 */
static void add_flat(struct list *list, const char *directory, size_t n)
{
	char path[PATH_MAX], real[PATH_MAX];

	while (n > 1 && directory[n - 1] == '/')
		n--;
	if (n < 2 || n >= sizeof(path) || directory[0] != '/')
		return;
	memcpy(path, directory, n);
	path[n] = '\0';
	const char *name = realpath(path, real) ? real : path;
	if (strcmp(name, "/") != 0 && !is_covered(list, name))
		add_format(list, "%s/.", name);
}

static void add_path(struct list *list, const char *path)
{
	while (path && *path) {
		size_t n = strcspn(path, ":");

		add_flat(list, path, n);
		path += n + (path[n] == ':');
	}
}

static bool same_directory(const char *a, const char *b)
{
	size_t n = (size_t)(file_base_name(a) - a);

	return (size_t)(file_base_name(b) - b) == n && !memcmp(a, b, n);
}

/* The cache has very many files in few directories. */
static void add_cached(struct list *list, const struct ldcache *cache)
{
	const char *path, *latest[8];
	size_t n = 0;

	for (uint32_t i = 0; (path = ldcache_path(cache, i)); i++) {
		bool again = false;

		for (size_t k = 0; k < n && k < ARRAY_SIZE(latest); k++)
			again |= same_directory(latest[k], path);
		if (again)
			continue;
		add_flat(list, path, (size_t)(file_base_name(path) - path));
		latest[n++ % ARRAY_SIZE(latest)] = path;
	}
}

static void add_libraries(struct list *list)
{
	struct places places;

	if (places_open(&places) < 0)
		list->failed = true;
	for (size_t i = 0; i < places.directory_count; i++)
		add_flat(list, places.directories[i],
			 strlen(places.directories[i]));
	add_cached(list, &places.cache);
	places_close(&places);
}

static void add_usual(struct list *list)
{
	static const char *const usual[] = {
		"/usr/bin",
		"/usr/sbin",
		"/usr/games",
		"/usr/lib",
		"/usr/lib32",
		"/usr/lib64",
		"/usr/libx32",
		"/usr/libexec",
		"/usr/local/bin",
		"/usr/local/sbin",
		"/usr/local/games",
		"/usr/local/lib",
		"/usr/local/lib64",
		"/usr/local/libexec",
		"/bin",
		"/sbin",
		"/lib",
		"/lib32",
		"/lib64",
		"/libx32",
		"/opt",
	};
	const char *home = secure_getenv("HOME");

	for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
		list_add_place(list, strdup(usual[i]));
	if (home && home[0] == '/')
		add_format(list, "%s/.local/lib", home);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **index_places(void)
{
	struct list list = {0};

	add_usual(&list);
	size_t usual = list.count;
	add_libraries(&list);
	add_path(&list, secure_getenv("PATH"));
	/* PATH in another order is the same places. */
	if (list.count > usual)
		qsort(list.list + usual, list.count - usual, sizeof(*list.list),
		      compare);
	/* The NULL at the end. */
	if (!list.failed && array_reserve(&list.list, list.count, &list.room,
					  sizeof(*list.list))) {
		list.list[list.count] = NULL;
		return list.list;
	}
	for (size_t i = 0; i < list.count; i++)
		free(list.list[i]);
	free(list.list);
	return NULL;
}
