/* SPDX-License-Identifier: MIT */
/*
 * .note.dlopen: says which libraries a program opens by itself, for who
 * packages the program. See
 * https://uapi-group.org/specifications/specs/elf_dlopen_metadata/ (UAPI.12).
 */
#ifndef LINK_STUBFILE_DLOPEN_NOTE_H
#define LINK_STUBFILE_DLOPEN_NOTE_H

#include "link/write/build.h"
#include "link/stubfile/stubfile.h"

/* The text of a library's note, malloc'd; NULL with *ret_failed false: none is
 * asked for; true: out of memory. */
char *stubfile_note_text(const struct library *library,
			 const struct stubfile_note *note, bool *ret_failed);

/* Adds the section for it, or (text NULL) none. */
struct build_section *stubfile_note_add(struct build *b, const char *text);
void stubfile_note_fill(const struct build_section *s, const char *text);

/* .comment, with the license of what is in the file: MIT-0. */
struct build_section *stubfile_comment_add(struct build *b);
void stubfile_comment_fill(const struct build_section *s);

#endif
