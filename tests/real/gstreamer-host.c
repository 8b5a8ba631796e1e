/* SPDX-License-Identifier: MIT */
/*
 * What one GStreamer plugin says of itself: calls the function that its scanner
 * would call, gst_plugin_NAME_get_desc(), and prints the strings it answers.
 *
 *   gstreamer-host [--eager] [--stats] DIR NAME
 */
#include <dlazy/dlazy.h>

#include "plugins/hosts/compare.h"

#include <ctype.h>
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* GstPluginDesc, as GStreamer 1 lays it out. */
struct description {
	int major_version;
	int minor_version;
	const char *name;
	const char *description;
	void *init;
	const char *version;
	const char *license;
	const char *source;
	const char *package;
	const char *origin;
	const char *release_date;
};

typedef const struct description *describe_fn(void);

/* "libgstaudio-fx" is asked for by gst_plugin_audio_fx_get_desc. */
static void entry_of(const char *name, char *entry, size_t size)
{
	const char *prefix = "libgst";

	if (!strncmp(name, prefix, strlen(prefix)))
		name += strlen(prefix);
	snprintf(entry, size, "gst_plugin_%s_get_desc", name);
	for (char *c = entry; *c; c++)
		if (!isalnum((unsigned char)*c))
			*c = '_';
}

static describe_fn *find(struct dlazy_registry *registry, const char *dir,
			 const char *name, const char *entry)
{
	struct dlazy_module *m;
	void *found = NULL;

	if (!registry) {
		void *handle = eager_open(dir, name, entry);
		found = handle ? eager_symbol(handle, entry) : NULL;
	} else if ((m = dlazy_registry_find(registry, name))) {
		found = dlazy_sym(m, entry);
	}
	if (!found)
		errx(77, "%s: no %s", name, entry);
	return found;
}

static const char *text(const char *s)
{
	return s ? s : "-";
}

int main(int argc, char **argv)
{
	bool eager = false, stats = false;
	struct dlazy_registry *registry = NULL;
	char entry[256];

	for (; argc > 1 && !strncmp(argv[1], "--", 2); argc--, argv++) {
		eager |= !strcmp(argv[1], "--eager");
		stats |= !strcmp(argv[1], "--stats");
	}
	if (argc != 3)
		errx(2, "gstreamer-host [--eager] [--stats] DIR NAME");
	if (!eager && (!(registry = dlazy_registry_new()) ||
		       dlazy_registry_add_dir(registry, argv[1], 0) < 0))
		errx(1, "%s", dlazy_error());
	entry_of(argv[2], entry, sizeof(entry));
	const struct description *d = find(registry, argv[1], argv[2], entry)();
	printf("%s %s: %s (%s, %s, %s), GStreamer %d.%d\n", text(d->name),
	       text(d->version), text(d->description), text(d->license),
	       text(d->package), text(d->release_date), d->major_version,
	       d->minor_version);
	if (stats)
		print_stats(registry, argv[1]);
	dlazy_registry_free(registry);
	return 0;
}
