/* SPDX-License-Identifier: MIT */
/*
 * A module: one plugin in the process. Modules are never freed, as a stub may
 * be called at any time; there are as many as different files were opened.
 *
 * What is not marked atomic or fixed is guarded by load_lock, the one lock of
 * this layer (LOCK_LOAD).
 */
#ifndef LOAD_MODULE_H
#define LOAD_MODULE_H

#include "base/file.h"
#include "base/lock.h"
#include "base/map.h"
#include "base/status.h"
#include "catalog/record.h"
#include "elf/view.h"

#include <dlazy/lifecycle.h>

#include <stdatomic.h>

struct binding;
struct held;
struct loading_frame;
struct module_metadata;
struct noted_slots;
struct quarantine;
struct replaced_slot;
struct spelling;

/* How this process wants it, from DLAZY in the environment. */
enum module_mode { MODULE_LAZY, MODULE_EAGER, MODULE_OFF };
enum module_mode module_mode(void);

/* Why a load failed, and what would have to change for another try. */
struct module_failure {
	int status; /* negated; 0: never failed */
	char message[STATUS_MESSAGE_MAX];
	struct file_identity file; /* the plugin file then; zero: absent */
	unsigned paths;		   /* by which it had been opened */
	char missing[256];	   /* the library that was not found, or "" */
	char needed_by[4096];	   /* the file that needs it */
	unsigned long long loads;  /* objects the linker had ever loaded */
	bool final;		   /* no change can help (fork) */
	bool passing; /* a state of the process, no fact: not remembered */
	struct dlazy_module *required; /* that failed; NULL: it was none */
};

/*
 * A part of the program that has opened a module: the object whose code did. What
 * it gave (pointers, a hook) is its until it closes, whoever else has the module
 * open. Two that open it from one object cannot be told apart.
 */
struct opener {
	struct opener *next;
	const void *object; /* see dl_object() */
	size_t opens;	    /* dlazy_open less dlazy_close */
	int flags;	    /* of dlopen, of its opens; 0: none succeeded yet */
	bool on_sym;	    /* DLAZY_ON_SYM was among them */
	dlazy_failure_fn *on_failure;
	void *on_failure_data;
	dlazy_load_fn *on_load;
	void *on_load_data;
	bool on_load_called; /* for the load that is, or was last */
};

/* A function pointer of the host; see dlazy_bind(). */
struct import {
	struct import *next;
	const void *object; /* whose code has bound it */
	struct binding *binding;
	void **address;
	void *early;  /* what it holds while the module is not loaded */
	bool patched; /* holds the real address */
};

/* The files that a module may be, one after the other. */
struct module_search {
	struct dlazy_module *module;
	void *own;	/* the kind's */
	unsigned tried; /* so many were, in vain */
	bool reads;	/* files are only read: a bare name is none */
	bool aside;	/* why this one cannot be loaded is not to be told */
	bool begun;
	/* As the linker is told of this one; NULL: as module_object() says */
	const char *object;
};

/*
 * Another path of a module's file, in another directory: what the file needs may
 * be found from there alone ($ORIGIN), and where an opener named it so, dlopen()
 * would look there.
 */
struct module_path {
	struct module_path *next;
	const char *path;   /* kept for good */
	const char *object; /* as the linker is told; likewise */
};

/*
 * Where a module comes from, and so what differs: a plugin file, the program
 * itself (a built-in), or, from above this layer, the library of a stub file
 * (runtime/file.c). It is given when the module is made. NULL: nothing is to be
 * done. Of a built-in none is called, as it is LOADED from the beginning.
 */
struct module_kind {
	/* Sets path and identity to those of the next file to try. 0, or, with
	 * words, a status: there is none, or no other. */
	int (*next_file)(struct module_search *search);
	void (*end_search)(struct module_search *search);
	/* Whether that file may be loaded: 0 or a status. *ret_path, if it is
	 * set (malloc'd), is to be opened in the place of its path. */
	int (*check_file)(const struct dlazy_module *m, char **ret_path);
	/* What else is asked of the linker, just before the file. */
	void (*before_open)(const struct dlazy_module *m);
	/* The linker has opened it. */
	void (*opened)(struct dlazy_module *m, void *handle);
	/* What is there now; all 0: nothing. */
	void (*identify)(const struct dlazy_module *m,
			 struct file_identity *ret);
	/* What the program's user can do if it cannot be loaded. NULL: what a
	 * host with plugins can. */
	void (*advise)(const struct dlazy_module *m, int status, char *buffer,
		       size_t size);
	/* Why a reload cannot put another object in the place of its own; NULL,
	 * also in the place of the function: it can. */
	const char *(*keeps_object)(const struct dlazy_module *m);
	bool is_builtin;
	bool is_plugin_file;
	bool is_undeclared; /* nobody knows it before it is touched */
};

struct dlazy_module {
	/* fixed once declared */
	const char *name;
	const struct module_kind *kind;
	const void *source;		    /* what its kind knows it by */
	const char *looked_for;		    /* by whoever asks; or NULL */
	const struct dlazy_symbol *symbols; /* of a built-in, else NULL */
	size_t symbols_count;
	const void *declared_by; /* a code address of the host */
	bool is_part;		 /* of this library's own; see part.c */

	/* Absolute; "" for a built-in. Of one that is looked for, where it was
	 * found last, else what it is looked for as; never freed. */
	_Atomic(const char *) path;
	/* The path as the linker is told; NULL: as it is. Never freed. */
	_Atomic(const char *) object;
	/* Counts objects: an address that was found in an earlier one is not to
	 * be kept (see reload.c). */
	_Atomic(unsigned) generation;
	_Atomic(void *) handle; /* set while LOADED */
	/* While the host's functions are called for a reload: the object that
	 * the thread which does that gets, and nobody else. */
	_Atomic(void *) next_handle;
	_Atomic(int) state;   /* enum dlazy_state; see module_move_locked() */
	_Atomic(int) flags;   /* of dlopen, of all that have it */
	_Atomic(int) asked;   /* the linker was asked with these */
	_Atomic(bool) on_sym; /* somebody's DLAZY_ON_SYM */
	_Atomic(bool) has_fallback;
	_Atomic(bool) of_one_build; /* a stub file of it is */
	_Atomic(int) host_policy;   /* what a host's filter or flags said */
	_Atomic(bool) is_open;	    /* as opens and borrows say; see use.c */
	_Atomic(struct quarantine *) quarantine; /* NULL: none */
	_Atomic(size_t) pins;	/* dlazy_pin less dlazy_unpin */
	_Atomic(uint64_t) used; /* when last, as use.c counts; 0: never */
	_Atomic(uint64_t)
		linker_ns; /* of the last load told of; 0: not taken */

	/* under load_lock */
	struct file_identity identity;	 /* of the file behind record or view */
	const struct record *record;	 /* from a catalog, or NULL */
	struct elf_view *view;		 /* read from the file, or NULL */
	size_t opens;			 /* dlazy_open less dlazy_close */
	size_t borrows;			 /* registries that declare it */
	int borrowed_flags;		 /* of dlopen, of those */
	bool borrowed_on_sym;		 /* and DLAZY_ON_SYM */
	bool keep;			 /* some opener did not say DISCARD */
	bool pinned;			 /* a real address was given out */
	unsigned contents;		 /* counts those that the file had */
	struct module_path *other_paths; /* in the order of the opens */
	unsigned path_count;		 /* of all so far */
	struct held *held; /* what dlopen() would have mapped; or NULL */
	struct spelling *spellings;	/* all that there were */
	const char *undiscardable;	/* why its ELF forbids it, or NULL */
	struct loading_frame *loaders;	/* who is loading it now */
	struct loading_frame *preparer; /* of these, see onload.c */
	bool prepared;			/* the same */
	unsigned refusals;		/* how often that failed */
	int refused;			/* as what, last */
	struct module_failure *failure; /* NULL: none yet */
	struct map bindings;		/* by name, see binding.c */
	struct binding *all_bindings;
	struct import *imports;
	struct replaced_slot *replaced_slots; /* see binding.c */
	struct noted_slots *linked_slots;     /* the same */
	struct dlazy_module *fallback;	      /* see fallback.c */
	struct dlazy_module **required;	      /* see require.c */
	size_t required_count;
	const struct dlazy_module *required_by; /* by an object of that one
						   which stays mapped */
	uintptr_t base; /* of its object, where it stands in for a module that
			   is being loaded; else 0 */
	int (*fallback_queue)(struct dlazy_module *m, const void *caller);
	struct module_metadata *metadata;      /* see metadata.c */
	struct file_identity without_metadata; /* a file that has none */
	struct opener *openers;		       /* the latest hook first */
};

extern struct lock load_lock __attribute__((visibility("hidden")));

/*
 * An export: the part of struct elf_symbol, or of struct record_symbol, that
 * outlives both.
 */
struct module_export {
	uint64_t value;
	uint8_t type; /* enum elf_type */
	bool is_default;
	bool variant;
};

/* Whether somebody has opened it without DLAZY_DISCARD. */
bool module_is_kept(const struct dlazy_module *m);

/* Whether its file has the SONAME of another's as DT_NEEDED. */
bool module_needs(const struct dlazy_module *m,
		  const struct dlazy_module *other);

/* Whether it is a plugin file, and no built-in or library of a stub file. */
bool module_is_file(const struct dlazy_module *m);

static inline bool module_is_builtin(const struct dlazy_module *m)
{
	return m->kind->is_builtin;
}

/* Who declares a module, and how. */
struct module_declaration {
	const char *name;	     /* NULL: from the file name */
	const char *path;	     /* absolute */
	int flags;		     /* of the public interface */
	const void *by;		     /* a code address of the host */
	const struct record *record; /* from a catalog; must live as long as
					the process if *ret_adopted */
	bool by_name; /* what it is looked for as means one file for all */
};

/* Who asks for a load. */
struct touch {
	const char *symbol; /* NULL: nobody's symbol (dlazy_load) */
	const void *caller; /* a code address */
	bool again;	    /* try even if it failed and nothing changed */
	bool relocating;    /* the linker itself asks, while it relocates */
	bool keep;	    /* the address is given out for good */
};

/* All modules, as they are now: a malloc'd array, and its count. */
struct module_seen {
	const struct dlazy_module *module;
	struct file_identity identity;
	int state; /* enum dlazy_state */
};
size_t module_list(struct module_seen **ret);

/* Calls fn(m, data) for each, with load_lock held. */
void module_each_locked(void (*fn)(struct dlazy_module *m, void *data),
			void *data);

/* Are they flags that the public interface takes? 0 or -DLAZY_EINVAL. */
int module_check_flags(int flags);

/* Whether they ask for RTLD_GLOBAL. */
bool module_flags_global(int flags);

/*
 * The module of a file, new or the same as before; counts one more open or
 * borrow. Reads the file unless a current record is given. *ret_adopted (may
 * be NULL): the record is in use from now on. 0, or as dlazy_open().
 */
int module_declare(const struct module_declaration *declaration, bool borrowed,
		   struct dlazy_module **ret, bool *ret_adopted);

/* A built-in module, borrowed. Copies the symbols. */
int module_declare_builtin(const char *name, const struct dlazy_symbol *symbols,
			   size_t n, const void *by, struct dlazy_module **ret);

/*
 * The module of a file that is looked for when it is to be loaded, borrowed for
 * good. If one was found already (d->path, and the identity), that file's
 * module, new or the same as before; else (d->path NULL), with d->by_name, the
 * module that is looked for as the same; else a new one. Reads nothing. *ret is of that kind and source only if it is new. 0 or
 * -DLAZY_ENOMEM.
 */
int module_declare_late(const struct module_declaration *d,
			const struct module_kind *kind, const void *source,
			const char *looked_for,
			const struct file_identity *identity,
			struct dlazy_module **ret);

/*
 * The file of one that is looked for was found, perhaps elsewhere than before;
 * with an identity of all 0, the linker is to look for it by that path or name.
 * 0 or -DLAZY_ENOMEM.
 */
int module_found(struct dlazy_module *m, const char *path,
		 const struct file_identity *identity);

/* What the file behind it is; all 0: that is not known. */
struct file_identity module_identity(const struct dlazy_module *m);

/* Whether any module was ever declared by its file. */
bool module_has_files(void);

/* Whether no load of it has failed so far. */
bool module_is_new(const struct dlazy_module *m);

/* Whether its file was found, and not tried yet. */
bool module_is_fresh(struct dlazy_module *m);

/*
 * What the module's file is now, if it is another than the one that was known:
 * another inode, where the module is loaded. 0, or, with message, -DLAZY_EFORMAT, or
 * as dlazy_open() of that file.
 */
int module_read_replaced(struct dlazy_module *m, struct elf_view **ret,
			 struct file_identity *ret_identity);

/* Another spelling of its path, which the linker has not heard yet; kept for good.
 * Makes room for module_replace_locked(), too.
 * NULL, with message: out of memory. */
const char *module_respell(struct dlazy_module *m);

/* The module is that file from now on, which the linker is told of by `object`; takes
 * the view, and leaves its own to be closed. */
void module_replace_locked(struct dlazy_module *m, const char *object,
			   struct elf_view **view,
			   const struct file_identity *identity);

/* If what is at its path now is new, that is what will be loaded, also if it has
 * gone by then (held.h). If it cannot be had it is done without. */
void module_hold(struct dlazy_module *m);

/* Is that not needed any more? It is loaded, or nobody has it. */
void module_release(struct dlazy_module *m);

/* Whether its path is another file's by now, or none's, and the module stays what it
 * was: loaded, or held. */
bool module_is_left_by_file(const struct dlazy_module *m);

/* It was opened as what a search had: that is its path from now on. */
void module_opened_as_locked(struct dlazy_module *m, const char *object);

/* The path as the linker is told. */
const char *module_object(const struct dlazy_module *m);

/* Sets or (fn NULL) takes away the failure hook of the object with that code. 0
 * or -DLAZY_ENOMEM. */
int module_set_hook(struct dlazy_module *m, dlazy_failure_fn *fn, void *data,
		    const void *by);

/* What an object (dl_object()) gave, new or not: *fresh is taken if it is new.
 * NULL: there was none, and no *fresh. */
struct opener *module_opener_locked(struct dlazy_module *m, const void *object,
				    struct opener **fresh);

/* The one to ask about a call by code in `object`: its own, else the latest;
 * NULL: none. */
const struct opener *module_hook_locked(const struct dlazy_module *m,
					const void *object);

/* Pointers of the host are left alone from now on: those at `address`, or,
 * address NULL, those of an object. They go to a list that is to be freed without
 * the lock. */
void module_forget_imports_locked(struct dlazy_module *m, const void *object,
				  void *const *address, struct import **ended);
void module_free_imports(struct import **ended);

/* Whether it is a handle that is valid now; any pointer may be asked about. */
bool module_is_valid(const struct dlazy_module *m);

/* Whether somebody has the module of that file open. */
bool module_is_open(const struct file_identity *identity);

/* Whether it is or was one: never a handle of the linker's. */
bool module_is_known(const struct dlazy_module *m);

/* Counts what may make another answer of a module: each change of one's state or
 * contents, each close. */
unsigned module_changes(void);

/* The same as module_is_valid(), as a public function's first line: 0 or -DLAZY_EINVAL. */
int module_check(const struct dlazy_module *m, const char *function);

/* One open by code at that address has succeeded: its flags count from now on, also
 * for what this object asks later. */
void module_confirm_open(struct dlazy_module *m, int flags, const void *by);

/* The flags of dlopen that a touch by code in `object` asks for: its own, or those
 * of all. */
int module_flags_locked(const struct dlazy_module *m, const void *object);

/* Whether dlazy_sym() loads, for code in that object. */
bool module_is_on_sym_locked(const struct dlazy_module *m, const void *object);

/* Takes one open back that has not succeeded, with its flags. What an earlier one
 * was promised stays. */
void module_undo_open(struct dlazy_module *m, const void *by);

/* Ends one open, by code at that address; 0 or -DLAZY_EINVAL. */
int module_close(struct dlazy_module *m, const void *by);
void module_return(struct dlazy_module *m); /* ends one borrow */

/*
 * Looks an export up in the module's own file. A catalog's "not there" is
 * checked against the file. 0, -DLAZY_ENOSYM, or the status of reading the file.
 */
int module_find_export(struct dlazy_module *m, const char *name,
		       const char *version, struct module_export *ret);

/* The same in what was read already. */
bool module_find_known_locked(const struct dlazy_module *m, const char *name,
			      const char *version, struct module_export *ret);

/* Whether it exports a function or an object of that name; a built-in has no
 * symbols for the linker. */
bool module_defines(struct dlazy_module *m, const char *name,
		    const char *version);

/* Whether its file has that SONAME. */
bool module_has_soname(struct dlazy_module *m, const char *soname);

/* Makes sure that record or view are of the file as it is now; identity,
 * undiscardable follow. 0 or a status. */
int module_refresh(struct dlazy_module *m);

/*
 * Makes room in a map that load_lock guards, without the lock, under which
 * nothing is allocated in a first call: an interposed malloc() may make another.
 * false: no memory.
 */
bool module_make_room(struct map *map);

/* Whether the file is still the one behind record or view. */
bool module_is_current_locked(const struct dlazy_module *m);

/*
 * The legal moves (see enum dlazy_state): every change of state is one call of
 * this function, with load_lock held.
 */
void module_move_locked(struct dlazy_module *m, enum dlazy_state to);

/* fork(2). */
void module_fork_prepare(void);
void module_fork_done(void);
/*
 * To be called in the child of fork(2): modules that other threads were
 * loading cannot be used here, unless all of those threads were only waiting
 * for the linker.
 */
void module_after_fork(bool all_waited);

#endif
