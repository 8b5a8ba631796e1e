/* SPDX-License-Identifier: MIT */
/*
 * The texts have been checked to be JSON. So only the end of a value has to be
 * found here. Depth costs no stack: brackets are counted.
 */
#include "base/jsonread.h"

#include "base/array.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *skip_space(const char *s)
{
	return s + strspn(s, " \t\r\n");
}

/* Behind the string whose opening quote is at `s`. */
static const char *skip_string(const char *s)
{
	for (s++; *s && *s != '"'; s++)
		if (*s == '\\' && s[1])
			s++;
	return *s ? s + 1 : s;
}

static const char *skip_brackets(const char *s)
{
	size_t depth = 0;

	while (*s) {
		if (*s == '"') {
			s = skip_string(s);
			continue;
		}
		if (*s == '{' || *s == '[')
			depth++;
		if (*s == '}' || *s == ']')
			depth--;
		s++;
		if (depth == 0)
			return s;
	}
	return s;
}

const char *json_behind(const char *value)
{
	if (*value == '"')
		return skip_string(value);
	if (*value == '{' || *value == '[')
		return skip_brackets(value);
	return value + strcspn(value, ",]} \t\r\n");
}

struct json_walk json_walk(const char *value)
{
	struct json_walk walk = {NULL, NULL, NULL, NULL};

	if (value)
		value = skip_space(value);
	if (value && (*value == '{' || *value == '['))
		walk.at = value;
	return walk;
}

/* The same, without reading over what is known. */
static const char *known_behind(const struct json_ends *ends, const char *value)
{
	if ((*value != '{' && *value != '[') || !ends)
		return json_behind(value);
	size_t at = ARRAY_COUNT_BEFORE(ends->count, i,
				       ends->containers[i].value < value);
	return at < ends->count && ends->containers[at].value == value
		       ? ends->containers[at].behind
		       : json_behind(value);
}

bool json_walk_next(struct json_walk *walk)
{
	bool in_object = walk->key != NULL;

	if (!walk->at)
		return false;
	if (!walk->value) {
		in_object = *walk->at == '{';
		walk->at = skip_space(walk->at + 1);
	} else {
		walk->at = skip_space(walk->at);
		if (*walk->at == ',')
			walk->at = skip_space(walk->at + 1);
	}
	if (!*walk->at || *walk->at == '}' || *walk->at == ']') {
		walk->at = NULL;
		return false;
	}
	walk->key = in_object ? walk->at : NULL;
	if (in_object) {
		walk->at = skip_space(skip_string(walk->at));
		walk->at = skip_space(walk->at + (*walk->at == ':'));
	}
	walk->value = walk->at;
	walk->at = known_behind(walk->ends, walk->at);
	return true;
}

/* ------------------------------------------------------------------ */
/* Strings                                                            */

/* Four digits; false: there are not so many. */
static bool read_hex(const char *s, uint32_t *ret)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++) {
		unsigned char c = (unsigned char)s[i];
		uint32_t digit = c;

		digit = c <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
		if (!c || !strchr("0123456789abcdefABCDEF", c))
			return false;
		value = value * 16 + digit;
	}
	*ret = value;
	return true;
}

/* Writes a character as UTF-8; returns how many bytes. */
static size_t write_utf8(char *to, uint32_t c)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xe0 | c >> 12);
		to[1] = (char)(0x80 | (c >> 6 & 0x3f));
		to[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | c >> 18);
	to[1] = (char)(0x80 | (c >> 12 & 0x3f));
	to[2] = (char)(0x80 | (c >> 6 & 0x3f));
	to[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* One \uXXXX, or a pair of surrogates, at its u; what is neither is U+FFFD. In a
 * damaged text it may be none: then no more is taken, and no more given. */
static const char *read_number(const char *s, uint32_t *ret)
{
	uint32_t c, low;

	*ret = '?';
	if (!read_hex(s + 1, &c))
		return s + 1;
	s += 5;
	if (c >= 0xd800 && c < 0xdc00 && s[0] == '\\' && s[1] == 'u' &&
	    read_hex(s + 2, &low) && low >= 0xdc00 && low < 0xe000) {
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		s += 6;
	}
	*ret = c == 0 || (c >= 0xd800 && c < 0xe000) ? 0xfffd : c;
	return s;
}

/* The next character of a string, into `to` (of 4 bytes); behind it. NULL: it is
 * the end. */
static const char *read_character(const char *s, char to[4], size_t *ret_size)
{
	static const char escapes[] = "b\bf\fn\nr\rt\t";
	uint32_t number;

	*ret_size = 1;
	to[0] = *s;
	if (*s == '"' || !*s)
		return NULL;
	if (*s != '\\')
		return s + 1;
	if (!*++s)
		return NULL;
	if (*s == 'u') {
		s = read_number(s, &number);
		*ret_size = write_utf8(to, number);
		return s;
	}
	to[0] = *s;
	for (const char *e = escapes; *e; e += 2)
		if (*e == *s)
			to[0] = e[1];
	return s + 1;
}

char *json_read_string(const char *value)
{
	char character[4];
	size_t n, size = 0;

	if (!value || *value != '"')
		return NULL;
	/* Escapes are longer than what they stand for. */
	char *text = malloc((size_t)(skip_string(value) - value) + 1);
	const char *s = value + 1;
	while (text && (s = read_character(s, character, &n)) != NULL) {
		memcpy(text + size, character, n);
		size += n;
	}
	if (text)
		text[size] = '\0';
	return text;
}

bool json_is(const char *value, const char *string)
{
	char character[4];
	size_t n;

	if (!value || *value != '"')
		return false;
	for (const char *s = value + 1;
	     (s = read_character(s, character, &n)) != NULL; string += n)
		if (strncmp(string, character, n) != 0)
			return false;
	return *string == '\0';
}

static const char *find_member(struct json_walk walk, const char *key)
{
	while (json_walk_next(&walk))
		if (walk.key && json_is(walk.key, key))
			return walk.value;
	return NULL;
}

const char *json_member(const char *object, const char *key)
{
	return find_member(json_walk(object), key);
}

bool json_read_integer(const char *value, int64_t *ret)
{
	char *end;

	if (!value || (*value != '-' && (*value < '0' || *value > '9')))
		return false;
	errno = 0;
	long long number = strtoll(value, &end, 10);
	if (errno || end != json_behind(value))
		return false;
	*ret = number;
	return true;
}

/* ------------------------------------------------------------------ */
/* JSON Pointers                                                      */

/* Whether a segment is that key: ~1 is a slash, ~0 a tilde. */
static bool is_segment(const char *segment, size_t size, const char *key)
{
	const char *end = segment + size, *s = key + 1;
	char character[4];
	size_t n;

	while ((s = read_character(s, character, &n)) != NULL)
		for (size_t k = 0; k < n; k++) {
			char c = segment < end ? *segment++ : '\0';

			if (c == '~') {
				if (segment == end || (*segment & ~1) != '0')
					return false;
				c = *segment++ == '1' ? '/' : '~';
			}
			if (c != character[k])
				return false;
		}
	return segment == end;
}

/* The index that a segment is, without leading zeros; SIZE_MAX: none. */
static size_t segment_index(const char *segment, size_t size)
{
	size_t index = 0;

	if (size == 0 || size > 9 || (size > 1 && segment[0] == '0'))
		return SIZE_MAX;
	for (size_t i = 0; i < size; i++) {
		if (segment[i] < '0' || segment[i] > '9')
			return SIZE_MAX;
		index = 10 * index + (size_t)(segment[i] - '0');
	}
	return index;
}

static const char *segment_value(struct json_walk walk, const char *segment,
				 size_t size)
{
	size_t index = segment_index(segment, size);

	for (size_t i = 0; json_walk_next(&walk); i++)
		if (walk.key ? is_segment(segment, size, walk.key) : i == index)
			return walk.value;
	return NULL;
}

static struct json_walk walk_within(const char *value,
				    const struct json_ends *ends)
{
	struct json_walk walk = json_walk(value);

	walk.ends = ends;
	return walk;
}

const char *json_pointer(const char *text, const char *pointer,
			 const struct json_ends *ends)
{
	const char *value = skip_space(text);

	if (*pointer && *pointer != '/')
		return find_member(walk_within(value, ends), pointer);
	while (value && *pointer == '/') {
		size_t size = strcspn(++pointer, "/");

		value = segment_value(walk_within(value, ends), pointer, size);
		pointer += size;
	}
	return value;
}
