/* SPDX-License-Identifier: MIT */
/*
 * The interface of the codec plugins, "pic/1.0": one exported function, which makes a
 * picture of a file's bytes. What a plugin can open stands in its note. The bytes
 * are hostile: every offset is compared with their size.
 */
#ifndef PLUGINS_CODEC_CODEC_H
#define PLUGINS_CODEC_CODEC_H

#include <dlazy/plugin.h>

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Three bytes a dot, red, green, blue, from the top left. */
struct picture {
	unsigned width, height;
	uint8_t *rgb; /* malloc'd */
};

/* 0, or -1: not such a file, or damaged. */
typedef int codec_decode_fn(const uint8_t *data, size_t size,
			    struct picture *ret);
codec_decode_fn codec_decode;

#define CODEC_SIDE_MAX 16384u

/* Room for a picture, black; -1: too large, or no memory. */
static inline int picture_new(struct picture *p, unsigned width,
			      unsigned height)
{
	*p = (struct picture){width, height, NULL};
	if (!width || !height || width > CODEC_SIDE_MAX ||
	    height > CODEC_SIDE_MAX)
		return -1;
	p->rgb = calloc((size_t)width * height, 3);
	return p->rgb ? 0 : -1;
}

static inline void picture_set(struct picture *p, size_t i, uint8_t red,
			       uint8_t green, uint8_t blue)
{
	p->rgb[3 * i] = red;
	p->rgb[3 * i + 1] = green;
	p->rgb[3 * i + 2] = blue;
}

static inline unsigned le16(const uint8_t *d)
{
	return d[0] | (unsigned)d[1] << 8;
}

static inline unsigned le32(const uint8_t *d)
{
	return le16(d) | le16(d + 2) << 16;
}

static inline unsigned be32(const uint8_t *d)
{
	return (unsigned)d[0] << 24 | (unsigned)d[1] << 16 |
	       (unsigned)d[2] << 8 | d[3];
}

/* A decimal number, after white space and "#" comments; 0: none. */
static inline unsigned text_number(const uint8_t *d, size_t size, size_t *at)
{
	unsigned n = 0;

	for (int in_comment = 0; *at < size; ++*at) {
		uint8_t c = d[*at];

		in_comment = (in_comment && c != '\n') || c == '#';
		if (!in_comment && c != ' ' && (c < '\t' || c > '\r'))
			break;
	}
	for (; *at < size && d[*at] >= '0' && d[*at] <= '9'; ++*at)
		n = n < 100000 ? 10 * n + d[*at] - '0' : n;
	return n;
}

/* The number behind the first such word; 0: none. */
static inline unsigned text_number_behind(const uint8_t *d, size_t size,
					  const char *word)
{
	const uint8_t *found = memmem(d, size, word, strlen(word));
	size_t at = found ? (size_t)(found - d) + strlen(word) : size;

	return text_number(d, size, &at);
}

#endif
