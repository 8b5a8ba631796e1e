/* SPDX-License-Identifier: MIT */
/* Wireless bitmaps: black and white. Two zeros are all their magic. */
#include "plugins/codec/codec.h"

#include <string.h>

DLAZY_PLUGIN("{\"schema\":1, \"name\":\"wbmp\", \"version\":\"1.0\", "
	     "\"interface\":\"pic/1.0\", \"provides\":[{\"id\":\"codec/wbmp\", "
	     "\"description\":\"Wireless bitmap\", \"rank\":100, "
	     "\"mime\":[\"image/vnd.wap.wbmp\"], "
	     "\"glob\":[\"*.wbmp\"], "
	     "\"magic\":["
	     "{\"offset\":0, \"hex\":\"0000\"}], "
	     "\"symbol\":\"codec_decode\"}]}")

/* Seven bits in each byte, the last without the eighth. */
static unsigned number(const uint8_t *d, size_t size, size_t *at)
{
	unsigned n = 0;

	for (; *at < size && n <= CODEC_SIDE_MAX; ++*at) {
		n = n << 7 | (d[*at] & 0x7f);
		if (!(d[*at] & 0x80)) {
			++*at;
			return n;
		}
	}
	return 0;
}

int codec_decode(const uint8_t *d, size_t size, struct picture *ret)
{
	size_t at = 2;
	unsigned width = number(d, size, &at), height = number(d, size, &at);
	size_t row = ((size_t)width + 7) / 8;

	if (size < 4 || d[0] != 0 || d[1] != 0 ||
	    picture_new(ret, width, height) < 0 || (size - at) / row < height)
		return -1;
	for (unsigned y = 0; y < height; y++)
		for (unsigned x = 0; x < width; x++) {
			uint8_t v = d[at + y * row + x / 8] & 0x80 >> x % 8
					    ? 255
					    : 0;

			picture_set(ret, (size_t)y * width + x, v, v, v);
		}
	return 0;
}
