/* SPDX-License-Identifier: MIT */
/*
 * Parsing signatures. One table has the letters; the parser goes through the
 * text once, from left to right, and stops at the first wrong character.
 */
#include "base/signature.h"

#include "base/array.h"

#include <string.h>

static const struct letter {
	char letter;
	bool promoted; /* C passes something wider in a variadic part */
	unsigned char size;
	const char *name;
} letters[] = {
	{'b', true, 1, "int8_t"},
	{'B', true, 1, "uint8_t"},
	{'h', true, 2, "int16_t"},
	{'H', true, 2, "uint16_t"},
	{'i', false, 4, "int32_t"},
	{'I', false, 4, "uint32_t"},
	{'l', false, sizeof(long), "long"},
	{'L', false, sizeof(long), "unsigned long"},
	{'q', false, 8, "int64_t"},
	{'Q', false, 8, "uint64_t"},
	{'f', true, sizeof(float), "float"},
	{'d', false, sizeof(double), "double"},
	{'D', false, sizeof(long double), "long double"},
	{'p', false, sizeof(void *), "pointer"},
	{'s', false, sizeof(char *), "string"},
};

static const struct letter *find(char letter)
{
	for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
		if (letters[i].letter == letter)
			return &letters[i];
	return NULL;
}

static const char *add_argument(struct signature *s, char c)
{
	const struct letter *letter = find(c);

	if (c == 'v')
		return "v is a result only: no arguments are written \"()\"";
	if (!letter)
		return c ? "not a type: b B h H i I l L q Q f d D p s"
			 : "\")\" is missing";
	if (s->variadic && letter->promoted)
		return c == 'f' ? "a variadic float is passed as a double: d"
				: "a variadic integer is passed as an int: i "
				  "or I";
	if (s->count == SIGNATURE_ARGUMENTS_MAX)
		return "too many arguments (64 at most)";
	s->arguments[s->count++] = c;
	return NULL;
}

static const char *begin_variadic(struct signature *s)
{
	if (s->variadic)
		return "a second \".\"";
	if (s->count == 0)
		return "\".\" needs an argument before it";
	s->variadic = true;
	s->fixed = s->count;
	return NULL;
}

/* Goes on at *at until the end or the first wrong character. */
static const char *parse(const char *text, struct signature *s, size_t *at)
{
	const char *why;

	s->result = text[*at];
	if (s->result != 'v' && !find(s->result))
		return "not a result's type: v b B h H i I l L q Q f d D p s";
	if (text[++*at] != '(')
		return "\"(\" expected behind the result's type";
	while (text[++*at] != ')') {
		why = text[*at] == '.' ? begin_variadic(s)
				       : add_argument(s, text[*at]);
		if (why)
			return why;
	}
	if (!s->variadic)
		s->fixed = s->count;
	return text[++*at] ? "nothing can follow \")\"" : NULL;
}

const char *signature_parse(const char *text, struct signature *ret,
			    size_t *ret_at)
{
	struct signature s = {0};
	size_t at = 0;
	const char *why = parse(text, &s, &at);

	if (why)
		*ret_at = at;
	else
		*ret = s;
	return why;
}

size_t signature_size(char letter)
{
	const struct letter *found = find(letter);

	return found ? found->size : 0;
}

const char *signature_type_name(char letter)
{
	const struct letter *found = find(letter);

	return found ? found->name : "void";
}
