/* SPDX-License-Identifier: MIT */
/*
 * The words that stand for frei0r's numbers.
 */
#include "probe/frei0r-text.h"

#include "base/array.h"
#include "probe/text.h"

static const char *const types[] = {"filter", "source", "mixer2", "mixer3"};
static const char *const models[] = {"bgra8888", "rgba8888", "packed32"};
static const char *const parameter_types[] = {"bool", "double", "color",
					      "position", "string"};

/* NULL: there is no such one. */
static const char *word(const char *const *words, size_t n, int number)
{
	return number >= 0 && (size_t)number < n ? words[number] : NULL;
}

static void write_version(struct json *j, const struct frei0r_info *info)
{
	char version[32];

	snprintf(version, sizeof(version), "%d.%d", info->major, info->minor);
	json_key(j, "version");
	json_string(j, version);
}

static void write_key(struct json *j, const char *key, const char *value)
{
	json_key(j, key);
	json_string(j, value);
}

static void write_parameter(struct json *j, const struct frei0r_parameter *p)
{
	json_begin_object(j);
	write_key(j, "name", p->name);
	write_key(j, "type",
		  word(parameter_types, ARRAY_SIZE(parameter_types), p->type));
	write_key(j, "explanation", p->explanation);
	json_end_object(j);
}

static void write_family(struct json *j, const struct frei0r_info *info,
			 const struct frei0r_parameter *parameters)
{
	json_key(j, "frei0r");
	json_begin_object(j);
	write_key(j, "name", info->name);
	write_key(j, "author", info->author);
	write_key(j, "type", word(types, ARRAY_SIZE(types), info->type));
	write_key(j, "color_model",
		  word(models, ARRAY_SIZE(models), info->color_model));
	write_version(j, info);
	json_key(j, "parameters");
	json_begin_array(j);
	for (int i = 0; i < info->parameter_count; i++)
		write_parameter(j, &parameters[i]);
	json_end_array(j);
	json_end_object(j);
}

char *frei0r_text(const struct frei0r_info *info,
		  const struct frei0r_parameter *parameters)
{
	const char *type = word(types, ARRAY_SIZE(types), info->type);
	struct probe_text text;
	char prefix[32];

	if (!info->name || !type || !probe_text_begin(&text))
		return NULL;
	struct json *j = &text.json;
	probe_text_member(j, "name", info->name);
	write_version(j, info);
	probe_text_member(j, "description", info->explanation);
	json_key(j, "provides");
	json_begin_array(j);
	snprintf(prefix, sizeof(prefix), "frei0r/%s/", type);
	probe_text_provide(j, prefix, info->name, info->explanation);
	json_end_object(j);
	json_end_array(j);
	if (parameters)
		write_family(j, info, parameters);
	return probe_text_end(&text);
}
