/* SPDX-License-Identifier: MIT */
/* Portable arbitrary maps (P7) of one to four bytes a dot. */
#include "plugins/codec/codec.h"

#include <string.h>

DLAZY_PLUGIN("{\"schema\":1, \"name\":\"pam\", \"version\":\"1.0\", "
	     "\"interface\":\"pic/1.0\", \"provides\":[{\"id\":\"codec/pam\", "
	     "\"description\":\"Portable arbitrary map\", \"rank\":500, "
	     "\"mime\":[\"image/x-portable-arbitrarymap\"], "
	     "\"glob\":[\"*.pam\"], "
	     "\"magic\":["
	     "{\"offset\":0, \"hex\":\"5037\"}], "
	     "\"symbol\":\"codec_decode\"}]}")

int codec_decode(const uint8_t *d, size_t size, struct picture *ret)
{
	const uint8_t *stop = memmem(d, size, "\nENDHDR\n", 8);
	size_t end = stop ? (size_t)(stop - d) : 0;
	unsigned depth = text_number_behind(d, end, "\nDEPTH ");
	unsigned most = text_number_behind(d, end, "\nMAXVAL ");

	if (size < 2 || memcmp(d, "P7", 2) != 0 || depth == 0 || depth > 4 ||
	    most == 0 || most > 255 ||
	    picture_new(ret, text_number_behind(d, end, "\nWIDTH "),
			text_number_behind(d, end, "\nHEIGHT ")) < 0)
		return -1;
	size_t n = (size_t)ret->width * ret->height;
	const uint8_t *c = d + end + 8;
	if ((size - end - 8) / depth < n)
		return -1;
	for (size_t i = 0; i < n; i++, c += depth)
		picture_set(ret, i, c[0], c[depth > 2], c[depth > 2 ? 2 : 0]);
	return 0;
}
