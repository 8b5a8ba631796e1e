/* SPDX-License-Identifier: MIT */
/*
 * An example program: a small picture converter with two heavy backends that
 * most runs do not need. It is written as if it were linked plainly with
 * librsvg and libjxl, which need dozens more; local.mk links stubs, a line each, so
 * that it starts as a program without them does, and runs where they are not
 * installed.
 */
#include "examples/convert/picture.h"

#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"Usage: dlazy-convert [OPTION]... IN OUT\n"
	"\n"
	"Converts a picture. The suffixes of the names say from what to what;\n"
	"--formats lists which there are.\n"
	"\n"
	"  -w, --width=DOTS   draw an SVG picture so wide\n"
	"  -q, --quality=N    of JPEG XL, 1 to 100, which is lossless "
	"(default: 90)\n"
	"      --formats      what can be read and written here\n"
	"  -h, --help         this text\n"
	"\n"
	"Exit status: 0 done, 1 a picture could not be read or written, 2 "
	"usage,\n"
	"3 a library that the format needs is not installed.\n"
	"\n"
	"For example:  dlazy-convert --width=640 drawing.svg drawing.jxl\n";

static const struct format {
	const char *suffix, *name;
	int (*read)(const char *path, const struct settings *settings,
		    struct picture *ret);
	int (*encode)(const struct picture *picture,
		      const struct settings *settings, struct bytes *ret);
	int (*available)(void); /* NULL: always */
} formats[] = {
	{".ppm", "PPM", ppm_read, ppm_encode, NULL},
	{".svg", "SVG", svg_read, NULL, svg_available},
	{".jxl", "JPEG XL", NULL, jxl_encode, jxl_available},
};
#define FORMATS (sizeof(formats) / sizeof(formats[0]))

static const struct format *format_of(const char *path)
{
	size_t n = strlen(path);

	for (size_t i = 0; i < FORMATS; i++) {
		size_t m = strlen(formats[i].suffix);
		if (n > m && strcmp(path + n - m, formats[i].suffix) == 0)
			return &formats[i];
	}
	return NULL;
}

/* What is there is found without being loaded. */
static int list_formats(void)
{
	for (size_t i = 0; i < FORMATS; i++) {
		const struct format *f = &formats[i];
		printf("%s  %-8s %-6s %s\n", f->suffix, f->name,
		       f->read && f->encode ? "in,out"
		       : f->read	    ? "in"
					    : "out",
		       !f->available || f->available() ? "" : "not installed");
	}
	return CONVERT_DONE;
}

static int usage(void)
{
	fputs("Try \"dlazy-convert --help\".\n", stderr);
	return CONVERT_USAGE;
}

/* Whole, or not at all: what was there before is kept until all is written. */
static int write_file(const char *path, const struct bytes *bytes)
{
	char part[4096];
	int n = snprintf(part, sizeof(part), "%s.part", path);
	FILE *out =
		n > 0 && (size_t)n < sizeof(part) ? fopen(part, "wbe") : NULL;

	if (!out) {
		warn("%s", path);
		return CONVERT_FAILED;
	}
	size_t written = fwrite(bytes->data, 1, bytes->size, out);
	if ((fclose(out) == 0) & (written == bytes->size) &&
	    rename(part, path) == 0)
		return CONVERT_DONE;
	warn("%s", path);
	remove(part);
	return CONVERT_FAILED;
}

static int convert(const char *in, const char *out,
		   const struct settings *settings)
{
	const struct format *from = format_of(in), *to = format_of(out);
	struct picture picture = {0};
	struct bytes bytes = {0};

	if (!from || !from->read || !to || !to->encode) {
		int read = !from || !from->read;
		warnx("%s: cannot be %s (see --formats)", read ? in : out,
		      read ? "read" : "written");
		return usage();
	}
	int status = from->read(in, settings, &picture);
	if (status == CONVERT_DONE)
		status = to->encode(&picture, settings, &bytes);
	if (status == CONVERT_DONE)
		status = write_file(out, &bytes);
	free(bytes.data);
	free(picture.rgb);
	return status;
}

/* A number of an option, within its bounds; else says so, and 0. */
static uint32_t number(const char *text, uint32_t max)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text >= '0' && *text <= '9' && !*end && value > 0 && value <= max)
		return (uint32_t)value;
	warnx("%s: a number from 1 to %u is wanted", text, max);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{"width", required_argument, NULL, 'w'},
		{"quality", required_argument, NULL, 'q'},
		{"formats", no_argument, NULL, 'f'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct settings settings = {.quality = 90};
	int option;

	while ((option = getopt_long(argc, argv, "hq:w:", longs, NULL)) != -1) {
		switch (option) {
		case 'w':
			settings.width = number(optarg, PICTURE_MAX);
			if (!settings.width)
				return usage();
			break;
		case 'q':
			settings.quality = (int)number(optarg, 100);
			if (!settings.quality)
				return usage();
			break;
		case 'f':
			return list_formats();
		case 'h':
			fputs(help, stdout);
			return CONVERT_DONE;
		default:
			return usage();
		}
	}
	if (argc - optind != 2) {
		warnx("which picture, and where to? (IN OUT)");
		return usage();
	}
	return convert(argv[optind], argv[optind + 1], &settings);
}
