/* SPDX-License-Identifier: MIT */
/*
 * Turns back what is louder than AMOUNT per cent of full, as a mirror does.
 */
#include <math.h>

#define EFFECT "fold"

struct effect {
	float limit;
};

static void effect_start(struct effect *e, float rate)
{
	(void)rate;
	e->limit = (AMOUNT) / 100.0f;
}

static float effect_step(struct effect *e, float x)
{
	float y = fmodf(fabsf(x + e->limit), 4 * e->limit);

	return (y < 2 * e->limit ? y : 4 * e->limit - y) - e->limit;
}

#include "plugins/audio/plugin.h"
