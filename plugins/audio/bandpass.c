/* SPDX-License-Identifier: MIT */
/*
 * Keeps what is near AMOUNT Hz: a state-variable filter of quality 4.
 */
#include <math.h>

#define EFFECT "bandpass"

struct effect {
	float factor;
	float low;
	float band;
};

static void effect_start(struct effect *e, float rate)
{
	e->factor = 2.0f * sinf(3.1415927f * (AMOUNT) / rate);
}

static float effect_step(struct effect *e, float x)
{
	e->low += e->factor * e->band;
	float high = x - e->low - 0.25f * e->band;
	e->band += e->factor * high;
	return e->band;
}

#include "plugins/audio/plugin.h"
