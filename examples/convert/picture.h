/* SPDX-License-Identifier: MIT */
/*
 * What the formats of the example converter have in common: a picture of 8-bit
 * RGB, and one function per format and direction. Each says what is wrong
 * itself (warnx) and returns an exit status.
 */
#ifndef CONVERT_PICTURE_H
#define CONVERT_PICTURE_H

#include <stddef.h>
#include <stdint.h>

enum convert_exit {
	CONVERT_DONE = 0,
	CONVERT_FAILED = 1,  /* a file is not there, or not as it should be */
	CONVERT_USAGE = 2,   /* what was asked makes no sense */
	CONVERT_MISSING = 3, /* what this needs is not installed */
};

struct picture {
	uint32_t width, height;
	uint8_t *rgb; /* malloc'd: rows from the top, 3 bytes a dot */
};

/* What the command line asks of the formats. */
struct settings {
	uint32_t width; /* of what is drawn from SVG; 0: as it says */
	int quality;	/* of JPEG XL, 1 to 100, which is lossless */
};

/* A file's bytes, malloc'd. */
struct bytes {
	uint8_t *data;
	size_t size;
};

/* The largest picture, each way: what fits in any sum of sizes here. */
#define PICTURE_MAX 16384

/* Makes room for a picture; CONVERT_FAILED, said, if it is too large. */
int picture_make(const char *path, uint64_t width, uint64_t height,
		 struct picture *ret);

int ppm_read(const char *path, const struct settings *settings,
	     struct picture *ret);
int ppm_encode(const struct picture *picture, const struct settings *settings,
	       struct bytes *ret);

/* The two that need much: their libraries are loaded here, or not at all. */
int svg_read(const char *path, const struct settings *settings,
	     struct picture *ret);
int svg_available(void);
int jxl_encode(const struct picture *picture, const struct settings *settings,
	       struct bytes *ret);
int jxl_available(void);

#endif
