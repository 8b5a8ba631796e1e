/* SPDX-License-Identifier: MIT */
/*
 * Takes away what is above AMOUNT Hz: one pole, 6 dB per octave.
 */
#include <math.h>

#define EFFECT "lowpass"

struct effect {
	float factor;
	float last;
};

static void effect_start(struct effect *e, float rate)
{
	e->factor = 1.0f - expf(-6.2831853f * (AMOUNT) / rate);
}

static float effect_step(struct effect *e, float x)
{
	e->last += e->factor * (x - e->last);
	return e->last;
}

#include "plugins/audio/plugin.h"
