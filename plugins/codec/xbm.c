/* SPDX-License-Identifier: MIT */
/* X bitmaps, which are C source. */
#include "plugins/codec/codec.h"

#include <string.h>

DLAZY_PLUGIN("{\"schema\":1, \"name\":\"xbm\", \"version\":\"1.0\", "
	     "\"interface\":\"pic/1.0\", \"provides\":[{\"id\":\"codec/xbm\", "
	     "\"description\":\"X bitmap\", \"rank\":300, "
	     "\"mime\":[\"image/x-xbitmap\"], "
	     "\"glob\":[\"*.xbm\"], "
	     "\"magic\":["
	     "{\"offset\":0, \"hex\":\"23646566696e6520\"}], "
	     "\"symbol\":\"codec_decode\"}]}")

static int hex_byte(const uint8_t *d, size_t size, size_t *at)
{
	const uint8_t *x = memmem(d + *at, size - *at, "0x", 2);
	int value = 0;

	if (!x)
		return -1;
	for (*at = (size_t)(x - d) + 2; *at < size; ++*at) {
		uint8_t c = d[*at] | 0x20;

		if ((c < '0' || c > '9') && (c < 'a' || c > 'f'))
			break;
		value = (value * 16 + (c <= '9' ? c - '0' : c - 'a' + 10)) &
			255;
	}
	return value;
}

int codec_decode(const uint8_t *d, size_t size, struct picture *ret)
{
	size_t at = 0;

	if (picture_new(ret, text_number_behind(d, size, "_width "),
			text_number_behind(d, size, "_height ")) < 0)
		return -1;
	for (unsigned y = 0; y < ret->height; y++)
		for (unsigned x = 0, bits = 0; x < ret->width; x++) {
			int next = x % 8 ? 0 : hex_byte(d, size, &at);

			if (next < 0)
				return -1;
			bits = x % 8 ? bits >> 1 : (unsigned)next;
			uint8_t v = bits & 1 ? 0 : 255;
			picture_set(ret, (size_t)y * ret->width + x, v, v, v);
		}
	return 0;
}
