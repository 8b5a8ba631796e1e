/* SPDX-License-Identifier: MIT */
/*
 * Writing the text of .note.dlopen. One library is one entry: its names are
 * alternatives, the preferred one first.
 */
#include "link/stubfile/dlopen-note.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memstream.h"
#include "elf/view.h"
#include "link/write/note.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The name by which a packager knows a file: not a path, which is this
 * machine's.
 */
static const char *name_of(const struct library *library, size_t i)
{
	const char *file = library->files[i];

	return strchr(file, '/') ? library->soname : file;
}

static bool is_repeated(const struct library *library, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(name_of(library, k), name_of(library, i)) == 0)
			return true;
	return false;
}

static void write_names(struct json *j, const struct library *library)
{
	json_begin_array(j);
	for (size_t i = 0; i < library->file_count; i++)
		if (!is_repeated(library, i))
			json_string(j, name_of(library, i));
	if (library->file_count == 0)
		json_string(j, library->soname);
	json_end_array(j);
}

static void write_member(struct json *j, const char *key, const char *value)
{
	if (!value)
		return;
	json_string_at(j, key, value);
}

static void write_entry(struct json *j, const struct library *library,
			const struct stubfile_note *note)
{
	json_begin_array(j);
	json_begin_object(j);
	json_key(j, "soname");
	write_names(j, library);
	write_member(j, "feature", note->feature);
	write_member(j, "description", note->description);
	write_member(j, "priority", note->priority);
	json_end_object(j);
	json_end_array(j);
}

char *stubfile_note_text(const struct library *library,
			 const struct stubfile_note *note, bool *ret_failed)
{
	char *text = NULL;
	size_t size;

	*ret_failed = false;
	if (!note->feature)
		return NULL;
	FILE *out = open_memstream(&text, &size);
	if (out) {
		struct json j = json_to(out);
		write_entry(&j, library, note);
	}
	*ret_failed = !out || !memstream_end(out, &text);
	return text;
}

/* Who has a program with stubs in it needs no permission of ours. */
static const char comment[] =
	"dlazy stub " PACKAGE_VERSION " SPDX-License-Identifier: MIT-0";

struct build_section *stubfile_comment_add(struct build *b)
{
	struct build_section *s = build_section(b, ".comment", BUILD_UNLOADED,
						sizeof(comment), 1);

	s->entry_size = 1;
	s->strings = true;
	return s;
}

void stubfile_comment_fill(const struct build_section *s)
{
	memcpy(s->data, comment, sizeof(comment));
}

struct build_section *stubfile_note_add(struct build *b, const char *text)
{
	return text ? build_note(b, ".note.dlopen", strlen(text) + 1,
				 ELF_NOTE_DLOPEN_OWNER, 4)
		    : NULL;
}

void stubfile_note_fill(const struct build_section *s, const char *text)
{
	if (s)
		build_note_fill(s, ELF_NOTE_DLOPEN, ELF_NOTE_DLOPEN_OWNER, text,
				strlen(text) + 1);
}
