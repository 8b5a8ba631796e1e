/* SPDX-License-Identifier: MIT */
/*
 * Identity of functions. Everybody else has the address of a stub for a lazy
 * library's function; the library itself may have the function's own. Two
 * kinds of libraries notice: those that compare a function that they are given
 * with one of theirs (libavcodec: is this callback my default?), and those
 * that ask in which file a function of theirs lies, to find their data beside
 * it. Others may ask that of a library's function, too.
 */
#ifndef LINK_DECIDE_IDENTITY_H
#define LINK_DECIDE_IDENTITY_H

#include "link/resolve/symtab.h"

struct identity;

/* Finds the functions whose address an object of the closure takes from
 * another, by a relocation that is not a call's, or by their names: it can look
 * symbols up, and has the name as a text. 0 or -DLAZY_ENOMEM. */
int identity_open(const struct closure *closure, const struct symtab *symtab,
		  struct identity **ret);
void identity_close(struct identity *identity);

/*
 * The function of the object at place `i` whose address both another object
 * and its own code or data have; NULL: there is none. *ret_by: that object.
 * In doubt its own code has it. 0 or -DLAZY_ENOMEM.
 */
int identity_compared(const struct identity *identity, size_t i,
		      const struct definition **ret, size_t *ret_by);

/*
 * A function of the object at place `i` whose file somebody could ask for with
 * the stub's address: he can ask (dladdr(), dl_iterate_phdr(), the text
 * /proc/self/maps), and has the address. That is the object itself, by a
 * relocation against the symbol, or another (*ret_by). NULL: there is none. 0 or
 * -DLAZY_ENOMEM.
 */
int identity_located(struct identity *identity, size_t i,
		     const struct definition **ret, size_t *ret_by);

/* Could an object (*ret_by) open the library at place `i` by that name, and ask
 * its handle where it lies (dlinfo())? */
bool identity_opened(const struct identity *identity, const char *soname,
		     size_t *ret_by);

#endif
