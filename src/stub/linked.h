/* SPDX-License-Identifier: MIT */
/*
 * Linked stubs: the ABI between the stub files that src/link writes (for
 * `dlazy stub` and `dlazy run`) and the libdlazy that serves them. A stub file
 * may be older than the library: what is here only grows, the struct's `abi`
 * tells.
 *
 * A stub file has, per library it stands for, one `struct linked` and:
 *
 * - per function a slot (8 bytes, zero: no relocation, no constructor) and a
 *   stub: jump through the slot; while it is zero, put the slot's address and
 *   that of the struct where the CPU's convention says and go to
 *   dlazy_linked_slow, which loads, stores the address in the slot, and jumps
 *   there with all that can carry an argument as it was.
 *   While its slot is zero, a stub may also return by itself what it knows
 *   that the function would, and sets `told` of the state;
 * - per data symbol, in shared files only, either the data themselves (a
 *   copy, of which libdlazy knows nothing), or an STT_GNU_IFUNC symbol whose
 *   resolver tail-calls dlazy_linked_data(struct, index): who binds to it late
 *   (a plugin opened later, dlsym) gets the address in the real library, which
 *   is loaded for that. The writer exports none of the latter that an object
 *   of the program's start would bind: that early nothing can be loaded.
 *
 * In an archive each function is a member of its own, which a link editor
 * takes or leaves. There are no tables then (LINKED_ABI_NAMED): behind each slot
 * lies its name. Such files go to dlazy_linked_slow_named, so that a libdlazy
 * which does not know of them is refused by the dynamic linker, in words.
 *
 * The convention of dlazy_linked_slow and dlazy_linked_slow_named:
 *   x86-64:  r11 = struct linked *; slot's address pushed above the caller's
 *            return address. Keeps what run-time stubs keep.
 *   AArch64: stp x16 (slot), x17 (struct linked *) at [sp, #-16]!.
 *
 * All is position independent: an offset field counts from the address of its
 * struct linked, or, where so said, from its strings.
 */
#ifndef STUB_LINKED_H
#define STUB_LINKED_H

#define LINKED_ABI 1
#define LINKED_ABI_NAMED 2
#define LINKED_ABI_LATEST 2

#ifndef __ASSEMBLER__

#include <dlazy/dlazy.h>
#include <dlazy/lifecycle.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* Read-only in the stub file. */
struct linked {
	uint32_t abi;	    /* LINKED_ABI or LINKED_ABI_NAMED */
	uint32_t functions; /* symbols 0 .. functions - 1 have a slot each */
	uint32_t symbols;   /* all; those behind the functions are data */
	int32_t state;	    /* to its struct linked_state */
	int32_t slots;	    /* to the first slot */
	int32_t names;	    /* to uint32_t[symbols]: in the strings, "NAME" or
			       "NAME@VERSION"; a function may be "+OFFSET",
			       hexadecimal, from the load address of the very
			       build that is told below */
	int32_t strings;    /* to the strings */
	/* in the strings: */
	uint32_t files;	  /* where the library may be: absolute paths or bare
			     names, one behind the other, tried in this order;
			     an empty one ends them */
	uint32_t feature; /* what the program lacks without it; or "" */
	uint32_t package; /* what to install to have it; or "" */
	/* of a file that `dlazy run` made: */
	int32_t run;	 /* to its struct linked_run; 0: none */
	uint32_t number; /* this library among those touched */
	/* of a library that has copies, such functions, or stubs that answer
	 * by themselves; else "" (but `file` is there, too, if `run` is): */
	uint32_t build;	    /* in the strings: the build-id of what it was made
			   for, hexadecimal */
	uint32_t file;	    /* in the strings: the hash of its struct
			   file_identity, as LINKED_FILE_HASH */
	uint32_t copied;    /* 1: it has more of that build than constants */
	uint32_t constants; /* how many stubs return a constant */
	int32_t constant_symbols; /* to uint32_t[constants]: their symbols */
};

/* What a name that is an offset begins with. */
#define LINKED_OFFSET "+"

/* Bytes of a build-id, at most. */
#define LINKED_BUILD_MAX 64

/* Writable in the stub file, zero at first. */
struct linked_state {
	_Atomic(struct dlazy_module *) module;
	_Atomic(uintptr_t) base; /* the loaded object's address, or 0 */
	_Atomic(uint8_t) told;	 /* a stub has answered by itself */
};

/* In its place in a standalone stub file. */
struct linked_alone {
	struct linked_state state; /* for libdlazy, where the process has it */
	_Atomic(void *) handle;	   /* of dlopen(); NULL: not loaded */
	_Atomic(dlazy_failure_fn *) on_failure;
	void *failure_data;
	_Atomic(dlazy_load_fn *) on_load;
	void *load_data;
	_Atomic(int) owner;	/* the thread that calls on_load, or 0 */
	_Atomic(int) is_told;	/* it has returned 0 */
	_Atomic(int) is_handed; /* libdlazy has both functions */
	char words[512];	/* of the last failure */
};

typedef _Atomic(void *) linked_slot;

/* Of LINKED_ABI_NAMED: zero at first; "NAME" or "NAME@VERSION". */
struct linked_named {
	linked_slot slot;
	char name[];
};

/*
 * What a stub file of `dlazy run` has once. It was found through
 * LD_LIBRARY_PATH, of which `directory` is the first element; DT_INIT of the
 * stub file tail-calls dlazy_linked_start(argc, argv, envp, run), before any
 * other constructor (DF_1_INITFIRST), which gives the program the environment
 * that the user gave: "LD_LIBRARY_PATH=DIRECTORY" is removed whole,
 * "DIRECTORY:REST" becomes "REST", and "DIRECTORY/" (with the slash) the empty
 * string; LINKED_TOUCHED_VARIABLE is removed.
 */
struct linked_run {
	uint32_t abi;
	uint32_t libraries; /* of struct linked_touched */
	int32_t strings;    /* from this struct */
	uint32_t directory; /* in the strings */
	uint32_t touched; /* in the strings: path of a struct linked_touched */
	int32_t state;	  /* from this struct, to linked_run_state */
};

struct linked_run_state {
	_Atomic(struct linked_touched *) touched; /* mapped, or NULL */
	_Atomic(uint32_t) tried;		  /* to map it */
	_Atomic(uint32_t) run;			  /* this run's number */
};

/* A file of them for this one run, in place of the one compiled in (`--stats`). */
#define LINKED_TOUCHED_VARIABLE "DLAZY_RUN_RECORD"

/*
 * The libraries that were touched, run after run: a file of exactly this
 * struct, in the cache, mapped shared by every process of the program that
 * loads anything. Host byte order. Numbers are added to atomically, and only
 * ever advise.
 */
#define LINKED_TOUCHED_MAGIC 0x445a4c52 /* "RLZD" */
struct linked_touched {
	uint32_t magic;
	uint32_t abi;
	_Atomic(uint32_t) runs; /* starts so far; `dlazy run` counts */
	uint32_t libraries;
	struct linked_touch {
		_Atomic(uint32_t) runs;	     /* in how many it was loaded */
		_Atomic(uint32_t) last;	     /* the latest of them */
		_Atomic(uint32_t) functions; /* bound, in all */
		uint32_t reserved;
	} each[];
};

/* Tells whether a file is still the one that a stub file was made for. */
#define LINKED_FILE_HASH "%016llx"

static inline const void *linked_at(const struct linked *l, int32_t offset)
{
	return (const char *)l + offset;
}

static inline const char *linked_string(const struct linked *l, uint32_t offset)
{
	return (const char *)linked_at(l, l->strings) + offset;
}

static inline const char *linked_name(const struct linked *l, uint32_t i)
{
	return linked_string(l, ((const uint32_t *)linked_at(l, l->names))[i]);
}

/*
 * The functions that libdlazy exports for stub files, beside the public
 * interface. dlazy_linked_slow and dlazy_linked_slow_named are no C functions.
 */
#define LINKED_PUBLIC __attribute__((visibility("default")))
/* The slow path of a standalone stub, which has saved registers: where to go.
 * Since: 0.2 */
LINKED_PUBLIC void *dlazy_linked_ask(void *slot, const void *caller,
				     const struct linked *l);
LINKED_PUBLIC void *dlazy_linked_data(const struct linked *l, uint32_t symbol);
LINKED_PUBLIC void dlazy_linked_start(int argc, char **argv, char **envp,
				      const struct linked_run *run);
/* The library as a module of the public interface, e.g. for
 * dlazy_on_failure(); it need not be installed. NULL: out of memory. */
LINKED_PUBLIC struct dlazy_module *dlazy_linked_module(const struct linked *l);
/* Whether it could be loaded, by looking for its file; 1 or 0. */
LINKED_PUBLIC int dlazy_linked_available(const struct linked *l);
/* As dlazy_load(). */
LINKED_PUBLIC int dlazy_linked_load(const struct linked *l);
/* As dlazy_error(). */
LINKED_PUBLIC const char *dlazy_linked_error(const struct linked *l);
/* Whether its file exports "NAME" or "NAME@VERSION"; 1 or 0. A stub file puts
 * its struct linked behind what its caller gave, third. Since: 0.2 */
LINKED_PUBLIC int dlazy_linked_has(const char *symbol, const void *unused,
				   const struct linked *l);
/* As dlazy_on_load(), dlazy_on_failure() for this library alone. Since: 0.2 */
LINKED_PUBLIC int dlazy_linked_on_load(dlazy_load_fn *fn, void *data,
				       const struct linked *l);
LINKED_PUBLIC int dlazy_linked_on_failure(dlazy_failure_fn *fn, void *data,
					  const struct linked *l);

#endif /* __ASSEMBLER__ */
#endif
