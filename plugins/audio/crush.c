/* SPDX-License-Identifier: MIT */
/*
 * As if there were AMOUNT bits to a sample.
 */
#include <math.h>

#define EFFECT "crush"

struct effect {
	float levels;
};

static void effect_start(struct effect *e, float rate)
{
	(void)rate;
	e->levels = ldexpf(1, (AMOUNT)-1);
}

static float effect_step(struct effect *e, float x)
{
	return floorf(x * e->levels + 0.5f) / e->levels;
}

#include "plugins/audio/plugin.h"
