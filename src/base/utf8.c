/* SPDX-License-Identifier: MIT */
/*
 * Which characters are not shown, as a short list of ranges: Unicode's
 * controls (Cc), characters that mark or override direction, joiners and
 * spaces of no width, line and paragraph separators, annotations, tags.
 */
#include "base/utf8.h"

#include "base/array.h"

#include <string.h>

size_t utf8_length(const unsigned char *s)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t more;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	more = s[0] < 0xe0 ? 1 : s[0] < 0xf0 ? 2 : 3;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i <= more; i++)
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	return more + 1;
}

uint32_t utf8_character(const unsigned char *s, size_t length)
{
	static const uint8_t first[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t c = s[0] & first[length];

	for (size_t i = 1; i < length; i++)
		c = c << 6 | (s[i] & 0x3f);
	return c;
}

bool utf8_is_shown(uint32_t character)
{
	static const struct {
		uint32_t first, last;
	} hidden[] = {
		{0x0000, 0x001f}, {0x007f, 0x009f}, {0x061c, 0x061c},
		{0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},
		{0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
	};

	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
		if (character >= hidden[i].first && character <= hidden[i].last)
			return false;
	return true;
}

size_t utf8_next(const char *text, bool *ret_is_shown)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t n = utf8_length(s);

	*ret_is_shown = n > 0 && utf8_is_shown(utf8_character(s, n));
	return n ? n : 1;
}

void utf8_clean(char *text)
{
	char *to = text;
	bool shown;

	for (const char *from = text; *from;) {
		size_t n = utf8_next(from, &shown);

		if (shown || *from == '\n') {
			memmove(to, from, n);
			to += n;
		} else {
			*to++ = '?';
		}
		from += n;
	}
	*to = '\0';
}
