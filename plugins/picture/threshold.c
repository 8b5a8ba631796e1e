/* SPDX-License-Identifier: MIT */
/*
 * Black below AMOUNT per cent of white, white above.
 */
#include "plugins/picture/pixel.h"

#define EFFECT "threshold"
#define ABOUT "black and white, nothing between"

static uint32_t draw_pixel(const struct picture *p, int x, int y)
{
	uint32_t in = pixel_at(p, x, y);
	double v = pixel_luma(in) * 100 < (AMOUNT)*255.0 ? 0 : 255;

	return pixel_make(v, v, v, in);
}

static void effect_draw(const struct picture *p)
{
	for (int y = 0; y < p->height; y++)
		for (int x = 0; x < p->width; x++)
			p->out[y * p->width + x] = draw_pixel(p, x, y);
}

#include "plugins/picture/plugin.h"
