/* SPDX-License-Identifier: MIT */
/*
 * Reading .note.dlopen. A note's text is a JSON array of objects. Of each
 * object "soname" is read (an array of names, each as good as the first),
 * "priority" and "feature"; all else is passed over. The text comes out of a
 * file, so it is checked to be JSON first and whatever reads it may rely on
 * that. A name that JSON writes with \u is not searched for.
 */
#include "cli/check/notes.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "base/status.h"
#include "elf/requester.h"
#include "elf/search.h"
#include "elf/view.h"

#include <string.h>
#include <unistd.h>

#define NAME_MAX_BYTES 256

/* ------------------------------------------------------------------ */
/* JSON that is known to be valid                                     */

static const char *skip_space(const char *s)
{
	return s + strspn(s, " \t\r\n");
}

static const char *skip_string(const char *s)
{
	for (s++; *s != '"'; s++)
		if (*s == '\\')
			s++;
	return s + 1;
}

/* Behind a value and the space after it. */
static const char *skip_value(const char *s)
{
	size_t depth = 0;

	if (*s != '{' && *s != '[' && *s != '"')
		return skip_space(s + strcspn(s, ",]} \t\r\n"));
	do {
		if (*s == '"') {
			s = skip_string(s);
			continue;
		}
		depth += *s == '{' || *s == '[';
		depth -= *s == '}' || *s == ']';
		s++;
	} while (depth > 0);
	return skip_space(s);
}

/* The first value of an array, the first key of an object; NULL: it is empty. */
static const char *first_member(const char *s)
{
	s = skip_space(s + 1);
	return *s == ']' || *s == '}' ? NULL : s;
}

/* What follows a value's end; NULL: it was the last. */
static const char *next_member(const char *s)
{
	return *s == ',' ? skip_space(s + 1) : NULL;
}

/* A string without what is escaped by number; false: that, too long, or none. */
static bool take_string(const char *s, char ret[NAME_MAX_BYTES])
{
	size_t n = 0;

	if (*s != '"')
		return false;
	for (s++; *s != '"'; s++) {
		if (*s == '\\' && !strchr("\"\\/", *++s))
			return false;
		if (n + 1 == NAME_MAX_BYTES)
			return false;
		ret[n++] = *s;
	}
	ret[n] = '\0';
	return true;
}

/* ------------------------------------------------------------------ */
/* Notes                                                              */

/* One library that is opened. */
struct wanted {
	const char *names; /* the value of "soname" */
	char priority[NAME_MAX_BYTES];
	char feature[NAME_MAX_BYTES];
};

static void take_member(const char *key, const char *value,
			struct wanted *wanted)
{
	char name[NAME_MAX_BYTES];

	if (!take_string(key, name))
		return;
	if (strcmp(name, "soname") == 0 && *value == '[')
		wanted->names = value;
	else if (strcmp(name, "priority") == 0)
		take_string(value, wanted->priority);
	else if (strcmp(name, "feature") == 0)
		take_string(value, wanted->feature);
}

static struct wanted take_entry(const char *object)
{
	struct wanted wanted = {.names = NULL};

	for (const char *key = first_member(object); key;) {
		const char *value =
			skip_space(skip_space(skip_string(key)) + 1);

		take_member(key, value, &wanted);
		key = next_member(skip_value(value));
	}
	return wanted;
}

static bool is_there(const char *name, const struct search_origin *origin)
{
	_cleanup_free_ char *found = NULL;

	if (strchr(name, '/'))
		return access(name, F_OK) == 0;
	bool there = search_library(name, origin, &found) == 0;

	status_clear();
	return there;
}

/* Is one of its names found, or none that can be looked for? Else the first is
 * written. */
static bool is_satisfied(const struct wanted *wanted,
			 const struct search_origin *origin,
			 char ret_first[NAME_MAX_BYTES])
{
	char name[NAME_MAX_BYTES];

	ret_first[0] = '\0';
	for (const char *s = first_member(wanted->names); s;
	     s = next_member(skip_value(s))) {
		if (!take_string(s, name) || is_there(name, origin))
			return true;
		if (!*ret_first)
			strcpy(ret_first, name);
	}
	return !*ret_first;
}

static void check_entry(struct subject *s, const char *object,
			const struct search_origin *origin)
{
	struct wanted wanted = take_entry(object);
	char name[NAME_MAX_BYTES];

	if (!wanted.names || strcmp(wanted.priority, "required") != 0 ||
	    is_satisfied(&wanted, origin, name))
		return;
	subject_add(s, PROBLEM_NOTE_MISSING, "%s%s%s", name,
		    *wanted.feature ? ", for " : "", wanted.feature);
}

static void check_note(struct subject *s, const char *text,
		       const struct search_origin *origin)
{
	const char *array = skip_space(text);

	if (!json_is_valid(text) || *array != '[')
		return;
	for (const char *entry = first_member(array); entry;
	     entry = next_member(skip_value(entry)))
		if (*entry == '{')
			check_entry(s, entry, origin);
}

void notes_check(struct subject *s, const struct elf_view *view)
{
	const struct search_origin origin = search_origin_of(view, s->path);

	for (size_t i = 0; i < elf_view_note_count(view); i++) {
		struct elf_note note = elf_view_note(view, i);

		if (note.type == ELF_NOTE_DLOPEN &&
		    strcmp(note.owner, ELF_NOTE_DLOPEN_OWNER) == 0 &&
		    note.size && memchr(note.data, '\0', note.size))
			check_note(s, (const char *)note.data, &origin);
	}
}
