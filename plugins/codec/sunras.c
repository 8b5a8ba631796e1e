/* SPDX-License-Identifier: MIT */
/* Sun rasters of 24 bits a dot, not compressed. */
#include "plugins/codec/codec.h"

#include <string.h>

DLAZY_PLUGIN(
	"{\"schema\":1, \"name\":\"sunras\", \"version\":\"1.0\", "
	"\"interface\":\"pic/1.0\", \"provides\":[{\"id\":\"codec/sunras\", "
	"\"description\":\"Sun raster\", \"rank\":500, "
	"\"mime\":[\"image/x-sun-raster\"], "
	"\"glob\":[\"*.ras\", \"*.sun\"], "
	"\"magic\":["
	"{\"offset\":0, \"hex\":\"59a66a95\"}], "
	"\"symbol\":\"codec_decode\"}]}")

int codec_decode(const uint8_t *d, size_t size, struct picture *ret)
{
	if (size < 32 || be32(d) != 0x59a66a95 || be32(d + 12) != 24 ||
	    be32(d + 20) > 1 || picture_new(ret, be32(d + 4), be32(d + 8)) < 0)
		return -1;
	size_t row = ((size_t)ret->width * 3 + 1) / 2 * 2, start = be32(d + 28);
	if (start > size - 32 || (size - 32 - start) / row < ret->height)
		return -1;
	for (unsigned y = 0; y < ret->height; y++)
		for (unsigned x = 0; x < ret->width; x++) {
			const uint8_t *c = d + 32 + start + y * row + 3 * x;

			picture_set(ret, (size_t)y * ret->width + x, c[2], c[1],
				    c[0]);
		}
	return 0;
}
