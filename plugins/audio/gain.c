/* SPDX-License-Identifier: MIT */
/*
 * Louder or quieter: AMOUNT tenths of a decibel less than full; no memory.
 * The smallest plugin there is.
 */
#include <math.h>

#define EFFECT "gain"

struct effect {
	float factor;
};

static void effect_start(struct effect *e, float rate)
{
	(void)rate;
	e->factor = powf(10.0f, -(AMOUNT) / 200.0f);
}

static float effect_step(struct effect *e, float x)
{
	return x * e->factor;
}

#include "plugins/audio/plugin.h"
