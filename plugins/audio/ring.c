/* SPDX-License-Identifier: MIT */
/*
 * Multiplies with a tone of AMOUNT Hz.
 */
#include <math.h>

#define EFFECT "ring"

struct effect {
	float step;
	float phase;
};

static void effect_start(struct effect *e, float rate)
{
	e->step = 6.2831853f * (AMOUNT) / rate;
}

static float effect_step(struct effect *e, float x)
{
	float y = x * sinf(e->phase);

	e->phase = fmodf(e->phase + e->step, 6.2831853f);
	return y;
}

#include "plugins/audio/plugin.h"
