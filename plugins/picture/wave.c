/* SPDX-License-Identifier: MIT */
/*
 * Lines swing AMOUNT pixels to and fro.
 */
#include "plugins/picture/pixel.h"

#include <math.h>

#define EFFECT "wave"
#define ABOUT "as seen under water"

static uint32_t draw_pixel(const struct picture *p, int x, int y)
{
	return pixel_at(p, x + (int)((AMOUNT)*sin(y / 12.0 + p->time * 6)), y);
}

static void effect_draw(const struct picture *p)
{
	for (int y = 0; y < p->height; y++)
		for (int x = 0; x < p->width; x++)
			p->out[y * p->width + x] = draw_pixel(p, x, y);
}

#include "plugins/picture/plugin.h"
