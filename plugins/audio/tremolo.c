/* SPDX-License-Identifier: MIT */
/*
 * Louder and quieter, AMOUNT times in ten seconds.
 */
#include <math.h>

#define EFFECT "tremolo"

struct effect {
	float step;
	float phase;
};

static void effect_start(struct effect *e, float rate)
{
	e->step = 6.2831853f * (AMOUNT) / 10 / rate;
}

static float effect_step(struct effect *e, float x)
{
	float y = x * (0.75f + 0.25f * sinf(e->phase));

	e->phase = fmodf(e->phase + e->step, 6.2831853f);
	return y;
}

#include "plugins/audio/plugin.h"
