/* SPDX-License-Identifier: MIT */
/*
 * Merging objects and checking values against the schema, with jansson. Texts have
 * passed json_check(), so they are no deeper than the functions here may recurse;
 * jansson finds keys that stand twice, and numbers that do not fit.
 */
#include "meta/json.h"

#include "base/array.h"
#include "base/memstream.h"

#include <dlazy/dlazy.h>
#include <errno.h>
#include <float.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

/* ------------------------------------------------------------------ */
/* The schema                                                         */

static void set_problem(struct json_source *source, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The first one is kept. */
static void set_problem(struct json_source *source, const char *format, ...)
{
	va_list args;

	if (source->problem[0])
		return;
	va_start(args, format);
	vsnprintf(source->problem, sizeof(source->problem), format, args);
	va_end(args);
}

static bool is_text(const json_t *value)
{
	return json_is_string(value);
}

static bool is_each(const json_t *array, bool (*is)(const json_t *value))
{
	for (size_t i = 0; i < json_array_size(array); i++)
		if (!is(json_array_get(array, i)))
			return false;
	return json_is_array(array);
}

static bool are_texts(const json_t *value)
{
	return is_each(value, is_text);
}

static bool is_one(const json_t *value)
{
	return json_is_integer(value) && json_integer_value(value) == 1;
}

static bool is_rank(const json_t *value)
{
	json_int_t rank = json_integer_value(value);

	return json_is_integer(value) && rank >= 0 && rank <= 1000;
}

static bool is_offset(const json_t *value)
{
	return json_is_integer(value) && json_integer_value(value) >= 0;
}

/* Pairs of hexadecimal digits. */
static bool is_hex(const json_t *value)
{
	const char *text = json_string_value(value);
	size_t n = text ? strspn(text, "0123456789abcdefABCDEF") : 0;

	return n && n % 2 == 0 && text[n] == '\0';
}

static bool is_load(const json_t *value)
{
	const char *text =
		json_is_string(value) ? json_string_value(value) : "";

	return !strcmp(text, "lazy") || !strcmp(text, "prefetch") ||
	       !strcmp(text, "eager");
}

/* NAME/MAJOR.MINOR */
static bool is_interface(const json_t *value)
{
	const char *text =
		json_is_string(value) ? json_string_value(value) : "";
	const char *slash = strrchr(text, '/');
	size_t major = slash ? strspn(slash + 1, "0123456789") : 0;
	const char *minor = major ? slash + 1 + major : "";
	size_t n = *minor == '.' ? strspn(minor + 1, "0123456789") : 0;

	return slash && slash != text && major <= 9 && n && n <= 9 &&
	       minor[1 + n] == '\0';
}

/* One key, what it may be, and that in words. */
struct rule {
	const char *key;
	bool (*is)(const json_t *value);
	const char *words;
};

/* The first key of the rules that has another value, or NULL. */
static const struct rule *broken_rule(const json_t *object,
				      const struct rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const json_t *value = json_object_get(object, rules[i].key);
		if (value && !rules[i].is(value))
			return &rules[i];
	}
	return NULL;
}

static bool is_magic(const json_t *value)
{
	static const struct rule rules[] = {
		{"offset", is_offset, ""},
		{"hex", is_hex, ""},
		{"mask", is_hex, ""},
	};

	return json_object_get(value, "hex") &&
	       !broken_rule(value, rules, ARRAY_SIZE(rules));
}

static bool are_magics(const json_t *value)
{
	return is_each(value, is_magic);
}

static const struct rule provided_rules[] = {
	{"id", is_text, "text"},
	{"description", is_text, "text"},
	{"rank", is_rank, "an integer from 0 to 1000"},
	{"symbol", is_text, "text"},
	{"mime", are_texts, "an array of text"},
	{"glob", are_texts, "an array of text"},
	{"magic", are_magics,
	 "an array of objects with \"hex\", two digits for each byte"},
};

static const struct rule *broken_provided_rule(const json_t *value)
{
	return broken_rule(value, provided_rules, ARRAY_SIZE(provided_rules));
}

static bool is_provided(const json_t *value)
{
	return json_object_get(value, "id") && !broken_provided_rule(value);
}

static bool are_provided(const json_t *value)
{
	return is_each(value, is_provided);
}

static const struct rule schema[] = {
	{"name", is_text, "text"},
	{"version", is_text, "text"},
	{"description", is_text, "text"},
	{"license", is_text, "text"},
	{"homepage", is_text, "text"},
	{"hint", is_text, "text"},
	{"interface", is_interface, "NAME/MAJOR.MINOR"},
	{"provides", are_provided, "an array of what is provided"},
	{"requires", are_texts, "an array of text"},
	{"load", is_load, "lazy, prefetch or eager"},
};

static bool is_usable(struct json_source *source, const json_t *object,
		      const json_error_t *error)
{
	const json_t *version = json_object_get(object, "schema");

	if (!object)
		set_problem(source, "line %d: %s", error->line, error->text);
	else if (!json_is_object(object))
		set_problem(source, "it is no JSON object");
	else if (version && !is_one(version))
		set_problem(source, "\"schema\" is not 1");
	else
		return true;
	return false;
}

/* Which one of what is provided is wrong, and what of it. */
static void tell_provided(struct json_source *source, const json_t *array)
{
	size_t i = 0;

	while (i < json_array_size(array) &&
	       is_provided(json_array_get(array, i)))
		i++;
	if (i == json_array_size(array))
		return;
	const struct rule *broken =
		broken_provided_rule(json_array_get(array, i));
	if (broken)
		set_problem(source, "\"/provides/%zu/%s\" is not %s", i,
			    broken->key, broken->words);
	else
		set_problem(source,
			    "\"/provides/%zu\" is not an object with \"id\"",
			    i);
}

/* The object of a text, without what is not of the schema; NULL: none, for its
 * faults or, *ret_fits false, as memory is out, which jansson does not tell. */
static json_t *read_source(struct json_source *source, bool *ret_fits)
{
	const struct rule *broken;
	json_error_t error;

	errno = 0;
	json_t *object =
		json_loads(source->text, JSON_REJECT_DUPLICATES, &error);
	*ret_fits = object || errno != ENOMEM;
	if (!*ret_fits)
		return NULL;
	if (!is_usable(source, object, &error)) {
		json_decref(object);
		return NULL;
	}
	while ((broken = broken_rule(object, schema, ARRAY_SIZE(schema)))) {
		if (broken->is == are_provided)
			tell_provided(source,
				      json_object_get(object, broken->key));
		set_problem(source, "\"%s\" is not %s", broken->key,
			    broken->words);
		json_object_del(object, broken->key);
	}
	return object;
}

/* ------------------------------------------------------------------ */
/* Writing                                                            */

#define DIGITS_MAX 64

/* The shortest digits that read back as the same value, whatever the locale. */
static const char *real_digits(json_t *value, char digits[DIGITS_MAX])
{
	bool is_same = false;

	for (size_t n = DBL_DIG; n <= DBL_DECIMAL_DIG && !is_same; n++) {
		size_t size =
			json_dumpb(value, digits, DIGITS_MAX - 1,
				   JSON_ENCODE_ANY | JSON_REAL_PRECISION(n));
		digits[size < DIGITS_MAX ? size : 0] = '\0';
		json_t *again = json_loads(digits, JSON_DECODE_ANY, NULL);
		is_same = json_real_value(again) == json_real_value(value);
		json_decref(again);
	}
	return digits;
}

static bool write_value(FILE *out, json_t *value);

static bool write_key(FILE *out, const char *key)
{
	json_t *name = json_string(key);
	bool done = json_dumpf(name, out, JSON_ENCODE_ANY) == 0;

	json_decref(name);
	return done && putc(':', out) != EOF;
}

static bool write_object(FILE *out, json_t *object)
{
	char before = '{';
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		putc(before, out);
		before = ',';
		if (!write_key(out, key) || !write_value(out, value))
			return false;
	}
	return fputs(before == '{' ? "{}" : "}", out) >= 0;
}

static bool write_array(FILE *out, json_t *array)
{
	putc('[', out);
	for (size_t i = 0; i < json_array_size(array); i++) {
		if (i)
			putc(',', out);
		if (!write_value(out, json_array_get(array, i)))
			return false;
	}
	return putc(']', out) != EOF;
}

/* false: out of memory. */
static bool write_value(FILE *out, json_t *value)
{
	char digits[DIGITS_MAX];

	if (json_is_object(value))
		return write_object(out, value);
	if (json_is_array(value))
		return write_array(out, value);
	if (json_is_real(value))
		return fputs(real_digits(value, digits), out) >= 0;
	return json_dumpf(value, out, JSON_ENCODE_ANY) == 0;
}

/* malloc'd; NULL: out of memory. */
static char *text_of(json_t *value)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	bool done = write_value(out, value);
	if (memstream_end(out, &text) && done)
		return text;
	free(text);
	return NULL;
}

/* ------------------------------------------------------------------ */
/* Merging                                                            */

/* Takes what is not in `merged` yet, and says whose it is. */
static bool add_keys(json_t *merged, json_t *sources, json_t *object,
		     const char *name)
{
	const char *key;
	json_t *value;

	json_object_foreach(
		object, key,
		value) if (!json_object_get(merged, key) &&
			   (json_object_set(merged, key, value) ||
			    json_object_set_new(
				    sources, key,
				    json_string(name)))) return false;
	return true;
}

EXPORT int dlazy_json_merge(struct json_source *sources, size_t n,
			    char **ret_text, char **ret_sources)
{
	json_t *merged = json_object(), *names = json_object();
	bool is_any = false, fits = merged && names;

	*ret_text = *ret_sources = NULL;
	for (size_t i = 0; i < n && fits; i++) {
		json_t *object = sources[i].text
					 ? read_source(&sources[i], &fits)
					 : NULL;

		is_any |= object != NULL;
		fits = fits && (!object || add_keys(merged, names, object,
						    sources[i].name));
		json_decref(object);
	}
	if (fits && is_any) {
		*ret_text = text_of(merged);
		*ret_sources = text_of(names);
		fits = *ret_text && *ret_sources;
	}
	json_decref(merged);
	json_decref(names);
	if (fits)
		return 0;
	free(*ret_text);
	free(*ret_sources);
	*ret_text = *ret_sources = NULL;
	return -DLAZY_ENOMEM;
}
