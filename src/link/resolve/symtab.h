/* SPDX-License-Identifier: MIT */
/*
 * The names that the objects of a closure define: who is found first when a
 * symbol is looked up, as ld.so would, by reading.
 */
#ifndef LINK_RESOLVE_SYMTAB_H
#define LINK_RESOLVE_SYMTAB_H

#include "link/resolve/closure.h"

/* One symbol of one object; those of a name in the order of look-up. */
struct definition {
	struct name *name;
	const struct definition *next;
	const char *version; /* "" if none: satisfies any */
	size_t object;	     /* its place in the closure */
	uint32_t symbol;     /* its place in the object's symbol table */
	uint8_t type;	     /* enum elf_type */
	uint8_t binding;     /* enum elf_binding */
	bool variant;	     /* as of struct elf_symbol */
	bool mirrored;	     /* the stub file has a mirror of it: mirror.h */
};

struct name {
	const char *text;
	struct name *other; /* of the same hash */
	struct definition *first, *last;
	bool at_start; /* an object that is there at the program's start has it
			  in its symbol table, defined or undefined */
	bool fixed;    /* a function that the program gives an address, in its
			  PLT, which is everybody's */
};

struct names;

/* Is it what link editors put there, one in each file? Nobody looks for
 * another's, and it is not among the names. */
bool names_is_marker(const struct elf_symbol *symbol);

/* The closure must live as long. 0 or -DLAZY_ENOMEM. */
int names_build(const struct closure *closure, struct names **ret);
void names_free(struct names *names);

/* No object is there at the start, as far as is known. */
void names_forget_start(struct names *names);

/* NULL: nobody defines it. */
struct name *names_find(const struct names *names, const char *text);

size_t names_count(const struct names *names);
const struct name *names_at(const struct names *names, size_t i);

/* The definitions of the object at place `i`. */
const struct definition *names_of_object(const struct names *names, size_t i,
					 size_t *ret_count);

/* The same, for who marks them. */
struct definition *names_change(struct names *names, size_t i,
				size_t *ret_count);

/* Its place among the definitions of all objects, of which there are at most as
 * many as closure_symbol_count(). Those of an object are neighbours. */
size_t names_place(const struct names *names,
		   const struct definition *definition);

/*
 * The first definition, of an object at place `from` or behind it, that
 * satisfies a reference of that version ("": of none). NULL: there is none.
 */
const struct definition *names_resolve(const struct name *name,
				       const char *version, size_t from);

bool definition_satisfies(const struct definition *definition,
			  const char *version);

/* Is it one that a stub can stand for? */
bool definition_is_function(const struct definition *definition);

/* Are both of templates or inline functions, which many have? One is as good as
 * another, as long as all use the same. Of data that is so by C++'s one
 * definition rule. */
bool definitions_are_alike(const struct definition *a,
			   const struct definition *b);

/* Has a stub file it without loading the library: a stub, or a mirror? */
bool definition_is_ready(const struct definition *definition);

#endif
