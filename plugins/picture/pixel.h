/* SPDX-License-Identifier: MIT */
/*
 * Pixels of four bytes (red, green, blue, alpha from the lowest) and pictures
 * of them, for the effects beside this file.
 */
#ifndef PICTURE_PIXEL_H
#define PICTURE_PIXEL_H

#include <stdint.h>

struct picture {
	int width;
	int height;
	double time; /* seconds */
	const uint32_t *in;
	uint32_t *out;
};

static inline int pixel_part(uint32_t pixel, int part)
{
	return (int)(pixel >> (8 * part) & 0xff);
}

static inline uint32_t pixel_byte(double value)
{
	return value <= 0 ? 0 : value >= 255 ? 255 : (uint32_t)(value + 0.5);
}

/* A pixel of three colours, cut to range, with the alpha of another. */
static inline uint32_t pixel_make(double red, double green, double blue,
				  uint32_t alpha_of)
{
	return pixel_byte(red) | pixel_byte(green) << 8 |
	       pixel_byte(blue) << 16 | (alpha_of & 0xff000000u);
}

static inline double pixel_luma(uint32_t pixel)
{
	return 0.299 * pixel_part(pixel, 0) + 0.587 * pixel_part(pixel, 1) +
	       0.114 * pixel_part(pixel, 2);
}

/* `share` of b, the rest of a. */
static inline uint32_t pixel_mix(uint32_t a, uint32_t b, double share)
{
	double part[3];

	for (int i = 0; i < 3; i++)
		part[i] = pixel_part(a, i) +
			  share * (pixel_part(b, i) - pixel_part(a, i));
	return pixel_make(part[0], part[1], part[2], a);
}

/* The pixel at (x, y); beyond an edge, the nearest one. */
static inline uint32_t pixel_at(const struct picture *p, int x, int y)
{
	x = x < 0 ? 0 : x >= p->width ? p->width - 1 : x;
	y = y < 0 ? 0 : y >= p->height ? p->height - 1 : y;
	return p->in[y * p->width + x];
}

#endif
