/* SPDX-License-Identifier: MIT */
/*
 * Takes away what is below AMOUNT Hz: one pole, 6 dB per octave.
 */
#include <math.h>

#define EFFECT "highpass"

struct effect {
	float factor;
	float low;
};

static void effect_start(struct effect *e, float rate)
{
	e->factor = 1.0f - expf(-6.2831853f * (AMOUNT) / rate);
}

static float effect_step(struct effect *e, float x)
{
	e->low += e->factor * (x - e->low);
	return x - e->low;
}

#include "plugins/audio/plugin.h"
