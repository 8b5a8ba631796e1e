/* SPDX-License-Identifier: MIT */
/*
 * An example host: filters a sound through one LADSPA plugin of a directory.
 *
 *   ladspa-host [--eager] [--stats] DIR [NAME[:LABEL] OUT.wav [INPUT=VALUE...]]
 *
 * The whole directory is declared; what is loaded is the one plugin whose
 * ladspa_descriptor() is called. --eager does it as such hosts do without
 * dlazy: dlopen each file and look its descriptor up. Without NAME, lists the
 * plugins with their ports, as far as their metadata say, and loads none; with
 * --eager, as the plugins say themselves.
 */
#include <dlazy/dlazy.h>

#include "plugins/hosts/compare.h"
#include "plugins/ladspa.h"

#include <err.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define RATE 44100 /* samples of the sound: one second */
#define PORTS_MAX 256

/* A value of the plugin's metadata; NULL: it is not known. */
static const char *known(struct dlazy_module *m, const char *format, ...)
{
	char pointer[128];
	va_list list;

	va_start(list, format);
	vsnprintf(pointer, sizeof(pointer), format, list);
	va_end(list);
	return dlazy_module_property(m, pointer);
}

static void list_port(struct dlazy_module *m, unsigned i, unsigned k)
{
	const char *low = known(m, "/ladspa/%u/ports/%u/min", i, k);
	const char *high = known(m, "/ladspa/%u/ports/%u/max", i, k);
	const char *usual = known(m, "/ladspa/%u/ports/%u/default", i, k);

	printf("\t%s: %s %s", known(m, "/ladspa/%u/ports/%u/name", i, k),
	       known(m, "/ladspa/%u/ports/%u/kind", i, k),
	       known(m, "/ladspa/%u/ports/%u/direction", i, k));
	if (low || high)
		printf(", %s to %s", low ? low : "...", high ? high : "...");
	if (usual)
		printf(", default %s", usual);
	putchar('\n');
}

/* Every plugin of the file with its ports, as its metadata has them (`dlazy scan
 * --probe` asks for these): nothing is loaded. */
static void list_file(struct dlazy_module *m)
{
	const char *name = dlazy_module_name(m), *label;

	if (!known(m, "/ladspa/0/label"))
		puts(name);
	for (unsigned i = 0; (label = known(m, "/ladspa/%u/label", i)); i++) {
		printf("%s:%s: %s\n", name, label,
		       known(m, "/ladspa/%u/name", i));
		for (unsigned k = 0; known(m, "/ladspa/%u/ports/%u/name", i, k);
		     k++)
			list_port(m, i, k);
	}
}

static void list(struct dlazy_registry *registry)
{
	for (struct dlazy_module *m = dlazy_registry_next(registry, NULL); m;
	     m = dlazy_registry_next(registry, m))
		list_file(m);
}

/* As the probe of `dlazy scan` has it; false: the port has none. */
static bool usual_value(const struct ladspa_range *r, float *ret)
{
	static const float values[4] = {0, 1, 100, 440};
	int which = (r->hints & LADSPA_DEFAULT) / LADSPA_DEFAULT_MINIMUM;
	double share = (which - 1) / 4.0;

	if (which == 0 || which == 6 || which == 7 || which > 11)
		return false;
	if (which >= 8)
		*ret = values[which % 4];
	else if (which == 1 || which == 5)
		*ret = which == 1 ? r->lower : r->upper;
	else if (r->hints & LADSPA_LOGARITHMIC)
		*ret = (float)exp(log((double)r->lower) * (1 - share) +
				  log((double)r->upper) * share);
	else
		*ret = (float)((double)r->lower * (1 - share) +
			       (double)r->upper * share);
	return isfinite(*ret);
}

static void tell_port(const struct ladspa_descriptor *d, unsigned long i)
{
	const struct ladspa_range *r = &d->ranges[i];
	float usual;

	printf("\t%s: %s %s", d->port_names[i],
	       d->ports[i] & LADSPA_CONTROL ? "control" : "audio",
	       d->ports[i] & LADSPA_INPUT ? "input" : "output");
	if (r->hints & (LADSPA_BELOW | LADSPA_ABOVE)) {
		printf(r->hints & LADSPA_BELOW ? ", %g" : ", ...",
		       (double)r->lower);
		printf(r->hints & LADSPA_ABOVE ? " to %g" : " to ...",
		       (double)r->upper);
	}
	if (usual_value(r, &usual))
		printf(", default %g", (double)usual);
	putchar('\n');
}

/* The same list, from the plugins themselves. */
static void tell_file(const char *name, void *symbol)
{
	ladspa_descriptor_fn *describe;
	const struct ladspa_descriptor *d;

	memcpy(&describe, &symbol, sizeof(describe));
	for (unsigned long i = 0; (d = describe(i)); i++) {
		printf("%s:%s: %s\n", name, d->label, d->name);
		for (unsigned long k = 0; k < d->ports_count; k++)
			tell_port(d, k);
	}
}

/* The plugin's entry: with dlazy a stub, which loads when it is called. */
static ladspa_descriptor_fn *find(struct dlazy_registry *registry,
				  const char *dir, const char *name)
{
	static const char entry[] = "ladspa_descriptor";
	void *found = NULL;

	if (!registry) {
		void *handle = eager_open(dir, name, entry);
		return handle ? eager_symbol(handle, entry) : NULL;
	}
	struct dlazy_module *m = dlazy_registry_find(registry, name);
	if (m)
		found = dlazy_sym(m, entry);
	if (!found)
		errx(1, "%s: %s", name, dlazy_error());
	return found;
}

/* LADSPA names a default by a number: 1 to 5 are quarters of the way from the
 * lower bound to the upper one, 8 to 11 values of their own. */
static float default_value(const struct ladspa_range *r)
{
	static const float values[4] = {0, 1, 100, 440};
	float unit = r->hints & LADSPA_SAMPLE_RATE ? RATE : 1;
	float low = r->lower * unit, high = r->upper * unit;
	int which = (r->hints & LADSPA_DEFAULT) / LADSPA_DEFAULT_MINIMUM;
	float share = (float)(which - 1) / 4;

	if (which == 0)
		return r->hints & LADSPA_BELOW && low > 0 ? low : 0;
	if (which >= 8)
		return values[which % 4];
	float value = low * (1 - share) + high * share;
	if (r->hints & LADSPA_LOGARITHMIC && low > 0 && high > 0)
		value = expf(logf(low) * (1 - share) + logf(high) * share);
	return r->hints & LADSPA_INTEGER ? roundf(value) : value;
}

/* VALUE of an argument INPUT=VALUE, else the default. */
static float control_value(const struct ladspa_descriptor *d, unsigned long i,
			   char **settings)
{
	size_t length = strlen(d->port_names[i]);

	for (; *settings; settings++)
		if (!strncasecmp(*settings, d->port_names[i], length) &&
		    (*settings)[length] == '=')
			return strtof(*settings + length + 1, NULL);
	return default_value(&d->ranges[i]);
}

/* A falling and rising tone with silence between: something for any filter. */
static float sample(unsigned i)
{
	float t = (float)i / RATE;

	return fmodf(t, 0.25f) > 0.2f ? 0 : 0.5f * sinf(4000 * t * (1.5f - t));
}

/* Floats, one channel for each output; the host is little-endian. */
static void write_wave(const char *path, float *channels[], uint32_t n)
{
	const uint32_t size = 4 * RATE * n;
	/* "RIFF", "WAVE", "fmt ", "data", and what stands between them */
	const uint32_t header[] = {0x46464952, 36 + size,    0x45564157,
				   0x20746d66, 16,	     3 | n << 16,
				   RATE,       4 * RATE * n, 4 * n | 32 << 16,
				   0x61746164, size};
	FILE *file = fopen(path, "we");

	if (!file)
		err(1, "%s", path);
	fwrite(header, sizeof(header), 1, file);
	for (unsigned i = 0; i < RATE; i++)
		for (unsigned c = 0; c < n; c++)
			fwrite(&channels[c][i], sizeof(float), 1, file);
	if (fclose(file) != 0)
		err(1, "%s", path);
}

static void filter(const struct ladspa_descriptor *d, const char *out,
		   char **settings)
{
	static float input[RATE], controls[PORTS_MAX];
	float *outputs[PORTS_MAX];
	unsigned n = 0;

	srand(1); /* the same noise, whatever was loaded before */
	void *instance = d->instantiate(d, RATE);

	if (!instance || d->ports_count > PORTS_MAX)
		errx(1, "%s: cannot be used", d->label);
	for (unsigned i = 0; i < RATE; i++)
		input[i] = sample(i);
	for (unsigned long i = 0; i < d->ports_count; i++) {
		float *at = input;
		if (d->ports[i] & LADSPA_CONTROL)
			*(at = &controls[i]) = control_value(d, i, settings);
		else if (d->ports[i] & LADSPA_OUTPUT)
			at = outputs[n++] = calloc(RATE, sizeof(float));
		d->connect_port(instance, i, at);
	}
	if (d->activate)
		d->activate(instance);
	/* Who plays a sound while it is made could not wait for a file here. */
	dlazy_forbid_loading("while the sound is made");
	d->run(instance, RATE);
	dlazy_forbid_loading(NULL);
	if (d->deactivate)
		d->deactivate(instance);
	d->cleanup(instance);
	write_wave(out, outputs, n);
}

/* The plugin of that label, or the first of the file. */
static const struct ladspa_descriptor *choose(ladspa_descriptor_fn *describe,
					      const char *label)
{
	const struct ladspa_descriptor *d;

	for (unsigned long i = 0; (d = describe(i)); i++)
		if (!label || !strcmp(d->label, label))
			break;
	return d;
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
		errx(2, "ladspa-host [--eager] [--stats] DIR "
			"[NAME[:LABEL] OUT.wav [INPUT=VALUE...]]");
	if (!eager && !(registry = dlazy_registry_new()))
		errx(1, "%s", dlazy_error());
	if (!eager && dlazy_registry_add_dir(registry, argv[1], 0) < 0)
		errx(1, "%s", dlazy_error());
	if (argc == 2 && eager)
		eager_each(argv[1], "ladspa_descriptor", tell_file);
	else if (argc == 2)
		list(registry);
	if (argc > 3) {
		char *label = strchr(argv[2], ':');
		if (label)
			*label++ = '\0';
		ladspa_descriptor_fn *describe =
			find(registry, argv[1], argv[2]);
		const struct ladspa_descriptor *d =
			describe ? choose(describe, label) : NULL;
		if (!d)
			errx(1, "%s: no plugin %s", argv[2],
			     label ? label : "");
		filter(d, argv[3], argv + 4);
	}
	if (stats)
		print_stats(registry, argv[1]);
	dlazy_registry_free(registry);
	return 0;
}
