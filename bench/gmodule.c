/* SPDX-License-Identifier: MIT */
/*
 * A host with GModule: gmodule DIR opens every plugin.
 */
#include "bench/host.h"

#include <gmodule.h>

int main(int argc, char **argv)
{
	uint64_t start = now_ns();
	GDir *dir = argc == 2 ? g_dir_open(argv[1], 0, NULL) : NULL;
	const char *name;
	char path[4096];

	if (!dir)
		return 2;
	while ((name = g_dir_read_name(dir)))
		if (plugin_path(argv[1], name, path))
			g_module_open(path, G_MODULE_BIND_LOCAL);
	g_dir_close(dir);
	report(start);
}
