/* SPDX-License-Identifier: MIT */
/*
 * Relief, lit from AMOUNT degrees.
 */
#include "plugins/picture/pixel.h"

#include <math.h>

#define EFFECT "emboss"
#define ABOUT "as if pressed in metal"

static uint32_t draw_pixel(const struct picture *p, int x, int y)
{
	double angle = (AMOUNT)*3.14159265 / 180;
	int dx = (int)lround(2 * cos(angle)), dy = (int)lround(2 * sin(angle));
	double v = 128 + pixel_luma(pixel_at(p, x + dx, y + dy)) -
		   pixel_luma(pixel_at(p, x - dx, y - dy));

	return pixel_make(v, v, v, pixel_at(p, x, y));
}

static void effect_draw(const struct picture *p)
{
	for (int y = 0; y < p->height; y++)
		for (int x = 0; x < p->width; x++)
			p->out[y * p->width + x] = draw_pixel(p, x, y);
}

#include "plugins/picture/plugin.h"
