/* SPDX-License-Identifier: MIT */
/* Portable bitmaps, graymaps and pixmaps in their binary forms (P4, P5, P6). */
#include "plugins/codec/codec.h"

#include <string.h>

DLAZY_PLUGIN(
	"{\"schema\":1, \"name\":\"pnm\", \"version\":\"1.0\", "
	"\"interface\":\"pic/1.0\", \"provides\":[{\"id\":\"codec/pnm\", "
	"\"description\":\"Portable anymap\", \"rank\":500, "
	"\"mime\":[\"image/x-portable-anymap\", \"image/x-portable-bitmap\", "
	"\"image/x-portable-graymap\", \"image/x-portable-pixmap\"], "
	"\"glob\":[\"*.pbm\", \"*.pgm\", \"*.ppm\", \"*.pnm\"], "
	"\"magic\":["
	"{\"offset\":0, \"hex\":\"5034\"}, "
	"{\"offset\":0, \"hex\":\"5035\"}, "
	"{\"offset\":0, \"hex\":\"5036\"}], "
	"\"symbol\":\"codec_decode\"}]}")

static int read_bits(const uint8_t *d, size_t size, struct picture *p)
{
	size_t row = (p->width + 7) / 8;

	if (size / row < p->height)
		return -1;
	for (unsigned y = 0; y < p->height; y++)
		for (unsigned x = 0; x < p->width; x++) {
			uint8_t v =
				d[y * row + x / 8] & 0x80 >> x % 8 ? 0 : 255;

			picture_set(p, (size_t)y * p->width + x, v, v, v);
		}
	return 0;
}

int codec_decode(const uint8_t *d, size_t size, struct picture *ret)
{
	size_t at = 2, n;
	int kind = size > 2 && d[0] == 'P' ? d[1] : 0;
	unsigned width = text_number(d, size, &at);
	unsigned height = text_number(d, size, &at);
	unsigned most = kind == '4' ? 1 : text_number(d, size, &at);

	if (kind < '4' || kind > '6' || most == 0 || most > 255 ||
	    ++at > size || picture_new(ret, width, height) < 0)
		return -1;
	n = (size_t)width * height;
	if (kind == '4')
		return read_bits(d + at, size - at, ret);
	if ((size - at) / (kind == '6' ? 3 : 1) < n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const uint8_t *c = d + at + (kind == '6' ? 3 * i : i);
		int next = kind == '6';

		picture_set(ret, i, (uint8_t)(c[0] * 255u / most),
			    (uint8_t)(c[next] * 255u / most),
			    (uint8_t)(c[2 * next] * 255u / most));
	}
	return 0;
}
