/* SPDX-License-Identifier: MIT */
/*
 * Every sound again and again, AMOUNT milliseconds later and half as loud.
 */
#define EFFECT "echo"
#define ROOM 48000

struct effect {
	unsigned length;
	unsigned at;
	float line[ROOM];
};

static void effect_start(struct effect *e, float rate)
{
	e->length = (unsigned)(rate * (AMOUNT) / 1000);
	if (e->length < 1)
		e->length = 1;
	if (e->length > ROOM)
		e->length = ROOM;
}

static float effect_step(struct effect *e, float x)
{
	float y = 0.5f * x + 0.5f * e->line[e->at];

	e->line[e->at] = y;
	e->at = (e->at + 1) % e->length;
	return y;
}

#include "plugins/audio/plugin.h"
