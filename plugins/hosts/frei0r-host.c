/* SPDX-License-Identifier: MIT */
/*
 * An example host: filters a picture through one frei0r plugin of a directory.
 *
 *   frei0r-host [--eager] [--stats] DIR [NAME OUT.ppm [PARAMETER=VALUE...]]
 *
 * The whole directory is declared; what is loaded is the one plugin that is
 * called, through function pointers which dlazy fills (dlazy_bind). --eager
 * does it as such hosts do without dlazy: dlopen each file and look its entries
 * up. Without NAME, lists the plugins by name, type and parameters, as far as
 * their metadata say, and loads none.
 */
#include <dlazy/dlazy.h>

#include "plugins/frei0r.h"
#include "plugins/hosts/compare.h"

#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WIDTH 320
#define HEIGHT 240
#define FRAMES 3

static struct {
	f0r_init_fn *init;
	f0r_deinit_fn *deinit;
	f0r_get_plugin_info_fn *info;
	f0r_get_param_info_fn *param;
	f0r_construct_fn *construct;
	f0r_destruct_fn *destruct;
	f0r_set_param_value_fn *set;
	f0r_update_fn *update;	 /* of sources and filters */
	f0r_update2_fn *update2; /* of mixers */
} plugin;

/* What every plugin has. */
static const struct dlazy_import imports[] = {
	{"f0r_init", (void **)&plugin.init, NULL},
	{"f0r_deinit", (void **)&plugin.deinit, NULL},
	{"f0r_get_plugin_info", (void **)&plugin.info, NULL},
	{"f0r_get_param_info", (void **)&plugin.param, NULL},
	{"f0r_construct", (void **)&plugin.construct, NULL},
	{"f0r_destruct", (void **)&plugin.destruct, NULL},
	{"f0r_set_param_value", (void **)&plugin.set, NULL},
};
#define IMPORTS (sizeof(imports) / sizeof(imports[0]))

/* A value of one of the plugin's parameters; NULL: it is not known. */
static const char *known(struct dlazy_module *m, unsigned i, const char *key)
{
	char pointer[64];

	snprintf(pointer, sizeof(pointer), "/frei0r/parameters/%u/%s", i, key);
	return dlazy_module_property(m, pointer);
}

/* The plugin by name and type, and its parameters, as its metadata have them
 * (`dlazy scan` reads them, with --probe it asks for them): nothing is loaded. */
static void list_plugin(struct dlazy_module *m)
{
	const char *type = dlazy_module_property(m, "/frei0r/type"), *name;

	if (!type) {
		puts(dlazy_module_name(m));
		return;
	}
	printf("%s: %s, %s\n", dlazy_module_name(m),
	       dlazy_module_property(m, "/frei0r/name"), type);
	for (unsigned i = 0; (name = known(m, i, "name")); i++)
		printf("\t%s: %s\n", name, known(m, i, "type"));
}

static void list(struct dlazy_registry *registry)
{
	for (struct dlazy_module *m = dlazy_registry_next(registry, NULL); m;
	     m = dlazy_registry_next(registry, m))
		list_plugin(m);
}

static void find(struct dlazy_registry *registry, const char *name)
{
	struct dlazy_module *m = dlazy_registry_find(registry, name);

	if (!m || dlazy_bind(m, imports, IMPORTS) < 0)
		errx(1, "%s: %s", name, dlazy_error());
	*(void **)&plugin.update = dlazy_sym(m, "f0r_update");
	*(void **)&plugin.update2 = dlazy_sym(m, "f0r_update2");
}

static void find_eagerly(const char *dir, const char *name)
{
	void *handle = eager_open(dir, name, "f0r_init");

	if (!handle)
		errx(1, "%s: no such plugin", name);
	for (size_t i = 0; i < IMPORTS; i++)
		if (!(*imports[i].address =
			      eager_symbol(handle, imports[i].symbol)))
			errx(1, "%s: no %s", name, imports[i].symbol);
	*(void **)&plugin.update = eager_symbol(handle, "f0r_update");
	*(void **)&plugin.update2 = eager_symbol(handle, "f0r_update2");
}

/* Sets the parameters of arguments PARAMETER=VALUE that are numbers. */
static void set_parameters(void *instance, int count, char **settings)
{
	for (int i = 0; i < count; i++) {
		struct frei0r_param p = {0};
		plugin.param(&p, i);
		for (char **s = settings; p.name && *s; s++) {
			size_t length = strlen(p.name);
			if (strncasecmp(*s, p.name, length) != 0 ||
			    (*s)[length] != '=')
				continue;
			double value = strtod(*s + length + 1, NULL);
			if (p.type == FREI0R_DOUBLE || p.type == FREI0R_BOOL)
				plugin.set(instance, &value, i);
		}
	}
}

/* Colours that run, with squares and a moving bar: something for any filter. */
static void draw(uint32_t *picture, int frame)
{
	for (uint32_t y = 0; y < HEIGHT; y++)
		for (uint32_t x = 0; x < WIDTH; x++) {
			uint32_t bar = x / 16 == (uint32_t)frame * 2 + 4;
			uint32_t square = (x / 32 + y / 32) % 2 * 64;
			*picture++ = 0xff000000u | (bar ? 255 : x % 256) |
				     (y + square / 4) % 256 << 8 |
				     (square + (x + y) / 8) << 16;
		}
}

static void write_picture(const char *path, const uint32_t *picture)
{
	FILE *file = fopen(path, "we");

	if (!file)
		err(1, "%s", path);
	fprintf(file, "P6 %d %d 255\n", WIDTH, HEIGHT);
	for (int i = 0; i < WIDTH * HEIGHT; i++)
		for (int part = 0; part < 24; part += 8)
			putc((int)(picture[i] >> part & 0xff), file);
	if (fclose(file) != 0)
		err(1, "%s", path);
}

static void filter(const char *name, const char *out, char **settings)
{
	static uint32_t in[3][WIDTH * HEIGHT], result[WIDTH * HEIGHT];
	struct frei0r_info info = {0};

	srand(1); /* the same noise, whatever was loaded before */
	plugin.init();
	plugin.info(&info);
	srand(1);
	bool mixes = info.kind == FREI0R_MIXER2 || info.kind == FREI0R_MIXER3;
	if (info.version != 1 ||
	    !(mixes ? (void *)plugin.update2 : (void *)plugin.update))
		errx(1, "%s: not a frei0r 1 plugin", name);
	void *instance = plugin.construct(WIDTH, HEIGHT);
	if (!instance)
		errx(1, "%s: cannot be constructed", name);
	set_parameters(instance, info.params_count, settings);
	for (int frame = 0; frame < FRAMES; frame++) {
		for (int i = 0; i < 3; i++)
			draw(in[i], frame + i);
		if (mixes)
			plugin.update2(instance, frame / 25.0, in[0], in[1],
				       in[2], result);
		else
			plugin.update(instance, frame / 25.0, in[0], result);
	}
	plugin.destruct(instance);
	plugin.deinit();
	write_picture(out, result);
}

int main(int argc, char **argv)
{
	bool eager = false, stats = false;
	struct dlazy_registry *registry = NULL;

	for (; argc > 1 && !strncmp(argv[1], "--", 2); argc--, argv++) {
		eager |= !strcmp(argv[1], "--eager");
		stats |= !strcmp(argv[1], "--stats");
	}
	if (argc < 2 || argc == 3)
		errx(2, "frei0r-host [--eager] [--stats] DIR "
			"[NAME OUT.ppm [PARAMETER=VALUE...]]");
	if (!eager && !(registry = dlazy_registry_new()))
		errx(1, "%s", dlazy_error());
	if (!eager && dlazy_registry_add_dir(registry, argv[1], 0) < 0)
		errx(1, "%s", dlazy_error());
	if (argc == 2)
		list(registry);
	if (argc > 3) {
		if (eager)
			find_eagerly(argv[1], argv[2]);
		else
			find(registry, argv[2]);
		filter(argv[2], argv[3], argv + 4);
	}
	if (stats)
		print_stats(registry, argv[1]);
	dlazy_registry_free(registry);
	return 0;
}
