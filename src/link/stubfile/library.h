/* SPDX-License-Identifier: MIT */
/*
 * A library that a stub file is made for: its symbols, and the path of the
 * real file. Read from the library itself, or from a list of symbols.
 */
#ifndef LINK_STUBFILE_LIBRARY_H
#define LINK_STUBFILE_LIBRARY_H

#include "elf/view.h"

struct copy;

struct library_symbol {
	const char *name;    /* borrowed from the view or the list */
	const char *version; /* "" if none */
	bool is_default;
	bool weak;
	bool data;		/* not a function: an object of `size` bytes */
	bool copied;		/* data that the library's copy has */
	uint64_t address, size; /* in the library, from its load address */
	const char *why_not;	/* NULL: exported; else why it has no stub */
};

struct library {
	const char *soname;
	char **files; /* absolute paths or bare names, in order of trial */
	size_t file_count;
	struct library_symbol *symbols;
	size_t symbol_count;
	const char **versions; /* all it defines, in the order of its indexes:
				  also such that no symbol has */
	size_t version_count;
	const char *feature, *package; /* or "" */
	struct copy *copy;	       /* of its data; NULL: none; borrowed */
	struct file_identity identity; /* of the file that has a copy */
	struct elf_view *view;	       /* what strings are borrowed from */
	char *text;		       /* or this, which is its own */
};

/*
 * Reads a library from its file, which is the first of `files`. A symbol that
 * can have no stub (thread-local, NOTYPE, a variant calling convention) has
 * its why_not. 0, or the status of reading.
 */
int library_read(const char *path, struct library *ret);

/* The same of a view that is open; taken over on success. */
int library_of_view(struct elf_view *view, const char *path,
		    struct library *ret);

/*
 * Reads a library from a list of symbols: lines "NAME", "NAME@VERSION" or
 * "NAME@@VERSION", with an optional " data SIZE"; '#' comments; also a Debian
 * symbols file (dpkg-gensymbols(1)) and a .def file (EXPORTS). 0, or
 * -DLAZY_EFORMAT with file, line and what was expected.
 */
int library_read_list(const char *path, const char *soname,
		      struct library *ret);

void library_clear(struct library *library);
static inline void cleanup_library(struct library *library)
{
	library_clear(library);
}
#define _cleanup_library_ _cleanup_(cleanup_library)

#endif
