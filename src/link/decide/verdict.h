/* SPDX-License-Identifier: MIT */
/*
 * The verdict: which libraries of a program may be lazy, and why each other
 * may not. doc/design.md describes the rules.
 *
 * No object of the program's closure imports anything from a lazy library but
 * functions, and data that can be copied (copy.h). Nor does any file of this machine
 * (index.h), so plugins that the program opens later find what they expect without
 * a load. An object that binds other data of a lazy library late gets them by
 * loading the library (stub/linked.h).
 */
#ifndef LINK_DECIDE_VERDICT_H
#define LINK_DECIDE_VERDICT_H

#include "link/resolve/closure.h"

struct index;
struct copy;
struct symtab;

/* X(NAME, word in JSON) */
#define VERDICT_MAP(X)                                                       \
	X(LAZY, "lazy")                                                      \
	X(PROGRAM, "program")	  /* it is the program */                    \
	X(MISSING, "missing")	  /* not found, or not readable */           \
	X(RUNTIME, "runtime")	  /* glibc's family, libstdc++, libgcc_s, \
				     libdlazy */  \
	X(LIBC_NAME, "libc-name") /* defines a symbol that libc defines */   \
	X(DATA, "data")		  /* data is imported: symbol, importer */   \
	X(STATIC_TLS, "static-tls")                                          \
	X(TLS, "tls")		      /* exports thread-local symbols */     \
	X(CONSTRUCTOR, "constructor") /* nobody calls it, but it \
				         has one, or a destructor */           \
	X(RPATH, "rpath")	      /* found by DT_RPATH or by a path */   \
	X(PRELOADED, "preloaded")                                            \
	X(SHADOWED, "shadowed") /* another library has the symbol first */   \
	X(VARIANT, "variant")	/* exports a variant calling convention */   \
	X(IDENTITY, "identity") /* its own address of a function could be \
				   compared with the stub's */  \
	X(SELF_LOCATION, "self-location") /* it looks for its own file */    \
	X(THREADS, "threads")	      /* its initialisers may start some */  \
	X(INITIALISER, "initialiser") /* they reach into another object */   \
	X(ALLOCATOR, "allocator") /* a malloc of the process may call it */  \
	X(SPECIAL, "special")	  /* INITFIRST, INTERPOSE, NOOPEN, filter, \
				   executable stack, a program */ \
	X(LEARNED, "learned")	  /* every run needs it */                   \
	X(ASKED, "asked")	  /* --eager */

enum verdict_why {
#define VERDICT_ENUM(name, word) VERDICT_##name,
	VERDICT_MAP(VERDICT_ENUM)
#undef VERDICT_ENUM
};

struct verdict {
	enum verdict_why why;
	char *symbol;	  /* that decided; or NULL */
	char *importer;	  /* path of its importer, or of who has it first */
	const char *kind; /* elf_type_name() of the symbol, or a detail; or
			     NULL */
	bool learned;	  /* LEARNED, or would be for another reason */
	/*
	 * Is it there at the program's start? The program, what is preloaded,
	 * and the eager libraries that ld.so comes to through these; further
	 * those of which an object of the start imports a symbol, or which have
	 * to be there for another reason (a constructor, static TLS, ...), and
	 * which lazy libraries alone bring in: theirs is a kept edge.
	 */
	bool mapped;
	bool kept_edge; /* mapped because the stub file needs it (DT_NEEDED by
			   absolute path, in the closure's order) */
};

struct verdict_rules {
	const struct index *index; /* of who imports data */
	char *const *eager;	   /* globs on SONAMEs, NULL-ended; or NULL */
	char *const *lazy;	   /* overrule the index, LEARNED, SHADOWED,
				 CONSTRUCTOR, THREADS and INITIALISER; not
				 what would break */
	char *const *learned;	   /* paths, NULL-ended; or NULL */
};

/* What was decided of a closure, which must live as long. */
struct verdicts {
	struct verdict *list; /* one per object of the closure */
	size_t count;
	struct symtab *symtab; /* for verdict_exports() */
	struct copy *copies;   /* of each object's data; those of the lazy
				   ones are to be in the stub file */
};

/* 0 or -DLAZY_ENOMEM. */
int verdict_decide(const struct closure *closure,
		   const struct verdict_rules *rules, struct verdicts *ret);
void verdicts_clear(struct verdicts *verdicts);
static inline void cleanup_verdicts(struct verdicts *verdicts)
{
	verdicts_clear(verdicts);
}
#define _cleanup_verdicts_ _cleanup_(cleanup_verdicts)

/*
 * Returns true if the combined stub file is to export this symbol for the lazy
 * library at place `i`, so that everybody finds what ld.so would have found.
 * It is not exported if an object of the start, or another lazy library, is to
 * be found first; nor if it is data without a copy, and any object of the
 * start has its name in its symbol table (it would be bound, and the library
 * loaded, while ld.so is at work); nor if it is data without a copy of which
 * another object has a definition that is as good; nor if it can have no stub.
 * `symbol`: an export of that library's view.
 */
bool verdict_exports(const struct verdicts *verdicts, size_t i,
		     const struct elf_symbol *symbol);

/*
 * Returns true if a reference without a version may find this export of the
 * stub file. It may not if at the program's start it would find another
 * object's definition, of another version.
 */
bool verdict_defaults(const struct verdicts *verdicts, size_t i,
		      const struct elf_symbol *symbol);

/* Returns true if the library's canonical copy has the symbol's data. */
bool verdict_has_copy(const struct verdicts *verdicts, size_t i,
		      const struct elf_symbol *symbol);

/*
 * What can be told of one library alone, without a program: a verdict for each
 * reason to be eager, none if it could be lazy. index: or NULL.
 * 0 or -DLAZY_ENOMEM.
 */
int verdict_alone(const struct elf_view *view, const char *path,
		  const struct index *index, struct verdicts *ret);

/* Decides otherwise; what decided before is forgotten. */
void verdict_turn(struct verdict *verdict, enum verdict_why why);

/* The words for a reason: "data", ... */
const char *verdict_word(enum verdict_why why);

/* One line for people: "/usr/bin/gdb takes rl_line_buffer (object) from it";
 * bounded. */
void verdict_describe(const struct verdict *verdict, char *buffer, size_t size);

#endif
