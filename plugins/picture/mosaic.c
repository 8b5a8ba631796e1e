/* SPDX-License-Identifier: MIT */
/*
 * Squares of AMOUNT pixels.
 */
#include "plugins/picture/pixel.h"

#define EFFECT "mosaic"
#define ABOUT "large pixels"

static uint32_t draw_pixel(const struct picture *p, int x, int y)
{
	return pixel_at(p, x / (AMOUNT) * (AMOUNT), y / (AMOUNT) * (AMOUNT));
}

static void effect_draw(const struct picture *p)
{
	for (int y = 0; y < p->height; y++)
		for (int x = 0; x < p->width; x++)
			p->out[y * p->width + x] = draw_pixel(p, x, y);
}

#include "plugins/picture/plugin.h"
