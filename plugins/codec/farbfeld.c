/* SPDX-License-Identifier: MIT */
/* Farbfeld: 16 bits for each of red, green, blue and opacity. */
#include "plugins/codec/codec.h"

#include <string.h>

DLAZY_PLUGIN(
	"{\"schema\":1, \"name\":\"farbfeld\", \"version\":\"1.0\", "
	"\"interface\":\"pic/1.0\", \"provides\":[{\"id\":\"codec/farbfeld\", "
	"\"description\":\"Farbfeld\", \"rank\":500, "
	"\"mime\":[\"image/x-farbfeld\"], "
	"\"glob\":[\"*.ff\"], "
	"\"magic\":["
	"{\"offset\":0, \"hex\":\"6661726266656c64\"}], "
	"\"symbol\":\"codec_decode\"}]}")

int codec_decode(const uint8_t *d, size_t size, struct picture *ret)
{
	if (size < 16 || memcmp(d, "farbfeld", 8) != 0 ||
	    picture_new(ret, be32(d + 8), be32(d + 12)) < 0)
		return -1;
	size_t n = (size_t)ret->width * ret->height;
	if ((size - 16) / 8 < n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const uint8_t *c = d + 16 + 8 * i;

		picture_set(ret, i, c[0], c[2], c[4]);
	}
	return 0;
}
