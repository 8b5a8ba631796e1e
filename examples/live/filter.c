/* SPDX-License-Identifier: MIT */
/*
 * The filter of examples/live, to be changed and built while the host runs.
 */
#ifndef GAIN
#define GAIN 1 /* -1: a negative */
#endif

void filter(unsigned char *pixels, int width, int height);

void filter(unsigned char *pixels, int width, int height)
{
	for (int i = 0; i < width * height; i++)
		pixels[i] = (unsigned char)(GAIN < 0 ? 255 - pixels[i]
						     : pixels[i] / GAIN);
}
