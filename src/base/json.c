/* SPDX-License-Identifier: MIT */
/*
 * Writing and checking JSON. The writer keeps one bit per open object or
 * array: whether the next member needs a comma before it. The checker
 * (json_is_valid) is for texts that come out of files and are embedded as they
 * are; it builds nothing.
 */
#include "base/json.h"

#include "base/utf8.h"

#include <assert.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void begin_value(struct json *j)
{
	if (j->after_key) {
		j->after_key = false;
		return;
	}
	if (j->depth == 0)
		return;
	uint64_t bit = UINT64_C(1) << (j->depth - 1);
	if (j->started & bit)
		putc(',', j->out);
	j->started |= bit;
}

static void begin(struct json *j, char bracket)
{
	begin_value(j);
	putc(bracket, j->out);
	assert(j->depth < JSON_DEPTH_MAX);
	j->started &= ~(UINT64_C(1) << j->depth++);
}

static void end(struct json *j, char bracket)
{
	assert(j->depth > 0 && !j->after_key);
	j->depth--;
	putc(bracket, j->out);
}

void json_begin_object(struct json *j)
{
	begin(j, '{');
}

void json_end_object(struct json *j)
{
	end(j, '}');
}

void json_begin_array(struct json *j)
{
	begin(j, '[');
}

void json_end_array(struct json *j)
{
	end(j, ']');
}

void json_finish(struct json *j)
{
	assert(j->depth == 0);
	putc('\n', j->out);
}

/* By number, above U+FFFF as a pair of surrogates. */
static void write_escape(FILE *out, uint32_t c)
{
	if (c > 0xffff) {
		fprintf(out, "\\u%04x", 0xd800 + ((c - 0x10000) >> 10));
		c = 0xdc00 + ((c - 0x10000) & 0x3ff);
	}
	fprintf(out, "\\u%04x", c);
}

/* Writes one character, returns how many bytes it was made of. */
static size_t write_character(FILE *out, const unsigned char *s)
{
	static const char escapes[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	size_t n = utf8_length(s);

	for (const char *e = escapes; *e; e += 2)
		if ((unsigned char)e[0] == s[0]) {
			fprintf(out, "\\%c", e[1]);
			return 1;
		}
	if (n == 0)
		fputs("\\ufffd", out);
	else if (utf8_is_shown(utf8_character(s, n)))
		fwrite(s, 1, n, out);
	else
		write_escape(out, utf8_character(s, n));
	return n ? n : 1;
}

static void write_string(FILE *out, const char *value)
{
	const unsigned char *s = (const unsigned char *)value;

	putc('"', out);
	while (*s)
		s += write_character(out, s);
	putc('"', out);
}

void json_key(struct json *j, const char *key)
{
	assert(j->depth > 0 && !j->after_key);
	begin_value(j);
	write_string(j->out, key);
	putc(':', j->out);
	j->after_key = true;
}

static void write_raw(struct json *j, const char *text)
{
	begin_value(j);
	fputs(text, j->out);
}

void json_string(struct json *j, const char *value)
{
	if (!value) {
		json_null(j);
		return;
	}
	begin_value(j);
	write_string(j->out, value);
}

void json_integer(struct json *j, int64_t value)
{
	begin_value(j);
	fprintf(j->out, "%" PRId64, value);
}

void json_unsigned(struct json *j, uint64_t value)
{
	begin_value(j);
	fprintf(j->out, "%" PRIu64, value);
}

void json_bool(struct json *j, bool value)
{
	write_raw(j, value ? "true" : "false");
}

void json_null(struct json *j)
{
	write_raw(j, "null");
}

/* The host's locale may write a decimal comma, of any number of bytes. */
static const char *neutralize(char *number)
{
	char *to = number;
	bool point = false;

	for (const char *from = number; *from; from++) {
		if (strchr("0123456789+-einfa", *from)) {
			*to++ = *from;
		} else if (!point) {
			*to++ = '.';
			point = true;
		}
	}
	*to = '\0';
	return number;
}

const char *json_format_double(double value, char buffer[JSON_NUMBER_MAX])
{
	if (isnan(value))
		return strcpy(buffer, "nan");
	/* DBL_DIG digits, trailing zeros dropped by %g, hold any value that
	 * has a shorter form. */
	for (int digits = DBL_DIG; digits <= DBL_DECIMAL_DIG; digits++) {
		snprintf(buffer, JSON_NUMBER_MAX, "%.*g", digits, value);
		if (strtod(buffer, NULL) == value)
			break;
	}
	return neutralize(buffer);
}

const char *json_format_long_double(long double value,
				    char buffer[JSON_NUMBER_MAX])
{
	if (isnan(value))
		return strcpy(buffer, "nan");
	for (int digits = LDBL_DIG; digits <= LDBL_DECIMAL_DIG; digits++) {
		snprintf(buffer, JSON_NUMBER_MAX, "%.*Lg", digits, value);
		if (strtold(buffer, NULL) == value)
			break;
	}
	return neutralize(buffer);
}

void json_double(struct json *j, double value)
{
	char buffer[JSON_NUMBER_MAX];

	write_raw(j,
		  isfinite(value) ? json_format_double(value, buffer) : "null");
}

void json_long_double(struct json *j, long double value)
{
	char buffer[JSON_NUMBER_MAX];

	write_raw(j, isfinite(value) ? json_format_long_double(value, buffer)
				     : "null");
}

/* What is not shown stands in strings only, where it may be escaped; but for
 * white space, of which a carriage return would hide what is before it. */
static void write_shown(FILE *out, const char *json)
{
	while (*json) {
		bool shown;
		size_t n = utf8_next(json, &shown);

		if (shown)
			fwrite(json, 1, n, out);
		else if ((unsigned char)*json < ' ')
			putc(' ', out);
		else
			write_character(out, (const unsigned char *)json);
		json += n;
	}
}

void json_text(struct json *j, const char *text)
{
	if (!json_is_valid(text)) {
		json_string(j, text);
		return;
	}
	begin_value(j);
	write_shown(j->out, text);
}

/*
 * The checker: each check_ function takes the text at its value's first
 * character and returns the place behind the value, or NULL after wrong().
 */
struct checker {
	const char *text;
	struct json_flaw flaw;
};

static const char *wrong(struct checker *c, const char *s, const char *expected)
{
	c->flaw = (struct json_flaw){(size_t)(s - c->text), expected};
	return NULL;
}

static const char *skip_space(const char *s)
{
	return s + strspn(s, " \t\r\n");
}

static const char *check_word(struct checker *c, const char *s,
			      const char *word)
{
	size_t n = strlen(word);

	return strncmp(s, word, n) == 0 ? s + n : wrong(c, s, "a value");
}

static const char *skip_digits(struct checker *c, const char *s)
{
	size_t n = strspn(s, "0123456789");

	return n ? s + n : wrong(c, s, "a digit");
}

static const char *check_number(struct checker *c, const char *s)
{
	if (*s == '-')
		s++;
	else if (*s < '0' || *s > '9')
		return wrong(c, s, "a value");
	s = *s == '0' ? s + 1 : skip_digits(c, s);
	if (s && *s == '.')
		s = skip_digits(c, s + 1);
	if (s && (*s == 'e' || *s == 'E')) {
		s++;
		s = skip_digits(c, *s == '+' || *s == '-' ? s + 1 : s);
	}
	return s;
}

static const char *check_escape(struct checker *c, const char *s)
{
	if (*s == 'u' && strspn(s + 1, "0123456789abcdefABCDEF") >= 4)
		return s + 5;
	return *s && strchr("\"\\/bfnrt", *s) ? s + 1
					      : wrong(c, s, "an escape");
}

static const char *check_string(struct checker *c, const char *s)
{
	if (*s != '"')
		return wrong(c, s, "a string");
	s++;
	while (s && *s != '"') {
		size_t n = utf8_length((const unsigned char *)s);
		if ((unsigned char)*s < 0x20)
			return wrong(c, s, "the end of a string");
		if (n == 0)
			return wrong(c, s, "UTF-8");
		s = *s == '\\' ? check_escape(c, s + 1) : s + n;
	}
	return s ? s + 1 : NULL;
}

static const char *check_value(struct checker *c, const char *s,
			       unsigned depth);

static const char *check_key(struct checker *c, const char *s)
{
	s = check_string(c, s);
	s = s ? skip_space(s) : NULL;
	if (s && *s != ':')
		return wrong(c, s, "a colon");
	return s ? s + 1 : NULL;
}

static const char *check_members(struct checker *c, const char *s,
				 unsigned depth, char close)
{
	s = skip_space(s);
	if (*s == close)
		return s + 1;
	for (;;) {
		if (close == '}')
			s = check_key(c, s);
		s = s ? check_value(c, skip_space(s), depth) : NULL;
		s = s ? skip_space(s) : NULL;
		if (s && *s != ',' && *s != close)
			return wrong(c, s,
				     close == '}' ? "a comma or }"
						  : "a comma or ]");
		if (!s || *s++ == close)
			return s;
		s = skip_space(s);
	}
}

static const char *check_value(struct checker *c, const char *s, unsigned depth)
{
	switch (*s) {
	case '{':
	case '[':
		if (depth == 0)
			return wrong(c, s, "no deeper nesting");
		return check_members(c, s + 1, depth - 1,
				     *s == '{' ? '}' : ']');
	case '"':
		return check_string(c, s);
	case 't':
		return check_word(c, s, "true");
	case 'f':
		return check_word(c, s, "false");
	case 'n':
		return check_word(c, s, "null");
	default:
		return check_number(c, s);
	}
}

bool json_check(const char *text, struct json_flaw *ret)
{
	struct checker c = {.text = text};
	const char *end = check_value(&c, skip_space(text), JSON_DEPTH_MAX);

	if (end && *skip_space(end) != '\0')
		end = wrong(&c, skip_space(end), "nothing more");
	if (!end)
		*ret = c.flaw;
	return end != NULL;
}

bool json_is_valid(const char *text)
{
	struct json_flaw flaw;

	return json_check(text, &flaw);
}
