/* SPDX-License-Identifier: MIT */
/*
 * The binary interface of LADSPA 1.1 (https://ladspa.org), written down from
 * its specification, so that plugins and host build without its package: the
 * layout is LADSPA's, the names are in our style. A plugin file exports
 * ladspa_descriptor(), which answers for index 0, 1, ... until NULL.
 */
#ifndef PLUGINS_LADSPA_H
#define PLUGINS_LADSPA_H

enum ladspa_port { /* bits */
		   LADSPA_INPUT = 1,
		   LADSPA_OUTPUT = 2,
		   LADSPA_CONTROL = 4,
		   LADSPA_AUDIO = 8,
};

enum ladspa_hint { /* bits, then a field for the default */
		   LADSPA_BELOW = 0x1,
		   LADSPA_ABOVE = 0x2,
		   LADSPA_SAMPLE_RATE = 0x8,
		   LADSPA_LOGARITHMIC = 0x10,
		   LADSPA_INTEGER = 0x20,
		   LADSPA_DEFAULT = 0x3c0,
		   LADSPA_DEFAULT_MINIMUM = 0x40,
		   LADSPA_DEFAULT_LOW = 0x80,
		   LADSPA_DEFAULT_MIDDLE = 0xc0,
		   LADSPA_DEFAULT_HIGH = 0x100,
		   LADSPA_DEFAULT_MAXIMUM = 0x140,
		   LADSPA_DEFAULT_0 = 0x200,
		   LADSPA_DEFAULT_1 = 0x240,
		   LADSPA_DEFAULT_100 = 0x280,
		   LADSPA_DEFAULT_440 = 0x2c0,
};

struct ladspa_range {
	int hints; /* enum ladspa_hint */
	float lower;
	float upper;
};

struct ladspa_descriptor {
	unsigned long id;
	const char *label;
	int properties;
	const char *name;
	const char *maker;
	const char *copyright;
	unsigned long ports_count;
	const int *ports; /* enum ladspa_port */
	const char *const *port_names;
	const struct ladspa_range *ranges;
	void *data;
	void *(*instantiate)(const struct ladspa_descriptor *, unsigned long);
	void (*connect_port)(void *, unsigned long, float *);
	void (*activate)(void *); /* or NULL */
	void (*run)(void *, unsigned long);
	void (*run_adding)(void *, unsigned long);  /* or NULL */
	void (*set_run_adding_gain)(void *, float); /* or NULL */
	void (*deactivate)(void *);		    /* or NULL */
	void (*cleanup)(void *);
};

typedef const struct ladspa_descriptor *ladspa_descriptor_fn(unsigned long);

#endif
