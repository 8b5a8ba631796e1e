/* SPDX-License-Identifier: MIT */
/*
 * The probe of GIO modules: g_io_MODULE_query(), or g_io_module_query() in older
 * ones, gives the names of the extension points, which it has made by GLib's
 * allocator, and that is malloc's. The module is not asked to extend them.
 *
 * MODULE is the file's name up to the dot, without "lib", and as the modules of
 * glib-networking are named, without "gio" behind it.
 */
#include "probe/probe.h"
#include "probe/text.h"

#include <stdlib.h>
#include <string.h>

typedef char **query_fn(void);

/* So many are no list. */
#define POINTS_MAX 1024

static query_fn *find_named(const struct probe_plugin *plugin, const char *name)
{
	char symbol[256];
	query_fn *query;

	snprintf(symbol, sizeof(symbol), "g_io_%.*s_query",
		 (int)strcspn(name, "."), name);
	for (char *c = symbol; *c; c++)
		*c = *c == '-' ? '_' : *c;
	*(void **)&query = plugin->symbol(plugin->handle, symbol);
	return query;
}

static query_fn *find_query(const struct probe_plugin *plugin)
{
	const char *slash = strrchr(plugin->path, '/');
	const char *name = slash ? slash + 1 : plugin->path;
	query_fn *query;

	if (!strncmp(name, "lib", 3))
		name += 3;
	query = find_named(plugin, name);
	if (!query && !strncmp(name, "gio", 3))
		query = find_named(plugin, name + 3);
	if (!query)
		*(void **)&query =
			plugin->symbol(plugin->handle, "g_io_module_query");
	return query;
}

static char *write_points(char **points)
{
	struct probe_text text;

	if (!probe_text_begin(&text))
		return NULL;
	struct json *j = &text.json;
	json_begin_array_at(j, "provides");
	for (size_t i = 0; points[i] && i < POINTS_MAX; i++) {
		probe_text_provide(j, "gio/", points[i], NULL);
		json_end_object(j);
	}
	json_end_array(j);
	json_begin_object_at(j, "gio");
	json_begin_array_at(j, "points");
	for (size_t i = 0; points[i] && i < POINTS_MAX; i++)
		json_string(j, points[i]);
	json_end_array(j);
	json_end_object(j);
	return probe_text_end(&text);
}

char *dlazy_probe_family(const struct probe_plugin *plugin)
{
	query_fn *query = find_query(plugin);
	char **points = query ? query() : NULL;

	return points ? write_points(points) : NULL;
}
