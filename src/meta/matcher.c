/* SPDX-License-Identifier: MIT */
/*
 * Matching a glob goes back to one place only, the last star: whatever an earlier
 * star could match, the last one can match as well.
 */
#include "meta/matcher.h"

#include "base/file.h"

#include <string.h>

/* ASCII alone, whatever the locale. */
static unsigned char fold(char c, bool folds)
{
	unsigned char byte = (unsigned char)c;

	return folds && byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte;
}

/* Behind the set that begins at `p`; NULL: it has no end, and is no set. */
static const char *set_end(const char *p)
{
	p++;
	p += *p == '!' || *p == '^';
	if (*p == ']')
		p++;
	while (*p && *p != ']')
		p++;
	return *p ? p + 1 : NULL;
}

static bool in_set(const char *set, const char *end, char c, bool folds)
{
	const char *p = set + 1, *last = end - 1;
	bool negated = *p == '!' || *p == '^', found = false;
	unsigned char wanted = fold(c, folds);

	for (p += negated; p < last; p++) {
		unsigned char low = fold(*p, folds), high = low;

		if (p + 2 < last && p[1] == '-') {
			high = fold(p[2], folds);
			p += 2;
		}
		found |= wanted >= low && wanted <= high;
	}
	return found != negated;
}

/* Whether one character matches; *ret is behind what of the pattern it took. */
static bool match_one(const char *pattern, char c, bool folds, const char **ret)
{
	const char *end = *pattern == '[' ? set_end(pattern) : NULL;

	*ret = pattern + 1;
	if (*pattern == '?')
		return true;
	if (end) {
		*ret = end;
		return in_set(pattern, end, c, folds);
	}
	if (*pattern == '\\' && pattern[1]) {
		pattern++;
		*ret = pattern + 1;
	}
	return fold(*pattern, folds) == fold(c, folds);
}

static bool match_glob(const char *pattern, const char *text, bool folds)
{
	const char *star = NULL, *taken = NULL, *next;

	while (*text) {
		if (*pattern == '*') {
			star = ++pattern;
			taken = text;
			continue;
		}
		if (*pattern && match_one(pattern, *text, folds, &next)) {
			pattern = next;
			text++;
			continue;
		}
		if (!star)
			return false;
		pattern = star;
		text = ++taken;
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

bool matcher_glob(const char *pattern, const char *text)
{
	return match_glob(pattern, text, false);
}

size_t matcher_prefix(const char *pattern)
{
	return strcspn(pattern, "*?[\\");
}

bool matcher_is_literal(const char *pattern)
{
	return pattern[matcher_prefix(pattern)] == '\0';
}

static size_t type_length(const char *mime)
{
	size_t n = strcspn(mime, ";");

	while (n && (mime[n - 1] == ' ' || mime[n - 1] == '\t'))
		n--;
	return n;
}

static bool is_type(const char *ours, const char *mime)
{
	size_t n = type_length(mime);

	if (type_length(ours) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (fold(ours[i], true) != fold(mime[i], true))
			return false;
	return n > 0;
}

static bool is_name(const char *glob, const char *file)
{
	return match_glob(glob, strchr(glob, '/') ? file : file_base_name(file),
			  true);
}

static bool is_head(const struct metadata_matcher *m, const unsigned char *head,
		    size_t size)
{
	if (m->size == 0 || m->offset > size || m->size > size - m->offset)
		return false;
	head += m->offset;
	for (size_t i = 0; i < m->size; i++)
		if ((head[i] & (m->mask ? m->mask[i] : 0xff)) != m->bytes[i])
			return false;
	return true;
}

bool matcher_opens(const struct metadata_matcher *m,
		   const struct matcher_subject *subject)
{
	switch (m->kind) {
	case METADATA_MIME:
		return subject->mime && is_type(m->text, subject->mime);
	case METADATA_GLOB:
		return subject->file && is_name(m->text, subject->file);
	case METADATA_MAGIC:
		return subject->head &&
		       is_head(m, subject->head, subject->head_size);
	default:
		return false;
	}
}
