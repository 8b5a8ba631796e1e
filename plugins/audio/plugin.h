/* SPDX-License-Identifier: MIT */
/*
 * The LADSPA face of one effect. The effect's source defines, and then includes
 * this:
 *
 *   struct effect            its memory, zeroed at the start
 *   EFFECT                   its name, a string
 *   effect_start(e, rate)    once; may use AMOUNT, the number in its file name
 *   effect_step(e, x)        one sample in, one out
 *
 * Many plugin files are made from one source by AMOUNT (plugins/local.mk).
 */
#include "plugins/ladspa.h"

#include <stdlib.h>

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

enum { PORT_IN, PORT_OUT, PORT_MIX, PORTS };

struct instance {
	struct effect effect;
	float *ports[PORTS];
};

static void *instantiate(const struct ladspa_descriptor *d, unsigned long rate)
{
	struct instance *self = calloc(1, sizeof(*self));

	(void)d;
	if (self)
		effect_start(&self->effect, (float)rate);
	return self;
}

static void connect_port(void *instance, unsigned long port, float *data)
{
	struct instance *self = instance;

	if (port < PORTS)
		self->ports[port] = data;
}

static void run(void *instance, unsigned long n)
{
	struct instance *self = instance;
	float mix = *self->ports[PORT_MIX];

	for (unsigned long i = 0; i < n; i++) {
		float x = self->ports[PORT_IN][i];
		float y = effect_step(&self->effect, x);
		self->ports[PORT_OUT][i] = x + mix * (y - x);
	}
}

static const int ports[PORTS] = {
	LADSPA_INPUT | LADSPA_AUDIO,
	LADSPA_OUTPUT | LADSPA_AUDIO,
	LADSPA_INPUT | LADSPA_CONTROL,
};

static const char *const port_names[PORTS] = {"Input", "Output", "Mix"};

static const struct ladspa_range ranges[PORTS] = {
	[PORT_MIX] = {LADSPA_BELOW | LADSPA_ABOVE | LADSPA_DEFAULT_MAXIMUM, 0,
		      1},
};

static const struct ladspa_descriptor descriptor = {
	.id = 0x3000 + (AMOUNT),
	.label = EFFECT "_" TEXT(AMOUNT),
	.name = EFFECT " " TEXT(AMOUNT),
	.maker = "dlazy",
	.copyright = "MIT",
	.ports_count = PORTS,
	.ports = ports,
	.port_names = port_names,
	.ranges = ranges,
	.instantiate = instantiate,
	.connect_port = connect_port,
	.run = run,
	.cleanup = free,
};

ladspa_descriptor_fn ladspa_descriptor;
const struct ladspa_descriptor *ladspa_descriptor(unsigned long index)
{
	return index == 0 ? &descriptor : NULL;
}
