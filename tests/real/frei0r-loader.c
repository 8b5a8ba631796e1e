/* SPDX-License-Identifier: MIT */
/*
 * Says what a frei0r plugin says of itself, as a host without dlazy would ask it.
 *
 *   frei0r-loader FILE
 */
#include "plugins/frei0r.h"

#include <dlfcn.h>
#include <stdio.h>

static const char *text(const char *s)
{
	return s ? s : "";
}

static void say_parameters(void *plugin, int count)
{
	static const char *const types[] = {"bool", "double", "color",
					    "position", "string"};
	f0r_get_param_info_fn *ask;

	*(void **)&ask = dlsym(plugin, "f0r_get_param_info");
	for (int i = 0; ask && i < count; i++) {
		struct frei0r_param p = {0};

		ask(&p, i);
		printf("%s %s: %s\n", types[p.type], p.name,
		       text(p.explanation));
	}
}

int main(int argc, char **argv)
{
	static const char *const kinds[] = {"filter", "source", "mixer2",
					    "mixer3"};
	static const char *const models[] = {"bgra8888", "rgba8888",
					     "packed32"};
	void *plugin = argc == 2 ? dlopen(argv[1], RTLD_LAZY) : NULL;
	struct frei0r_info i = {0};
	f0r_get_plugin_info_fn *ask;
	f0r_init_fn *init;

	if (!plugin) {
		fprintf(stderr, "frei0r-loader: %s\n",
			argc == 2 ? dlerror() : "which file?");
		return 1;
	}
	*(void **)&init = dlsym(plugin, "f0r_init");
	*(void **)&ask = dlsym(plugin, "f0r_get_plugin_info");
	if (!ask)
		return puts("nothing") < 0;
	if (init)
		init();
	ask(&i);
	printf("name: %s\nauthor: %s\ntype: %s\ncolor_model: %s\n", i.name,
	       text(i.author), kinds[i.kind], models[i.model]);
	printf("version: %d.%d\nexplanation: %s\n", i.major, i.minor,
	       text(i.explanation));
	say_parameters(plugin, i.params_count);
	return 0;
}
