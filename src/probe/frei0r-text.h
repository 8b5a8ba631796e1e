/* SPDX-License-Identifier: MIT */
/*
 * A frei0r plugin's metadata, from what it says of itself: written alike by who
 * asks the running plugin and by who reads it out of its code
 * (src/link/facts/frei0r.c).
 */
#ifndef PROBE_FREI0R_TEXT_H
#define PROBE_FREI0R_TEXT_H

#include <stdbool.h>

/* The structures of frei0r 1, written down from its specification
 * (https://frei0r.dyne.org). */
struct frei0r_info {
	const char *name, *author;
	int type, color_model;
	int frei0r_version; /* 1 */
	int major, minor;
	int parameter_count;
	const char *explanation;
};

struct frei0r_parameter {
	const char *name;
	int type;
	const char *explanation;
};

#define FREI0R_PARAMETERS_MAX 1024

/*
 * The metadata, malloc'd. parameters: as many as info says; NULL: not known, and
 * then the key "frei0r" is left out. NULL: they are of no plugin, or there is no
 * memory.
 */
char *frei0r_text(const struct frei0r_info *info,
		  const struct frei0r_parameter *parameters);

#endif
