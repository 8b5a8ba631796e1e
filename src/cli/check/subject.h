/* SPDX-License-Identifier: MIT */
/*
 * What `dlazy check` looks at: one plugin file, and the problems found with
 * it so far.
 */
#ifndef CLI_CHECK_SUBJECT_H
#define CLI_CHECK_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>

/* X(NAME, word in JSON and tables, is it bad, what to do) */
#define PROBLEM_MAP(X)                                                        \
	X(NOT_FOUND, "not-found", true, "look at the path")                   \
	X(UNREADABLE, "unreadable", true, "look at its permissions")          \
	X(NOT_ELF, "not-elf", true, "take it out of the directory")           \
	X(DAMAGED, "damaged", true, "install its package once more")          \
	X(WRONG_MACHINE, "wrong-machine", true,                               \
	  "install the plugin that was built for this machine")               \
	X(NOT_LOADABLE, "not-loadable", true,                                 \
	  "build it as a shared object (cc -shared)")                         \
	X(MISSING_LIBRARY, "missing-library", true,                           \
	  "install the package that has it, or add its directory to "         \
	  "LD_LIBRARY_PATH")                                                  \
	X(NOTE_MISSING, "note-missing", true,                                 \
	  "it opens that library itself, and cannot do without it: install "  \
	  "the package that has it")                                          \
	X(UNDEFINED_SYMBOL, "undefined-symbol", true,                         \
	  "build it against the libraries installed here, linked with the "   \
	  "one that has the symbol")                                          \
	X(NEEDS_HOST, "needs-host", false,                                    \
	  "name the program that loads it: --host FILE")                      \
	X(STATIC_TLS, "static-tls", true,                                     \
	  "have it loaded at start (DLAZY_EAGER), or build it without "       \
	  "-ftls-model=initial-exec")                                         \
	X(EXEC_STACK, "exec-stack", true,                                     \
	  "build it with -Wl,-z,noexecstack: glibc 2.41 and later refuse it") \
	X(NO_OPEN, "no-open", true, "link with it: it forbids dlopen")        \
	X(LOAD_FAILED, "load-failed", true,                                   \
	  "see what the dynamic linker says")                                 \
	X(LOAD_TIMEOUT, "load-timeout", true,                                 \
	  "look at its constructors, or allow more: --timeout SECONDS")       \
	X(LOAD_CRASHED, "load-crashed", true,                                 \
	  "debug it: gdb --args dlazy call FILE SYMBOL 'v()'")                \
	X(NOT_LOADED, "not-loaded", false,                                    \
	  "have its host load it: nobody else can")                           \
	X(METADATA, "metadata", false,                                        \
	  "mend what it says of itself: it can be loaded, but not be found "  \
	  "by that")

enum problem_kind {
#define PROBLEM_ENUM(name, word, bad, advice) PROBLEM_##name,
	PROBLEM_MAP(PROBLEM_ENUM)
#undef PROBLEM_ENUM
		PROBLEM_KINDS
};

struct problem {
	enum problem_kind kind;
	char *detail;
	bool is_beside; /* what is missing is beside it: no package helps */
};

struct subject {
	char *path;
	struct problem *problems;
	size_t count;
	size_t room;
	bool needs_host; /* some of its symbols are its host's to supply */
	bool loaded;	 /* a child has loaded it */
	bool is_named;	 /* by the user, not found in a directory */
	bool is_program; /* nobody loads it */
};

const char *problem_word(enum problem_kind kind);
const char *problem_advice(enum problem_kind kind);

/* Notes a problem; out of memory, it is dropped and said. */
void subject_add(struct subject *s, enum problem_kind kind, const char *format,
		 ...) __attribute__((format(printf, 3, 4)));

/*
 * Returns true if it has a problem that is bad. One that a load has shown to
 * be harmless is not.
 */
bool subject_is_bad(const struct subject *s);
bool problem_is_bad(const struct subject *s, const struct problem *p);

void subject_clear(struct subject *s);

#endif
