/* SPDX-License-Identifier: MIT */
/* Windows bitmaps of 24 bits a dot, not compressed. */
#include "plugins/codec/codec.h"

#include <string.h>

DLAZY_PLUGIN("{\"schema\":1, \"name\":\"bmp\", \"version\":\"1.0\", "
	     "\"interface\":\"pic/1.0\", \"provides\":[{\"id\":\"codec/bmp\", "
	     "\"description\":\"Windows bitmap\", \"rank\":500, "
	     "\"mime\":[\"image/bmp\", \"image/x-bmp\"], "
	     "\"glob\":[\"*.bmp\", \"*.dib\"], "
	     "\"magic\":["
	     "{\"offset\":0, \"hex\":\"424d\"}], "
	     "\"symbol\":\"codec_decode\"}]}")

int codec_decode(const uint8_t *d, size_t size, struct picture *ret)
{
	if (size < 54 || memcmp(d, "BM", 2) != 0 || le16(d + 28) != 24 ||
	    le32(d + 30) != 0)
		return -1;
	unsigned start = le32(d + 10), height = le32(d + 22);
	int from_top = height > 0x7fffffff;

	if (from_top)
		height = 0u - height;
	if (picture_new(ret, le32(d + 18), height) < 0)
		return -1;
	size_t row = ((size_t)ret->width * 3 + 3) / 4 * 4;
	if (start > size || (size - start) / row < height)
		return -1;
	for (unsigned y = 0; y < height; y++)
		for (unsigned x = 0; x < ret->width; x++) {
			const uint8_t *c = d + start + y * row + 3 * x;
			size_t to = from_top ? y : height - 1 - y;

			picture_set(ret, to * ret->width + x, c[2], c[1], c[0]);
		}
	return 0;
}
