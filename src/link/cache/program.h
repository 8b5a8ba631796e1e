/* SPDX-License-Identifier: MIT */
/*
 * A program as `dlazy run` knows it: what to execute, and its place in the
 * cache: a stub file with a link per SONAME, made once and used for as long as
 * every file it was made from is what it was.
 *
 *     CACHE/run/making               held by who makes something beside a run
 *     CACHE/run/KEY/current          the entry (entry.h)
 *     CACHE/run/KEY/lock             held while a generation is made
 *     CACHE/run/KEY/GENERATION/      the directory for LD_LIBRARY_PATH:
 *         stub.so, SONAME -> stub.so ...
 *         record                     what runs touched (struct linked_touched)
 *
 * KEY: the program's name and a hash of its path, globs, libdlazy, the user (or
 * "system"), and the user's LD_LIBRARY_PATH and LD_PRELOAD. A generation has a
 * name of its own, is complete before `current` names it, and never changes; `current` is
 * replaced by rename. So two runs at once are safe, and an interrupted one
 * leaves the old. A generation that has been replaced is removed when the one
 * after that is made: a run may have read `current` just before.
 */
#ifndef LINK_CACHE_PROGRAM_H
#define LINK_CACHE_PROGRAM_H

#include "link/cache/entry.h"
#include "link/index/index.h"

#include <stdint.h>

/* What a command stands for. */
struct program {
	char *command;	  /* path to execute */
	char *executable; /* absolute; what ld.so will start: the command, or
			     the interpreter of its "#!" line, `env NAME` there
			     seen through */
	char *launcher;	  /* that was passed over in PATH; or NULL */
};

/*
 * Finds a command as execvp(3) does; launchers that `dlazy run --install` made
 * are passed over in PATH. 0, or -DLAZY_ENOENT (127), -DLAZY_EIO (126: there,
 * not executable), -DLAZY_ENOMEM, with message.
 */
int program_find(const char *command, struct program *ret);
void program_clear(struct program *program);
static inline void cleanup_program(struct program *program)
{
	program_clear(program);
}
#define _cleanup_program_ _cleanup_(cleanup_program)

/* May a shell be given what the kernel refuses to execute? */
bool program_is_text(const char *path);

/* How the second line of a launcher begins. */
#define PROGRAM_LAUNCHER_MARK "# dlazy launcher:"
bool program_is_launcher(const char *path);

/* The cache that root makes for every user. What is in it counts where there is
 * nothing in the user's own. */
#define PROGRAM_SYSTEM_CACHE "/var/cache/dlazy"

struct program_options {
	char *const *eager; /* globs; NULL-ended, or NULL */
	char *const *lazy;
	bool learn;	   /* take what the last run touched as always needed */
	bool count;	   /* count this run */
	bool wait;	   /* make what is missing now */
	bool system;	   /* in PROGRAM_SYSTEM_CACHE */
	const char *cache; /* DLAZY_CACHE_DIR or its default; NULL: none */
	const char *libdlazy;	   /* absolute path of libdlazy.so */
	const struct index *index; /* open; NULL: opened where it is wanted */
	index_progress_fn *progress;
	void *data;
};

/* What program_make() has to make. */
enum program_missing {
	PROGRAM_WHOLE,	   /* nothing */
	PROGRAM_NO_ENTRY,  /* there is no entry, or it is of no use any more */
	PROGRAM_UNLEARNED, /* what runs touched is not left real yet */
};

/* What running it lazily takes. */
struct program_start {
	char *directory; /* for LD_LIBRARY_PATH; NULL: run it plainly */
	char *touched;	 /* path; NULL with that, and of the system's cache */
	char *plain;	 /* why plainly: in words; or NULL */
	bool made;	 /* the entry was made (or made anew) now */
	struct entry entry;
	enum program_missing missing;
	char **learned; /* with PROGRAM_UNLEARNED: paths; the entry's */
	int making;	/* program_reserve(): the lock; 0: it is not held */
};

/*
 * The program's start from its entry. The usual way reads one small file and
 * stats what it names. An entry that is missing or stale is made with `wait`.
 * Without it there is no directory then, and no reason why: `missing` says so;
 * where runs have touched what is still lazy, the directory is that of now. 0; a
 * status with message where the cache cannot be written or anything else fails:
 * run it plainly then, and say so.
 */
int program_prepare(const struct program *program,
		    const struct program_options *options,
		    struct program_start *ret);

/*
 * So that what a start is missing can be made beside: its place in the cache is
 * made, and start->making is taken, unless another has it. 0 or a status with
 * message. A process with nothing else to do, which holds that lock too, calls
 * program_make() then.
 */
int program_reserve(const struct program *program,
		    const struct program_options *options,
		    struct program_start *start);
int program_make(const struct program *program,
		 const struct program_options *options,
		 struct program_start *start);
/*
 * What program_prepare() would say of it, without making anything: an entry, in
 * memory, whose facts say why it would run plainly ("": it would not), and what
 * of its libraries could be lazy. 0 or a status with message.
 */
int program_judge(const struct program *program,
		  const struct program_options *options, struct entry *ret);
void program_start_clear(struct program_start *start);
static inline void cleanup_program_start(struct program_start *start)
{
	program_start_clear(start);
}
#define _cleanup_program_start_ _cleanup_(cleanup_program_start)

/*
 * The user's own value of LD_LIBRARY_PATH (borrowed; NULL: not set), where
 * `value` may have come through a process that was to start one of our
 * generations and started dlazy instead.
 */
const char *program_own_library_path(const char *cache, const char *value);

#endif
