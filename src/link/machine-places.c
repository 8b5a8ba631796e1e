/* SPDX-License-Identifier: MIT */
/*
 * The places where programs, libraries and plugins lie: the directories of the
 * Filesystem Hierarchy, those that ld.so.cache names, and those of PATH. Of
 * PATH's, which may be anything, only the files directly in them are of
 * interest: they are said as "DIR/.".
 */
#include "link/machine.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "elf/places.h"

#include <stdio.h>
#include <string.h>

struct list {
	char **list;
	size_t count, room;
	bool failed; /* out of memory */
};

static bool is_listed(const struct list *list, const char *place)
{
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->list[i], place))
			return true;
	return false;
}

/* Takes a malloc'd place over. */
static void add(struct list *list, char *place)
{
	if (!place || !array_reserve(&list->list, list->count, &list->room,
				     sizeof(*list->list))) {
		list->failed = true;
		free(place);
	} else if (is_listed(list, place)) {
		free(place);
	} else {
		list->list[list->count++] = place;
	}
}

/* Absolute ones only; a trailing slash is nothing. */
static void add_flat(struct list *list, const char *directory, size_t n)
{
	char *place;

	while (n > 1 && directory[n - 1] == '/')
		n--;
	if (n < 2 || directory[0] != '/')
		return;
	if (asprintf(&place, "%.*s/.", (int)n, directory) < 0)
		place = NULL;
	add(list, place);
}

static void add_path(struct list *list, const char *path)
{
	while (path && *path) {
		size_t n = strcspn(path, ":");

		add_flat(list, path, n);
		path += n + (path[n] == ':');
	}
}

static void add_libraries(struct list *list)
{
	struct places places;
	const char *path;

	places_open(&places);
	for (size_t i = 0; i < places.directory_count; i++)
		add_flat(list, places.directories[i],
			 strlen(places.directories[i]));
	for (uint32_t i = 0; (path = ldcache_path(&places.cache, i)); i++)
		if (*path)
			add_flat(list, path,
				 (size_t)(file_base_name(path) - path));
	places_close(&places);
}

static void add_home(struct list *list)
{
	const char *home = secure_getenv("HOME");
	char *place;

	if (!home || home[0] != '/')
		return;
	if (asprintf(&place, "%s/.local/lib", home) < 0)
		place = NULL;
	add(list, place);
}

char **machine_places(void)
{
	static const char *const usual[] = {"/usr/bin",
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
					    "/lib64",
					    "/opt"};
	struct list list = {0};

	for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
		add(&list, strdup(usual[i]));
	add_home(&list);
	add_path(&list, secure_getenv("PATH"));
	add_libraries(&list);
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
