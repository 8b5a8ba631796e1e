/* SPDX-License-Identifier: MIT */
/*
 * frei0r plugins: f0r_get_plugin_info() stores constants, and so does
 * f0r_get_param_info(). In plugins written in C++ they store what objects say that
 * initialisers have set up; so initialisers and f0r_init() are followed first. If
 * not all parameters are known, the family's key is left out, and nothing else.
 */
#include "link/facts/sources.h"

#include "base/cleanup.h"
#include "base/status.h"
#include "link/facts/machine.h"
#include "probe/frei0r-text.h"

#include <stdlib.h>
#include <string.h>

/* The structures, as the plugin's code has them. */
struct info_image {
	uint64_t name, author;
	int32_t type, color_model, frei0r_version, major, minor;
	int32_t parameter_count;
	uint64_t explanation;
};

struct parameter_image {
	uint64_t name;
	int32_t type, unused;
	uint64_t explanation;
};

/* *ret: NULL where the pointer is. false: there is no text. */
static bool text_at(struct machine *m, uint64_t address, const char **ret)
{
	*ret = address ? machine_text(m, address) : NULL;
	return !address || *ret;
}

/* Has a function fill in a structure; NULL: it is not known with what. */
static const void *ask(struct machine *m, const char *function, uint64_t index,
		       uint64_t size)
{
	uint64_t structure = machine_allocate(m, size);

	if (!machine_call(m, machine_function(m, function), structure, index,
			  NULL))
		return NULL;
	return machine_at(m, structure, size, false);
}

static bool ask_info(struct machine *m, struct frei0r_info *ret)
{
	struct info_image i;
	const void *at = ask(m, "f0r_get_plugin_info", 0, sizeof(i));

	if (!at)
		return false;
	memcpy(&i, at, sizeof(i));
	*ret = (struct frei0r_info){
		.type = i.type,
		.color_model = i.color_model,
		.frei0r_version = i.frei0r_version,
		.major = i.major,
		.minor = i.minor,
		.parameter_count = i.parameter_count,
	};
	return text_at(m, i.name, &ret->name) &&
	       text_at(m, i.author, &ret->author) &&
	       text_at(m, i.explanation, &ret->explanation);
}

static bool ask_parameter(struct machine *m, int index,
			  struct frei0r_parameter *ret)
{
	struct parameter_image p;
	const void *at =
		ask(m, "f0r_get_param_info", (uint64_t)index, sizeof(p));

	if (!at)
		return false;
	memcpy(&p, at, sizeof(p));
	ret->type = p.type;
	return text_at(m, p.name, &ret->name) &&
	       text_at(m, p.explanation, &ret->explanation);
}

/* All of them, malloc'd; NULL: not all are known. */
static struct frei0r_parameter *ask_parameters(struct machine *m, int count)
{
	_cleanup_free_ struct frei0r_parameter *all = NULL;

	if (count < 0 || count > FREI0R_PARAMETERS_MAX)
		return NULL;
	all = calloc((size_t)count + 1, sizeof(*all));
	for (int i = 0; i < count; i++)
		if (!all || !ask_parameter(m, i, &all[i]))
			return NULL;
	return TAKE_PTR(all);
}

static char *read_on(struct machine *m)
{
	_cleanup_free_ struct frei0r_parameter *parameters = NULL;
	struct frei0r_info info;

	if (!ask_info(m, &info))
		return NULL;
	parameters = ask_parameters(m, info.parameter_count);
	/* They could be known, once the initialisers are followed. */
	if (!parameters && m->trouble == MACHINE_NOT_INITIALISED)
		return NULL;
	return frei0r_text(&info, parameters);
}

static char *read_initialised(const struct facts_file *f)
{
	_cleanup_machine_ struct machine m;
	uint64_t init;

	if (machine_begin(&m, f->fd, f->path, f->view, f->data) < 0 ||
	    !machine_initialise(&m))
		return NULL;
	init = machine_function(&m, "f0r_init");
	if (init && !machine_call(&m, init, 0, 0, NULL))
		return NULL;
	return read_on(&m);
}

/* What is known of the plugin alone, where its parameters are beyond that. */
static char *read_info_alone(const struct facts_file *f)
{
	_cleanup_machine_ struct machine m;
	struct frei0r_info info;

	if (machine_begin(&m, f->fd, f->path, f->view, f->data) < 0 ||
	    !ask_info(&m, &info))
		return NULL;
	return frei0r_text(&info, NULL);
}

char *facts_frei0r(const struct facts_file *f)
{
	_cleanup_machine_ struct machine m;

	if (machine_begin(&m, f->fd, f->path, f->view, f->data) < 0)
		return NULL;
	char *text = read_on(&m);
	if (!text && m.trouble == MACHINE_NOT_INITIALISED)
		text = read_initialised(f);
	return text ? text : read_info_alone(f);
}
