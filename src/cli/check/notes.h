/* SPDX-License-Identifier: MIT */
/*
 * .note.dlopen, in which a file says what it opens itself: a library that it
 * calls required has to be there.
 */
#ifndef CLI_CHECK_NOTES_H
#define CLI_CHECK_NOTES_H

#include "cli/check/subject.h"

struct elf_view;

/* Notes a problem for each required library that is not found under any of its
 * names, as dlopen would look for it in the name of this file. */
void notes_check(struct subject *s, const struct elf_view *view);

#endif
