/* SPDX-License-Identifier: MIT */
/*
 * The frei0r face of one effect. The effect's source defines, and then includes
 * this:
 *
 *   EFFECT, ABOUT            its name and what it does, strings
 *   effect_draw(picture)     draws picture->out from picture->in; may use
 *                            AMOUNT, the number in its file name
 *
 * Many plugin files are made from one source by AMOUNT (plugins/local.mk).
 */
#include "plugins/frei0r.h"

#include <stdlib.h>

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

struct instance {
	struct picture size;
	double strength;
};

f0r_init_fn f0r_init;
int f0r_init(void)
{
	return 1;
}

f0r_deinit_fn f0r_deinit;
void f0r_deinit(void)
{
}

f0r_get_plugin_info_fn f0r_get_plugin_info;
void f0r_get_plugin_info(struct frei0r_info *info)
{
	*info = (struct frei0r_info){
		.name = EFFECT " " TEXT(AMOUNT),
		.author = "dlazy",
		.kind = FREI0R_FILTER,
		.model = FREI0R_RGBA,
		.version = 1,
		.minor = 1,
		.params_count = 1,
		.explanation = ABOUT,
	};
}

f0r_get_param_info_fn f0r_get_param_info;
void f0r_get_param_info(struct frei0r_param *info, int index)
{
	if (index == 0)
		*info = (struct frei0r_param){"Strength", FREI0R_DOUBLE,
					      "how much of it, 0 to 1"};
}

f0r_construct_fn f0r_construct;
void *f0r_construct(unsigned width, unsigned height)
{
	struct instance *self = calloc(1, sizeof(*self));

	if (self) {
		self->size.width = (int)width;
		self->size.height = (int)height;
		self->strength = 1;
	}
	return self;
}

f0r_destruct_fn f0r_destruct;
void f0r_destruct(void *instance)
{
	free(instance);
}

f0r_set_param_value_fn f0r_set_param_value;
void f0r_set_param_value(void *instance, void *value, int index)
{
	if (index == 0)
		((struct instance *)instance)->strength = *(double *)value;
}

f0r_get_param_value_fn f0r_get_param_value;
void f0r_get_param_value(void *instance, void *value, int index)
{
	if (index == 0)
		*(double *)value = ((struct instance *)instance)->strength;
}

f0r_update_fn f0r_update;
void f0r_update(void *instance, double time, const uint32_t *in, uint32_t *out)
{
	struct instance *self = instance;
	struct picture p = self->size;

	p.in = in;
	p.out = out;
	p.time = time;
	effect_draw(&p);
	for (int i = 0; i < p.width * p.height; i++)
		out[i] = pixel_mix(in[i], out[i], self->strength);
}
