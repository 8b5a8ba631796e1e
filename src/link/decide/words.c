/* SPDX-License-Identifier: MIT */
/*
 * The verdict in words, for people and for JSON.
 */
#include "link/decide/verdict.h"

#include <stdio.h>
#include <stdlib.h>

void verdict_turn(struct verdict *verdict, enum verdict_why why)
{
	free(verdict->symbol);
	free(verdict->importer);
	verdict->symbol = verdict->importer = NULL;
	verdict->kind = NULL;
	verdict->learned = false;
	verdict->why = why;
}

const char *verdict_word(enum verdict_why why)
{
	static const char *const words[] = {
#define VERDICT_TEXT(name, word) [VERDICT_##name] = word,
		VERDICT_MAP(VERDICT_TEXT)
#undef VERDICT_TEXT
	};

	return words[why];
}

/* What each reason is, where no symbol tells. */
static const char *sentence_of(enum verdict_why why)
{
	switch (why) {
	case VERDICT_LAZY:
		return "";
	case VERDICT_PROGRAM:
		return "it is the program";
	case VERDICT_MISSING:
		return "it is not found, or not readable";
	case VERDICT_RUNTIME:
		return "it is of the C or C++ runtime";
	case VERDICT_LIBC_NAME:
		return "it defines a symbol that libc defines";
	case VERDICT_DATA:
		return "data is taken from it";
	case VERDICT_STATIC_TLS:
		return "static TLS: opened late, it may find no room left";
	case VERDICT_TLS:
		return "it exports thread-local symbols";
	case VERDICT_CONSTRUCTOR:
		return "nobody calls it, but it has a constructor or a "
		       "destructor";
	case VERDICT_RPATH:
		return "it is found by a DT_RPATH or by its path";
	case VERDICT_PRELOADED:
		return "it is preloaded";
	case VERDICT_SHADOWED:
		return "another object has a symbol of it";
	case VERDICT_VARIANT:
		return "it has functions of another calling convention";
	case VERDICT_IDENTITY:
		return "the address of its functions could be compared";
	case VERDICT_SELF_LOCATION:
		return "it looks for its own file";
	case VERDICT_THREADS:
		return "its initialisers may start a thread or a process";
	case VERDICT_INITIALISER:
		return "its initialisers reach into another object";
	case VERDICT_ALLOCATOR:
		return "an allocator may call it";
	case VERDICT_SPECIAL:
		return "it asks for a treatment of its own";
	case VERDICT_LEARNED:
		return "every run needs it";
	case VERDICT_ASKED:
		return "--eager names it";
	}
	return "";
}

/* What a symbol has to do with it. */
static void describe_symbol(const struct verdict *verdict, char *buffer,
			    size_t size)
{
	const char *kind = verdict->kind ? verdict->kind : "data";
	const char *symbol = verdict->symbol, *importer = verdict->importer;

	if (verdict->why == VERDICT_SHADOWED)
		snprintf(buffer, size, "%s has %s (%s), too", importer, symbol,
			 kind);
	else if (verdict->why == VERDICT_IDENTITY)
		snprintf(buffer, size,
			 "%s has the address of %s, and so has it itself",
			 importer, symbol);
	else if (verdict->why == VERDICT_SELF_LOCATION && importer)
		snprintf(buffer, size, "%s may look for its file, by its %s",
			 importer, symbol);
	else if (verdict->why == VERDICT_SELF_LOCATION)
		snprintf(buffer, size,
			 "it may look for its own file, by its %s", symbol);
	else if (verdict->why == VERDICT_THREADS ||
		 verdict->why == VERDICT_INITIALISER)
		snprintf(buffer, size, "its initialisers may call %s", symbol);
	else if (verdict->why == VERDICT_ALLOCATOR)
		snprintf(buffer, size, "%s defines %s, and may call it",
			 importer, symbol);
	else if (verdict->why == VERDICT_LIBC_NAME)
		snprintf(buffer, size, "it defines %s (%s), as libc does",
			 symbol, kind);
	else if (importer)
		snprintf(buffer, size, "%s takes %s (%s) from it", importer,
			 symbol, kind);
	else
		snprintf(buffer, size, "it exports %s (%s)", symbol, kind);
}

void verdict_describe(const struct verdict *verdict, char *buffer, size_t size)
{
	const char *sentence = sentence_of(verdict->why);

	if (verdict->symbol)
		describe_symbol(verdict, buffer, size);
	else if (verdict->importer && verdict->why == VERDICT_SELF_LOCATION)
		snprintf(buffer, size, "%s may open it, and look for its file",
			 verdict->importer);
	else if (verdict->importer)
		snprintf(buffer, size, "%s takes data from it",
			 verdict->importer);
	else if (verdict->why == VERDICT_SPECIAL && verdict->kind)
		snprintf(buffer, size, "%s", verdict->kind);
	else
		snprintf(buffer, size, "%s", sentence);
}
