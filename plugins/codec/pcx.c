/* SPDX-License-Identifier: MIT */
/* PC Paintbrush pictures of three planes of 8 bits. */
#include "plugins/codec/codec.h"

#include <string.h>

DLAZY_PLUGIN("{\"schema\":1, \"name\":\"pcx\", \"version\":\"1.0\", "
	     "\"interface\":\"pic/1.0\", \"provides\":[{\"id\":\"codec/pcx\", "
	     "\"description\":\"PC Paintbrush\", \"rank\":500, "
	     "\"mime\":[\"image/x-pcx\", \"image/vnd.zbrush.pcx\"], "
	     "\"glob\":[\"*.pcx\"], "
	     "\"magic\":["
	     "{\"offset\":0, \"hex\":\"0a0501\"}], "
	     "\"symbol\":\"codec_decode\"}]}")

int codec_decode(const uint8_t *d, size_t size, struct picture *ret)
{
	size_t at = 128;
	unsigned count = 0;
	uint8_t value = 0;

	if (size < 128 || d[0] != 10 || d[3] != 8 || d[65] != 3 ||
	    le16(d + 8) < le16(d + 4) || le16(d + 10) < le16(d + 6) ||
	    picture_new(ret, le16(d + 8) - le16(d + 4) + 1,
			le16(d + 10) - le16(d + 6) + 1) < 0)
		return -1;
	size_t row = le16(d + 66);
	for (size_t i = 0; i < row * 3 * ret->height; i++) {
		if (count == 0) {
			count = 1;
			if (at < size && d[at] >= 0xc0)
				count = d[at++] & 0x3f;
			if (at >= size || count == 0)
				return -1;
			value = d[at++];
		}
		count--;
		size_t y = i / row / 3, plane = i / row % 3, x = i % row;
		if (x < ret->width)
			ret->rgb[3 * (y * ret->width + x) + plane] = value;
	}
	return 0;
}
