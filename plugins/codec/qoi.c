/* SPDX-License-Identifier: MIT */
/* The Quite OK Image format. */
#include "plugins/codec/codec.h"

#include <string.h>

DLAZY_PLUGIN("{\"schema\":1, \"name\":\"qoi\", \"version\":\"1.0\", "
	     "\"interface\":\"pic/1.0\", \"provides\":[{\"id\":\"codec/qoi\", "
	     "\"description\":\"Quite OK Image\", \"rank\":500, "
	     "\"mime\":[\"image/qoi\"], "
	     "\"glob\":[\"*.qoi\"], "
	     "\"magic\":["
	     "{\"offset\":0, \"hex\":\"716f6966\"}], "
	     "\"symbol\":\"codec_decode\"}]}")

struct dot {
	uint8_t r, g, b, a;
};

/* One of the operations that take a difference or an index; how many bytes. */
static size_t step(const uint8_t *d, struct dot *dot, const struct dot *seen)
{
	int green = (d[0] & 63) - 32;

	switch (d[0] >> 6) {
	case 0:
		*dot = seen[d[0] & 63];
		return 1;
	case 1:
		dot->r = (uint8_t)(dot->r + (d[0] >> 4 & 3) - 2);
		dot->g = (uint8_t)(dot->g + (d[0] >> 2 & 3) - 2);
		dot->b = (uint8_t)(dot->b + (d[0] & 3) - 2);
		return 1;
	case 2:
		dot->r = (uint8_t)(dot->r + green - 8 + (d[1] >> 4));
		dot->g = (uint8_t)(dot->g + green);
		dot->b = (uint8_t)(dot->b + green - 8 + (d[1] & 15));
		return 2;
	default:
		return 1;
	}
}

int codec_decode(const uint8_t *d, size_t size, struct picture *ret)
{
	struct dot seen[64] = {{0, 0, 0, 0}}, dot = {0, 0, 0, 255};
	size_t at = 14, run = 0;

	if (size < 14 || memcmp(d, "qoif", 4) != 0 ||
	    picture_new(ret, be32(d + 4), be32(d + 8)) < 0)
		return -1;
	for (size_t i = 0; i < (size_t)ret->width * ret->height; i++) {
		if (run > 0) {
			run--;
		} else if (size - at < 5) {
			return -1; /* there are eight bytes behind the last */
		} else if (d[at] >= 0xfe) {
			size_t n = d[at] - 0xfe + 3u;

			memcpy(&dot, d + at + 1, n);
			at += 1 + n;
		} else {
			if (d[at] >> 6 == 3)
				run = d[at] & 63;
			at += step(d + at, &dot, seen);
		}
		seen[(dot.r * 3 + dot.g * 5 + dot.b * 7 + dot.a * 11) % 64] =
			dot;
		picture_set(ret, i, dot.r, dot.g, dot.b);
	}
	return 0;
}
