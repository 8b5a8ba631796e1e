/* SPDX-License-Identifier: MIT */
/*
 * AMOUNT levels of each colour.
 */
#include "plugins/picture/pixel.h"

#define EFFECT "poster"
#define ABOUT "few colours, as on a poster"

static uint32_t draw_pixel(const struct picture *p, int x, int y)
{
	uint32_t in = pixel_at(p, x, y);
	double k = 255.0 / ((AMOUNT)-1);
	double part[3];

	for (int i = 0; i < 3; i++)
		part[i] = k * (int)(pixel_part(in, i) / k + 0.5);
	return pixel_make(part[0], part[1], part[2], in);
}

static void effect_draw(const struct picture *p)
{
	for (int y = 0; y < p->height; y++)
		for (int x = 0; x < p->width; x++)
			p->out[y * p->width + x] = draw_pixel(p, x, y);
}

#include "plugins/picture/plugin.h"
