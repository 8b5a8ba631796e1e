/* SPDX-License-Identifier: MIT */
/*
 * Which file a library's bare name stands for, as ld.so(8) decides it: the
 * RPATH and RUNPATH of the object that asks, LD_LIBRARY_PATH, ld.so.cache with
 * its hwcaps, the default directories. Reads; loads nothing.
 */
#ifndef ELF_SEARCH_H
#define ELF_SEARCH_H

#include <stdbool.h>
#include <stddef.h>

/* The object in whose name a search is done. */
struct search_origin {
	const char *path;    /* its file, for $ORIGIN; "" if not known */
	const char *rpath;   /* DT_RPATH, "" if none; ignored with a runpath */
	const char *runpath; /* DT_RUNPATH, "" if none */
	bool no_default;     /* ELF_NODEFLIB: not in the default directories */
	/* This process's program; NULL: its file is read for that. */
	const struct search_origin *program;
};

/*
 * Finds the file for `name` (bare: without a slash). Files of another class or
 * machine are passed over, as ld.so does. origin may be NULL. The RPATH of this
 * process's program counts, too, as for dlopen. What is loaded already is not
 * looked at, and neither are the "legacy" hwcaps, which glibc 2.37 dropped.
 * 0 and a malloc'd absolute path, or -DLAZY_ENOENT (with message: which
 * directories were tried), or a state (status_is_state()): it cannot be told now.
 *
 * LD_LIBRARY_PATH is that of the program's start. Threads: any.
 */
int search_library(const char *name, const struct search_origin *origin,
		   char **ret_path);

/* The same, with one file passed over. */
struct file_identity;
int search_library_but(const char *name, const struct search_origin *origin,
		       const struct file_identity *but, char **ret_path);

/*
 * Whether a directory of a RUNPATH may have the library of that bare name. false
 * is sure; true may only mean that it cannot be told without a search.
 */
bool search_may_be_in(const char *list, const char *name);

/*
 * A path with $ORIGIN (the directory of the file `origin`), $LIB and $PLATFORM
 * replaced, as dlopen does for the object that calls. 0 and a malloc'd path,
 * -DLAZY_ENOENT (with message: not known, too long, or not allowed under
 * AT_SECURE), or a state.
 */
int search_expand(const char *path, const char *origin, char **ret);

/*
 * Goes through the DT_NEEDED closure of the file at `path`, breadth first,
 * itself left out, each library once: calls fn with the name that is needed,
 * the path found (NULL: missing) and the path of who needs it. An RPATH counts
 * for all that is needed through its object, as in ld.so; the file at `path`
 * takes the program's place. A program's interpreter is found as the program
 * names it; the vDSO is nobody's need. fn returning false ends the walk. 0, or
 * the status of reading `path` itself, or the state (status_is_state()) that
 * kept another file from being found or read.
 */
typedef bool search_closure_fn(const char *name, const char *found,
			       const char *needed_by, void *data);
int search_closure(const char *path, search_closure_fn *fn, void *data);

#endif
