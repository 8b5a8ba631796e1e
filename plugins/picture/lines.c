/* SPDX-License-Identifier: MIT */
/*
 * Each AMOUNT-th line is dark.
 */
#include "plugins/picture/pixel.h"

#define EFFECT "lines"
#define ABOUT "as on an old screen"

static uint32_t draw_pixel(const struct picture *p, int x, int y)
{
	uint32_t in = pixel_at(p, x, y);
	double k = y % (AMOUNT) == 0 ? 0.4 : 1;

	return pixel_make(k * pixel_part(in, 0), k * pixel_part(in, 1),
			  k * pixel_part(in, 2), in);
}

static void effect_draw(const struct picture *p)
{
	for (int y = 0; y < p->height; y++)
		for (int x = 0; x < p->width; x++)
			p->out[y * p->width + x] = draw_pixel(p, x, y);
}

#include "plugins/picture/plugin.h"
