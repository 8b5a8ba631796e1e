/* SPDX-License-Identifier: MIT */
/* Truevision pictures of 24 or 32 bits a dot, not compressed. They have no magic at
 * their start worth the name, so others come first. */
#include "plugins/codec/codec.h"

#include <string.h>

DLAZY_PLUGIN("{\"schema\":1, \"name\":\"tga\", \"version\":\"1.0\", "
	     "\"interface\":\"pic/1.0\", \"provides\":[{\"id\":\"codec/tga\", "
	     "\"description\":\"Truevision TGA\", \"rank\":200, "
	     "\"mime\":[\"image/x-tga\"], "
	     "\"glob\":[\"*.tga\"], "
	     "\"magic\":["
	     "{\"offset\":1, \"hex\":\"0002\"}], "
	     "\"symbol\":\"codec_decode\"}]}")

int codec_decode(const uint8_t *d, size_t size, struct picture *ret)
{
	size_t each = size < 18 ? 0 : d[16] / 8, start = 18;

	if (each < 3 || each > 4 || d[1] != 0 || d[2] != 2 ||
	    picture_new(ret, le16(d + 12), le16(d + 14)) < 0)
		return -1;
	size_t n = (size_t)ret->width * ret->height;
	start += d[0];
	if (start > size || (size - start) / each < n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const uint8_t *c = d + start + i * each;
		size_t y = i / ret->width, x = i % ret->width;

		if (!(d[17] & 0x20))
			y = ret->height - 1 - y;
		picture_set(ret, y * ret->width + x, c[2], c[1], c[0]);
	}
	return 0;
}
