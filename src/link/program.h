/* SPDX-License-Identifier: MIT */
/*
 * A program as `dlazy run` knows it: what to execute, and its entry in the
 * cache: a stub file with a link per SONAME, made once and used for as long as
 * every file it was made from is what it was.
 *
 *     CACHE/run/KEY/current          which generation, and the identity of
 *                                    every file it was made from (mapped)
 *     CACHE/run/KEY/record           what runs touched (struct linked_record)
 *     CACHE/run/KEY/GENERATION/      the directory for LD_LIBRARY_PATH:
 *         stub.so, SONAME -> stub.so ...
 *
 * KEY: hash of the program's path, scope, globs, and the user's
 * LD_LIBRARY_PATH and LD_PRELOAD. A generation is made beside and renamed into
 * place whole, and never changed; `current` is replaced by rename. So two runs
 * at once are safe, and an interrupted one leaves the old.
 */
#ifndef LINK_PROGRAM_H
#define LINK_PROGRAM_H

#include "link/machine.h"
#include "link/verdict.h"

/* What a command stands for. */
struct program {
	char *command;	  /* path to execute: absolute or as given */
	char *executable; /* the ELF file that ld.so will start: the command, or
			     the interpreter of its "#!" line, `env NAME`
			     seen through */
	const char *plain; /* why nothing can be lazy, or NULL: "setuid",
			      "static", "not for this machine", "musl", ... */
};

/* Finds a command as execvp(3) does. 0, or -DLAZY_ENOENT (127), -DLAZY_EIO
 * (126: there, not executable), with message. */
int program_find(const char *command, struct program *ret);
void program_clear(struct program *program);

struct program_options {
	bool machine; /* scope */
	char **eager; /* globs; NULL-ended */
	char **lazy;
	bool learn;	   /* take what the last run touched as always needed */
	const char *cache; /* DLAZY_CACHE_DIR or its default */
	const char *libdlazy; /* absolute path of libdlazy.so */
	machine_progress_fn *progress;
	void *data;
};

/* What running it lazily takes. */
struct program_start {
	char *directory; /* for LD_LIBRARY_PATH; NULL: run it plainly */
	char *record;	 /* path */
	char *plain;	 /* why plainly: in words; or NULL */
	bool made;	 /* the entry was made (or made anew) now */
};

/*
 * The program's start from its entry, which is made or made anew where it is
 * missing or stale. The usual way reads one small file and stats what it names.
 * 0; a status with message where the cache cannot be written or anything else
 * fails: run it plainly then, and say so.
 */
int program_prepare(const struct program *program,
		    const struct program_options *options,
		    struct program_start *ret);
void program_start_clear(struct program_start *start);

/* The verdicts behind a current entry, for --stats: reads what
 * program_prepare() kept. */
struct program_library {
	char *path;
	char *why; /* NULL: lazy */
	char *detail;
	uint32_t number; /* in the record, if lazy */
};
int program_libraries(const struct program *program,
		      const struct program_options *options,
		      struct program_library **ret, size_t *ret_count);

#endif
