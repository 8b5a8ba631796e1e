/* SPDX-License-Identifier: MIT */
/*
 * Cuts off what is louder than AMOUNT per cent of full.
 */
#define EFFECT "clip"

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
	if (x > e->limit)
		return e->limit;
	return x < -e->limit ? -e->limit : x;
}

#include "plugins/audio/plugin.h"
