/* SPDX-License-Identifier: MIT */
/*
 * The kinds of problems, and what to do about each, in one table.
 */
#include "cli/check/subject.h"

#include "base/array.h"
#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
	const char *word;
	const char *advice;
	bool bad;
} kinds[] = {
#define PROBLEM_ROW(name, word, bad, advice) {word, advice, bad},
	PROBLEM_MAP(PROBLEM_ROW)
#undef PROBLEM_ROW
};

const char *problem_word(enum problem_kind kind)
{
	return kinds[kind].word;
}

const char *problem_advice(enum problem_kind kind)
{
	return kinds[kind].advice;
}

void subject_add(struct subject *s, enum problem_kind kind, const char *format,
		 ...)
{
	char *detail;
	va_list args;

	va_start(args, format);
	int n = vasprintf(&detail, format, args);
	va_end(args);
	if (n < 0 || !array_reserve(&s->problems, s->count, &s->room,
				    sizeof(*s->problems))) {
		cli_say("%s: %s: out of memory", s->path, problem_word(kind));
		if (n >= 0)
			free(detail);
		return;
	}
	s->problems[s->count++] = (struct problem){kind, detail, false};
}

bool problem_is_bad(const struct subject *s, const struct problem *p)
{
	/* There was room for it, as there will be in a host. */
	if (p->kind == PROBLEM_STATIC_TLS && s->loaded)
		return false;
	return kinds[p->kind].bad;
}

bool subject_is_bad(const struct subject *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (problem_is_bad(s, &s->problems[i]))
			return true;
	return false;
}

void subject_clear(struct subject *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->problems[i].detail);
	free(s->problems);
	free(s->path);
	*s = (struct subject){.path = NULL};
}
