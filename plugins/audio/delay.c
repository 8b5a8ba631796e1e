/* SPDX-License-Identifier: MIT */
/*
 * The same, AMOUNT milliseconds later; at most a second.
 */
#define EFFECT "delay"
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
	float y = e->line[e->at];

	e->line[e->at] = x;
	e->at = (e->at + 1) % e->length;
	return y;
}

#include "plugins/audio/plugin.h"
