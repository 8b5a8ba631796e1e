/* SPDX-License-Identifier: MIT */
/*
 * PPM: "P6 WIDTH HEIGHT 255", one white space, the dots. Needs no library.
 */
#include "examples/convert/picture.h"

#include <ctype.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>

int picture_make(const char *path, uint64_t width, uint64_t height,
		 struct picture *ret)
{
	if (width == 0 || height == 0 || width > PICTURE_MAX ||
	    height > PICTURE_MAX) {
		warnx("%s: %ju x %ju dots; it takes 1 to %d each way", path,
		      (uintmax_t)width, (uintmax_t)height, PICTURE_MAX);
		return CONVERT_FAILED;
	}
	ret->rgb = malloc(width * height * 3);
	if (!ret->rgb) {
		warn("%s", path);
		return CONVERT_FAILED;
	}
	ret->width = (uint32_t)width;
	ret->height = (uint32_t)height;
	return CONVERT_DONE;
}

/* White space, and comments to the end of their line. */
static void skip_space(FILE *in)
{
	int c = getc(in);

	while (isspace(c) || c == '#') {
		while (c == '#' && (c = getc(in)) != EOF && c != '\n')
			c = '#';
		c = getc(in);
	}
	ungetc(c, in);
}

/* A number of the header; 0 if there is none, or an absurd one. */
static uint32_t read_number(FILE *in)
{
	uint32_t number = 0;
	int c;

	skip_space(in);
	while (isdigit(c = getc(in)) && number < 1000000)
		number = number * 10 + (uint32_t)(c - '0');
	ungetc(c, in);
	return number;
}

static int read_open(const char *path, FILE *in, struct picture *ret)
{
	if (getc(in) != 'P' || getc(in) != '6') {
		warnx("%s: not a PPM file (it does not begin with P6)", path);
		return CONVERT_FAILED;
	}
	uint32_t width = read_number(in), height = read_number(in);
	if (read_number(in) != 255 || !isspace(getc(in))) {
		warnx("%s: a PPM file, but not with 255 shades", path);
		return CONVERT_FAILED;
	}
	int status = picture_make(path, width, height, ret);
	if (status != CONVERT_DONE)
		return status;
	if (fread(ret->rgb, (size_t)width * 3, height, in) == height)
		return CONVERT_DONE;
	warnx("%s: ends before %u x %u dots are there", path, width, height);
	return CONVERT_FAILED;
}

int ppm_read(const char *path, const struct settings *settings,
	     struct picture *ret)
{
	FILE *in = fopen(path, "rbe");

	(void)settings;
	if (!in) {
		warn("%s", path);
		return CONVERT_FAILED;
	}
	int status = read_open(path, in, ret);
	fclose(in);
	return status;
}

int ppm_encode(const struct picture *picture, const struct settings *settings,
	       struct bytes *ret)
{
	size_t dots = (size_t)picture->width * picture->height * 3;
	char *data = NULL;
	FILE *out = open_memstream(&data, &ret->size);

	(void)settings;
	if (!out) {
		warn("PPM");
		return CONVERT_FAILED;
	}
	fprintf(out, "P6\n%u %u\n255\n", picture->width, picture->height);
	fwrite(picture->rgb, 1, dots, out);
	int failed = ferror(out);
	failed |= fclose(out) != 0;
	ret->data = (uint8_t *)data;
	if (failed)
		warn("PPM");
	return failed ? CONVERT_FAILED : CONVERT_DONE;
}
