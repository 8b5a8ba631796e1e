/* SPDX-License-Identifier: MIT */
/*
 * Silence below AMOUNT per cent of full; opens at once, closes in 10 ms.
 */
#include <math.h>

#define EFFECT "gate"

struct effect {
	float fall;
	float level;
};

static void effect_start(struct effect *e, float rate)
{
	e->fall = expf(-100.0f / rate);
}

static float effect_step(struct effect *e, float x)
{
	e->level = fmaxf(fabsf(x), e->level * e->fall);
	return e->level < (AMOUNT) / 100.0f ? 0 : x;
}

#include "plugins/audio/plugin.h"
