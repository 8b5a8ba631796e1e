/* SPDX-License-Identifier: MIT */
/*
 * The probe of frei0r plugins: f0r_init(), f0r_get_plugin_info(), and
 * f0r_get_param_info() for each parameter. No instance is made.
 */
#include "probe/frei0r-text.h"
#include "probe/probe.h"

#include <stddef.h>
#include <stdlib.h>

typedef int init_fn(void);
typedef void info_fn(struct frei0r_info *info);
typedef void parameter_fn(struct frei0r_parameter *parameter, int index);

/* NULL: there are more than any plugin has, or no memory for them. */
static struct frei0r_parameter *ask_parameters(parameter_fn *ask, int count)
{
	struct frei0r_parameter *parameters = NULL;

	if (count < 0 || count > FREI0R_PARAMETERS_MAX || (count && !ask))
		return NULL;
	parameters = calloc((size_t)count + 1, sizeof(*parameters));
	for (int i = 0; parameters && i < count; i++)
		ask(&parameters[i], i);
	return parameters;
}

char *dlazy_probe_family(const struct probe_plugin *plugin)
{
	struct frei0r_info info = {.type = -1};
	init_fn *init;
	info_fn *ask_info;
	parameter_fn *ask_parameter;

	*(void **)&init = plugin->symbol(plugin->handle, "f0r_init");
	*(void **)&ask_info =
		plugin->symbol(plugin->handle, "f0r_get_plugin_info");
	*(void **)&ask_parameter =
		plugin->symbol(plugin->handle, "f0r_get_param_info");
	if (!ask_info)
		return NULL;
	if (init)
		init();
	ask_info(&info);
	struct frei0r_parameter *parameters =
		ask_parameters(ask_parameter, info.parameter_count);
	char *text = frei0r_text(&info, parameters);
	free(parameters);
	return text;
}
