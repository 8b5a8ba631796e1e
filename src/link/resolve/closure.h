/* SPDX-License-Identifier: MIT */
/*
 * The closure of a program: each object that the dynamic linker would map at
 * its start, in the order in which it looks symbols up (breadth first), and
 * who needs whom. Found by reading, as ld.so(8) would find them.
 */
#ifndef LINK_RESOLVE_CLOSURE_H
#define LINK_RESOLVE_CLOSURE_H

#include "elf/view.h"

#define CLOSURE_NONE ((size_t)-1)

struct closure_object {
	char *path; /* absolute; NULL: missing */
	char *name; /* as the first that needs it says (DT_NEEDED); of the
		       program its path */
	struct file_identity identity;
	struct elf_view *view; /* NULL: missing or unreadable */
	size_t needed_by;      /* the first; CLOSURE_NONE: program, preload */
	size_t *needs;	       /* objects, in DT_NEEDED's order */
	size_t need_count;
	bool rpath;	/* found by a DT_RPATH or a name with a slash: no
			   LD_LIBRARY_PATH can put a stub in its place */
	bool inherited; /* by the DT_RPATH of another than who needs it or the
			   program: by nothing, when that other is away */
	bool aliased;	/* needed by a name that is not its SONAME */
	bool preloaded;
};

struct closure {
	struct closure_object *objects; /* [0] is the program */
	size_t count;
};

/*
 * Reads the program's closure; LD_PRELOAD's objects come right behind it, as
 * in ld.so. environment: LD_LIBRARY_PATH and LD_PRELOAD are taken from this
 * process's. A missing library is an object without path. The interpreter,
 * ld.so, is an object like any, by the program's name for it. 0, or the status
 * of reading the program.
 */
int closure_read(const char *program, struct closure *ret);
void closure_clear(struct closure *closure);
static inline void cleanup_closure(struct closure *closure)
{
	closure_clear(closure);
}
#define _cleanup_closure_ _cleanup_(cleanup_closure)

/* Bytes of static TLS that all its objects take together, at most; 0: it is
 * empty. */
uint32_t closure_static_tls(const struct closure *closure);

/* The number of symbols of all its objects. */
size_t closure_symbol_count(const struct closure *closure);

#endif
