/* SPDX-License-Identifier: MIT */
/*
 * The binary interface of frei0r 1 (https://frei0r.dyne.org), written down from
 * its specification, so that plugins and host build without its package: the
 * layout is frei0r's, the names of types are in our style. A plugin file
 * exports f0r_init() and the rest; a picture is width * height pixels of four
 * bytes, both multiples of 8.
 */
#ifndef PLUGINS_FREI0R_H
#define PLUGINS_FREI0R_H

#include <stdint.h>

enum frei0r_kind {
	FREI0R_FILTER,
	FREI0R_SOURCE,
	FREI0R_MIXER2,
	FREI0R_MIXER3,
};

enum frei0r_model { FREI0R_BGRA, FREI0R_RGBA, FREI0R_PACKED };

enum frei0r_type {
	FREI0R_BOOL,
	FREI0R_DOUBLE, /* 0 to 1 */
	FREI0R_COLOR,
	FREI0R_POSITION,
	FREI0R_STRING,
};

struct frei0r_info {
	const char *name;
	const char *author;
	int kind;    /* enum frei0r_kind */
	int model;   /* enum frei0r_model */
	int version; /* of frei0r: 1 */
	int major;
	int minor;
	int params_count;
	const char *explanation;
};

struct frei0r_param {
	const char *name;
	int type; /* enum frei0r_type */
	const char *explanation;
};

typedef int f0r_init_fn(void);
typedef void f0r_deinit_fn(void);
typedef void f0r_get_plugin_info_fn(struct frei0r_info *);
typedef void f0r_get_param_info_fn(struct frei0r_param *, int);
typedef void *f0r_construct_fn(unsigned, unsigned);
typedef void f0r_destruct_fn(void *);
typedef void f0r_set_param_value_fn(void *, void *, int);
typedef void f0r_get_param_value_fn(void *, void *, int);
typedef void f0r_update_fn(void *, double, const uint32_t *, uint32_t *);
typedef void f0r_update2_fn(void *, double, const uint32_t *, const uint32_t *,
			    const uint32_t *, uint32_t *);

#endif
