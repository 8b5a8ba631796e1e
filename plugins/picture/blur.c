/* SPDX-License-Identifier: MIT */
/*
 * Each pixel is the mean of those at most AMOUNT away.
 */
#include "plugins/picture/pixel.h"

#define EFFECT "blur"
#define ABOUT "out of focus"

static uint32_t draw_pixel(const struct picture *p, int x, int y)
{
	double sum[3] = {0, 0, 0};
	int n = 0;

	for (int dy = -(AMOUNT); dy <= (AMOUNT); dy++)
		for (int dx = -(AMOUNT); dx <= (AMOUNT); dx++, n++)
			for (int i = 0; i < 3; i++)
				sum[i] += pixel_part(
					pixel_at(p, x + dx, y + dy), i);
	return pixel_make(sum[0] / n, sum[1] / n, sum[2] / n,
			  pixel_at(p, x, y));
}

static void effect_draw(const struct picture *p)
{
	for (int y = 0; y < p->height; y++)
		for (int x = 0; x < p->width; x++)
			p->out[y * p->width + x] = draw_pixel(p, x, y);
}

#include "plugins/picture/plugin.h"
