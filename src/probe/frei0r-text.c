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
	json_string_at(j, "version", version);
}

static void write_parameter(struct json *j, const struct frei0r_parameter *p)
{
	json_begin_object(j);
	json_string_at(j, "name", p->name);
	json_string_at(
		j, "type",
		word(parameter_types, ARRAY_SIZE(parameter_types), p->type));
	json_string_at(j, "explanation", p->explanation);
	json_end_object(j);
}

static void write_family(struct json *j, const struct frei0r_info *info,
			 const struct frei0r_parameter *parameters)
{
	json_begin_object_at(j, "frei0r");
	json_string_at(j, "name", info->name);
	json_string_at(j, "author", info->author);
	json_string_at(j, "type", word(types, ARRAY_SIZE(types), info->type));
	json_string_at(j, "color_model",
		       word(models, ARRAY_SIZE(models), info->color_model));
	write_version(j, info);
	json_begin_array_at(j, "parameters");
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
	json_begin_array_at(j, "provides");
	snprintf(prefix, sizeof(prefix), "frei0r/%s/", type);
	probe_text_provide(j, prefix, info->name, info->explanation);
	json_end_object(j);
	json_end_array(j);
	if (parameters)
		write_family(j, info, parameters);
	return probe_text_end(&text);
}
