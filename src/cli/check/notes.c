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
#include "base/jsonread.h"
#include "base/status.h"
#include "elf/requester.h"
#include "elf/search.h"
#include "elf/view.h"

#include <string.h>
#include <unistd.h>

#define NAME_MAX_BYTES 256

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

/* One library that is opened. */
struct wanted {
	const char *names; /* the value of "soname" */
	char priority[NAME_MAX_BYTES];
	char feature[NAME_MAX_BYTES];
};

static struct wanted take_entry(const char *object)
{
	struct wanted wanted = {.names = NULL};
	struct json_walk walk = json_walk(object);

	while (json_walk_next(&walk)) {
		if (json_is(walk.key, "soname") && *walk.value == '[')
			wanted.names = walk.value;
		else if (json_is(walk.key, "priority"))
			take_string(walk.value, wanted.priority);
		else if (json_is(walk.key, "feature"))
			take_string(walk.value, wanted.feature);
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
	struct json_walk walk = json_walk(wanted->names);
	char name[NAME_MAX_BYTES];

	ret_first[0] = '\0';
	while (json_walk_next(&walk)) {
		if (!take_string(walk.value, name) || is_there(name, origin))
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
	if (!json_is_valid(text))
		return;
	struct json_walk walk = json_walk(text);
	while (json_walk_next(&walk))
		if (!walk.key && *walk.value == '{')
			check_entry(s, walk.value, origin);
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
