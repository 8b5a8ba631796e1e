/* SPDX-License-Identifier: MIT */
/*
 * The probe of LADSPA plugins (https://ladspa.org): ladspa_descriptor() answers
 * for index 0, 1, ... until NULL, with constant structures. No instance is made.
 * Their layout is that of LADSPA 1.1, written down from its specification.
 */
#include "probe/probe.h"
#include "probe/text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum { /* properties */
       IS_REALTIME = 1,
       IS_INPLACE_BROKEN = 2,
       IS_HARD_RT = 4
};

enum { /* a port's */
       IS_INPUT = 1,
       IS_CONTROL = 4
};

enum { /* hints; then the default, in four bits */
       IS_BELOW = 0x1,
       IS_ABOVE = 0x2,
       IS_TOGGLED = 0x4,
       IS_SAMPLE_RATE = 0x8,
       IS_LOGARITHMIC = 0x10,
       IS_INTEGER = 0x20,
       DEFAULT_SHIFT = 6,
       DEFAULT_MASK = 15
};

struct range {
	int hints;
	float lower, upper;
};

struct descriptor {
	unsigned long id;
	const char *label;
	int properties;
	const char *name, *maker, *copyright;
	unsigned long ports_count;
	const int *ports;
	const char *const *port_names;
	const struct range *ranges;
};

typedef const struct descriptor *descriptor_fn(unsigned long index);

/* So many are no plugins, but a function that never ends. */
#define PLUGINS_MAX 4096
#define PORTS_MAX 65536

/* The way from the lower bound to the upper one, in quarters. */
static float between(const struct range *r, int quarters)
{
	double share = quarters / 4.0;

	if (r->hints & IS_LOGARITHMIC) /* of a bound of 0, too: 0 then */
		return (float)exp(log((double)r->lower) * (1 - share) +
				  log((double)r->upper) * share);
	return (float)((double)r->lower * (1 - share) +
		       (double)r->upper * share);
}

/* NaN: it has none. Where bounds are multiples of the sample rate, it is, too. */
static float default_of(const struct range *r)
{
	int which = r->hints >> DEFAULT_SHIFT & DEFAULT_MASK;

	switch (which) {
	case 1:
		return r->lower;
	case 2:
	case 3:
	case 4:
		return between(r, which - 1);
	case 5:
		return r->upper;
	case 8:
		return 0;
	case 9:
		return 1;
	case 10:
		return 100;
	case 11:
		return 440;
	default:
		return NAN;
	}
}

static void write_number(struct json *j, const char *key, bool is_given,
			 float value)
{
	json_key(j, key);
	probe_text_float(j, is_given ? value : NAN);
}

static void write_port(struct json *j, const struct descriptor *d,
		       unsigned long i)
{
	const struct range *r = &d->ranges[i];

	json_begin_object(j);
	json_string_at(j, "name", d->port_names[i]);
	json_string_at(j, "kind",
		       d->ports[i] & IS_CONTROL ? "control" : "audio");
	json_string_at(j, "direction",
		       d->ports[i] & IS_INPUT ? "input" : "output");
	write_number(j, "min", r->hints & IS_BELOW, r->lower);
	write_number(j, "max", r->hints & IS_ABOVE, r->upper);
	write_number(j, "default", true, default_of(r));
	json_bool_at(j, "sample_rate", r->hints & IS_SAMPLE_RATE);
	json_bool_at(j, "logarithmic", r->hints & IS_LOGARITHMIC);
	json_bool_at(j, "integer", r->hints & IS_INTEGER);
	json_bool_at(j, "toggled", r->hints & IS_TOGGLED);
	json_end_object(j);
}

static void write_plugin(struct json *j, const struct descriptor *d)
{
	json_begin_object(j);
	json_unsigned_at(j, "id", d->id);
	json_string_at(j, "label", d->label);
	json_string_at(j, "name", d->name);
	json_string_at(j, "maker", d->maker);
	json_string_at(j, "copyright", d->copyright);
	json_bool_at(j, "realtime", d->properties & IS_REALTIME);
	json_bool_at(j, "inplace_broken", d->properties & IS_INPLACE_BROKEN);
	json_bool_at(j, "hard_rt", d->properties & IS_HARD_RT);
	json_begin_array_at(j, "ports");
	for (unsigned long i = 0; i < d->ports_count && i < PORTS_MAX; i++)
		write_port(j, d, i);
	json_end_array(j);
	json_end_object(j);
}

char *dlazy_probe_family(const struct probe_plugin *plugin)
{
	descriptor_fn *describe;
	const struct descriptor *d;
	struct probe_text text;

	*(void **)&describe =
		plugin->symbol(plugin->handle, "ladspa_descriptor");
	if (!describe || !describe(0)) {
		errno = 0; /* the plugin's own */
		return NULL;
	}
	if (!probe_text_begin(&text))
		return NULL;
	struct json *j = &text.json;
	json_begin_array_at(j, "provides");
	for (unsigned long i = 0; i < PLUGINS_MAX && (d = describe(i)); i++) {
		probe_text_provide(j, "ladspa/", d->label, d->name);
		json_end_object(j);
	}
	json_end_array(j);
	json_begin_array_at(j, "ladspa");
	for (unsigned long i = 0; i < PLUGINS_MAX && (d = describe(i)); i++)
		write_plugin(j, d);
	json_end_array(j);
	return probe_text_end(&text);
}
