/* SPDX-License-Identifier: MIT */
/*
 * The symbol table of a closure: all definitions of all its objects, by name.
 * It tells which definition is found first when a symbol is looked up, as ld.so
 * would look it up, by reading.
 */
#ifndef LINK_RESOLVE_SYMTAB_H
#define LINK_RESOLVE_SYMTAB_H

#include "link/resolve/closure.h"

/* One symbol of one object; those of a name in the order of look-up. */
struct definition {
	struct symtab_name *name;
	const struct definition *next;
	const char *version; /* "" if none: satisfies any */
	size_t object;	     /* its place in the closure */
	uint32_t symbol;     /* its place in the object's symbol table */
	uint8_t type;	     /* enum elf_type */
	uint8_t binding;     /* enum elf_binding */
	bool variant;	     /* as of struct elf_symbol */
	bool copied;	     /* the stub file has a canonical copy: copy.h */
};

struct symtab_name {
	const char *text;
	struct symtab_name *other; /* of the same hash */
	struct definition *first, *last;
	bool at_start; /* an object that is there at the program's start has it
			  in its symbol table, defined or undefined */
	bool canonical_plt; /* a function with a canonical PLT entry in the
			       program, whose address is everybody's */
};

struct symtab;

/*
 * Returns true for symbols that link editors put into each file (_edata and
 * the like, names of versions). Nobody looks for another file's, and the
 * symbol table leaves them out.
 */
bool symtab_is_marker(const struct elf_symbol *symbol);

/* The closure must live as long. 0 or -DLAZY_ENOMEM. */
int symtab_build(const struct closure *closure, struct symtab **ret);
void symtab_free(struct symtab *symtab);

/* No object is there at the start, as far as is known. */
void symtab_forget_start(struct symtab *symtab);

/* NULL: nobody defines it. */
struct symtab_name *symtab_find(const struct symtab *symtab, const char *text);

size_t symtab_count(const struct symtab *symtab);
const struct symtab_name *symtab_at(const struct symtab *symtab, size_t i);

/* The definitions of the object at place `i`. */
const struct definition *symtab_of_object(const struct symtab *symtab, size_t i,
					  size_t *ret_count);

/* The same, to be changed. */
struct definition *symtab_change(struct symtab *symtab, size_t i,
				 size_t *ret_count);

/* Its position among the definitions of all objects, of which there are at most
 * as many as closure_symbol_count(). Those of an object are neighbours. */
size_t symtab_position(const struct symtab *symtab,
		       const struct definition *definition);

/*
 * The first definition, of an object at place `from` or behind it, that
 * satisfies a reference of that version ("": of none). NULL: there is none.
 */
const struct definition *symtab_resolve(const struct symtab_name *name,
					const char *version, size_t from);

bool definition_satisfies(const struct definition *definition,
			  const char *version);

/* Returns true if a stub can stand for the definition. */
bool definition_is_function(const struct definition *definition);

/*
 * Returns true if both have vague linkage, as templates and inline functions
 * have, which many objects define. One is as good as another, as long as all
 * use the same. For data that follows from C++'s one definition rule.
 */
bool definitions_are_vague(const struct definition *a,
			   const struct definition *b);

/*
 * Returns true if a stub file has the definition without loading the library:
 * as a stub, or as a copy.
 */
bool definition_is_ready(const struct definition *definition);

#endif
