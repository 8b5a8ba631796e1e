/* SPDX-License-Identifier: MIT */
/*
 * The trace buffer: what a traced process leaves in a file, for `dlazy trace`
 * to read when the process has ended, however it ended. The audit object
 * (hook.c) maps the file shared and writes; nothing reads it meanwhile.
 *
 * Every table has a bound, and a count of what did not fit. Tables that any
 * thread may write (trampolines, bindings, edges) are written by atomic
 * operations; the others are written in the dynamic linker, which holds its
 * lock, or before there is a second thread.
 *
 * Times are ticks of the CPU's clock; two pairs of ticks and nanoseconds
 * (CLOCK_MONOTONIC) tell how long one is. Objects are named by their place in
 * the table plus one, 0 is none. Strings are offsets into `strings`, 0 is none.
 */
#ifndef HOOK_TRACEBUF_H
#define HOOK_TRACEBUF_H

#include <stdint.h>

/* In the environment of a traced program: one character ('c': its children
 * too), then the directory for trace buffers. The second, when the user has an
 * auditor too: behind its first TRACEBUF_SAVED_AT bytes, what LD_AUDIT was. */
#define TRACEBUF_VARIABLE "DLAZY_HOOK"
#define TRACEBUF_SAVED "DLAZY_HOOK_LD_AUDIT"
#define TRACEBUF_SAVED_AT 11

#define TRACEBUF_MAGIC 0x316c69617274646cull
#define TRACEBUF_OBJECTS 4096u
#define TRACEBUF_LOADS 4096u
#define TRACEBUF_TRAMPOLINES 65536u
#define TRACEBUF_BINDINGS 65536u /* a power of two */
#define TRACEBUF_EDGES 16384u	 /* a power of two */
#define TRACEBUF_STRINGS (1u << 20)
#define TRACEBUF_MEMORY (8u << 20)

/* A point in time, and how long the tracer itself had run until then. */
struct tracebuf_moment {
	uint64_t ticks; /* 0: not reached */
	uint64_t own;
};

enum tracebuf_why {
	TRACEBUF_EXE,
	TRACEBUF_LINKER, /* ld.so */
	TRACEBUF_NEEDED,
	TRACEBUF_PRELOAD,
	TRACEBUF_DLOPEN,
};

struct tracebuf_object {
	uint64_t address;	 /* what is added to its st_value */
	uint64_t start, end;	 /* where it is mapped; 0: not known */
	uint64_t code, code_end; /* its executable part */
	uint64_t dynamic;	 /* its PT_DYNAMIC, in memory */
	uint32_t path;
	uint32_t requested; /* the name that was looked for */
	uint32_t hash;	    /* of path */
	uint32_t load;	    /* its latest, a place in `loads` */
	uint16_t why;	    /* enum tracebuf_why */
	uint16_t by;
	uint32_t opens;			    /* how often it was mapped */
	uint32_t relative, symbolic, calls; /* relocations; calls: PLT */
	uint8_t is_open;
	uint8_t is_scanned;	  /* its slots have been looked at */
	uint8_t has_constructors; /* that we can time */
	uint8_t is_bound_now;
	struct tracebuf_moment
		bound_at;	       /* its last relocated call, first time */
	struct tracebuf_moment opened; /* when it was mapped, first time */
	struct tracebuf_moment init_begin, init_end; /* first time */
	uint64_t map_ticks;  /* of all times, without the tracer's own */
	uint64_t init_ticks; /* likewise */
	uint32_t init_thread;
	uint32_t init_order; /* its constructors were the n-th to run, from 1 */
};

/* Objects that were mapped, relocated and started together: those of the start
 * (loads[0]), or of a dlopen. */
struct tracebuf_load {
	struct tracebuf_moment begin;	  /* the first was looked for */
	struct tracebuf_moment mapped;	  /* the last was mapped */
	struct tracebuf_moment relocated; /* the first constructor is called */
	struct tracebuf_moment end;	  /* the last has returned */
	uint32_t thread;
	uint32_t objects;
	uint32_t requested;
	uint16_t by;
};

/*
 * Who uses what: from << 48 | to << 32 | symbol << 3 | kind. The symbol is its
 * place in the symbol table of `to`, but of TRACEBUF_BY_NAME in that of `from`,
 * where `to` is for the reader to find, by name.
 */
enum tracebuf_kind {
	TRACEBUF_NOW = 1,    /* a call, bound when `from` was relocated */
	TRACEBUF_FIRST_CALL, /* bound by its first call, before main */
	TRACEBUF_LATE_CALL,  /* since */
	TRACEBUF_LOOKUP,     /* dlsym of a function */
	TRACEBUF_LOOKUP_DATA,
	TRACEBUF_BY_NAME, /* copied data, thread-local storage */
};
#define TRACEBUF_BINDING(from, to, symbol, kind)         \
	((uint64_t)(from) << 48 | (uint64_t)(to) << 32 | \
	 (uint64_t)(symbol) << 3 | (kind))
#define TRACEBUF_FROM(b) ((uint32_t)((b) >> 48))
#define TRACEBUF_TO(b) ((uint32_t)((b) >> 32) & 0xffff)
#define TRACEBUF_SYMBOL(b) ((uint32_t)(b) >> 3)
#define TRACEBUF_KIND(b) ((enum tracebuf_kind)((b)&7))

/* Pointers to functions and data of `to` that relocation put into `from`. */
struct tracebuf_edge {
	uint32_t key; /* from << 16 | to, 0: free */
	uint32_t symbols;
	uint32_t data; /* of these: not of code */
	uint32_t unused;
};

/* /proc/self/smaps, as it was. */
struct tracebuf_memory {
	uint32_t size; /* 0: could not be read */
	uint32_t is_whole;
	char text[TRACEBUF_MEMORY - 8];
};

struct tracebuf {
	/* What the program calls through trampolines, since main; mapped over
	 * the audit object's own array, hence first. */
	uint8_t called[TRACEBUF_TRAMPOLINES];

	uint64_t magic;
	uint64_t size; /* of this structure */
	uint32_t pid;
	uint32_t parent;
	uint32_t executable;	    /* /proc/self/exe */
	uint32_t arguments;	    /* the first of argument_count, in a row */
	uint32_t argument_count;    /* that fit */
	uint32_t arguments_missing; /* that did not */
	uint64_t first_ticks, first_ns;
	uint64_t last_ticks, last_ns;
	struct tracebuf_moment start;	 /* the audit object's first moment */
	struct tracebuf_moment main;	 /* la_preinit: libraries are ready */
	struct tracebuf_moment resumed;	 /* the tracer let the program go on */
	struct tracebuf_moment exit;	 /* exit() has run its handlers */
	struct tracebuf_moment finished; /* the tracer let it go on */
	uint64_t own;			 /* ticks that the tracer has taken */
	uint64_t own_memory; /* of these, for smaps and clear_refs */
	uint64_t own_scan;   /* for looking at slots */
	uint64_t bind_count; /* callbacks for bound symbols */
	uint32_t cleared;    /* clear_refs was written at main */
	uint64_t witness;    /* an address that is used since */

	uint32_t object_count, objects_lost;
	uint32_t load_count, loads_lost;
	uint32_t trampoline_count, trampolines_lost;
	uint32_t binding_count, bindings_lost;
	uint32_t edges_lost;
	uint32_t string_size, strings_lost;
	uint32_t init_count;

	struct tracebuf_object objects[TRACEBUF_OBJECTS];
	struct tracebuf_load loads[TRACEBUF_LOADS];
	uint64_t trampolines
		[TRACEBUF_TRAMPOLINES]; /* what each stands for, as a binding */
	uint8_t called_before
		[TRACEBUF_TRAMPOLINES]; /* through trampolines, before main */
	uint64_t bindings[TRACEBUF_BINDINGS]; /* by hash */
	struct tracebuf_edge edges[TRACEBUF_EDGES];
	char strings[TRACEBUF_STRINGS];
	struct tracebuf_memory at_main, at_exit;
};

#endif
