/* SPDX-License-Identifier: MIT */
/*
 * AMOUNT per cent of noise, the same for the same moment.
 */
#include "plugins/picture/pixel.h"

#define EFFECT "noise"
#define ABOUT "as a bad camera does"

static uint32_t draw_pixel(const struct picture *p, int x, int y)
{
	uint32_t in = pixel_at(p, x, y);
	uint32_t n = (uint32_t)(x * 73856093) ^ (uint32_t)(y * 19349663) ^
		     (uint32_t)(p->time * 1000);

	n = (n ^ n >> 13) * 1274126177u;
	double by = ((n >> 16 & 0xff) / 127.5 - 1) * 2.55 * (AMOUNT);
	return pixel_make(pixel_part(in, 0) + by, pixel_part(in, 1) + by,
			  pixel_part(in, 2) + by, in);
}

static void effect_draw(const struct picture *p)
{
	for (int y = 0; y < p->height; y++)
		for (int x = 0; x < p->width; x++)
			p->out[y * p->width + x] = draw_pixel(p, x, y);
}

#include "plugins/picture/plugin.h"
