/* SPDX-License-Identifier: MIT */
/*
 * A relocatable stub file, with the names it defines for who indexes them.
 */
#ifndef LINK_STUBFILE_OBJECT_H
#define LINK_STUBFILE_OBJECT_H

#include "link/write/build.h"
#include "link/stubfile/stubfile.h"

struct object_names {
	struct build_strings strings; /* one behind the other; the first is
					 empty and does not count */
	size_t count;
};

/*
 * The member of an archive that all others need: the library and its helpers,
 * but none of its functions. Their code goes to `tail`, which it defines. The
 * names are the caller's.
 */
int object_write_head(const struct library *library,
		      const struct stubfile_options *options, const char *tail,
		      struct stubfile *ret, struct object_names *ret_names);

/* The function of a standalone stub's object that has a number; NULL: none. */
const char *object_alone_function(size_t i);

/* What a link editor is to say of a datum that is named; malloc'd. */
char *object_words(const char *name, const char *soname);

/* Whether a symbol can have a stub that is linked with. */
bool object_accepts(const struct library_symbol *symbol);

/* The member that is one function's: its stub and its slot. */
int object_write_function(const struct library_symbol *symbol,
			  const struct stubfile_options *options,
			  const char *tail, struct stubfile *ret);

/*
 * The member that is one datum's. There is no stub of data: who names it gets
 * a message of the link editor's, which has to look for a hidden symbol that
 * no file has, called by what is to be said. (Without it the link editor would
 * make a shared object that cannot be loaded.)
 */
int object_write_datum(const struct library_symbol *symbol, const char *soname,
		       enum elf_cpu cpu, struct stubfile *ret);

#endif
