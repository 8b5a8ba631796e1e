/* SPDX-License-Identifier: MIT */
/*
 * A least program with a heavy option: writes a picture of one dot, as PPM or
 * as PNG. Built lazily and plainly by each build system beside it.
 *
 *   program OUT.ppm | OUT.png
 */
#include <dlazy/stub.h>

#include <png.h>
#include <stdio.h>
#include <string.h>

DLAZY_STUB(libpng16);

static const unsigned char dot[3] = {0xff, 0x80, 0x00};

static int write_ppm(const char *path)
{
	FILE *out = fopen(path, "wb");

	if (!out)
		return 0;
	fputs("P6 1 1 255\n", out);
	fwrite(dot, 1, sizeof(dot), out);
	return fclose(out) == 0;
}

static int write_png(const char *path)
{
	png_image image = {.version = PNG_IMAGE_VERSION,
			   .width = 1,
			   .height = 1,
			   .format = PNG_FORMAT_RGB};

	if (!libpng16_available()) {
		fprintf(stderr, "%s: no PNG here: install libpng16-16\n", path);
		return 0;
	}
	return png_image_write_to_file(&image, path, 0, dot, 0, NULL);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	const char *dot_of = strrchr(argv[1], '.');
	if (dot_of && !strcmp(dot_of, ".png"))
		return !write_png(argv[1]);
	return !write_ppm(argv[1]);
}
