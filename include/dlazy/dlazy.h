/* SPDX-License-Identifier: MIT */
/*
 * dlazy - declare a thousand plugins, pay for the ones you touch.
 *
 * The dlopen family, made lazy. A module is declared by reading its ELF file,
 * or a catalog made from it earlier; nothing is opened by the dynamic linker,
 * mapped, relocated or run until one of its symbols is used. A function is
 * handed out as a stub: a real, callable address whose first call loads the
 * module, binds the symbol and goes on to it.
 *
 * A host needs eight functions:
 *
 *   r = dlazy_registry_new()              the plugins that it knows
 *   dlazy_registry_add_dir(r, DIR, 0)     those of a directory; loads nothing
 *   m = dlazy_registry_find(r, NAME)      one of them
 *   fn = dlazy_sym(m, SYMBOL)             a function of it: call it at any time
 *   dlazy_bind(m, IMPORTS, N)             the same for a table of pointers
 *   dlazy_load(m)                         now, instead of at the first call
 *   dlazy_error()                         why one of these failed
 *   dlazy_registry_free(r)
 *
 * Conventions that hold for every function here:
 *
 * - Results: pointers are NULL on failure, ints are 0 or a negated
 *   DLAZY_E... constant. The words are in dlazy_error().
 * - Threads: any function may be called from any thread, constructors of
 *   modules included. None is async-signal-safe. The first call of a stub is
 *   no cancellation point and may be made in a signal's handler, unless that
 *   has interrupted malloc() or dlopen(): use dlazy_load() before, and before
 *   sandboxes.
 * - Ownership: strings and arrays that are passed in are copied. Strings that
 *   come out belong to the library and live as long as it is said there.
 * - Handles: using one after its last dlazy_close() is an error that is
 *   reported (DLAZY_EINVAL), not a crash.
 */
#ifndef DLAZY_DLAZY_H
#define DLAZY_DLAZY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__) || defined(__clang__)
#define DLAZY_PUBLIC __attribute__((visibility("default")))
#define DLAZY_MUST_CHECK __attribute__((warn_unused_result))
#else
#define DLAZY_PUBLIC
#define DLAZY_MUST_CHECK
#endif

/* One plugin in the process: a handle, as dlopen's is. */
struct dlazy_module;

/* The plugins one host knows, by name. */
struct dlazy_registry;

/*
 * What can go wrong: X(NAME, number, text). Functions return the number
 * negated; DLAZY_NAME is the positive constant.
 */
#define DLAZY_STATUS_MAP(X)                             \
	X(EINVAL, 1, "invalid argument")                \
	X(ENOMEM, 2, "out of memory")                   \
	X(ENOENT, 3, "no such file or plugin")          \
	X(EFORMAT, 4, "not a usable ELF shared object") \
	X(EMACHINE, 5, "made for another machine")      \
	X(ENOSYM, 6, "no such symbol")                  \
	X(EDEPEND, 7, "a needed library is missing")    \
	X(ELOAD, 8, "the dynamic linker refused")       \
	X(EUNTRUSTED, 9, "not trusted")                 \
	X(EBUSY, 10, "not now")                         \
	X(EDEADLK, 11, "would wait for itself")         \
	X(ENOSYS, 12, "not available here")             \
	X(EIO, 13, "input or output error")             \
	X(EKIND, 14, "symbol of another kind")          \
	X(EINTERFACE, 15, "made for another interface") \
	X(ECANCELED, 16, "canceled")                    \
	X(EPENDING, 17, "not yet")                      \
	X(EPOLICY, 18, "a policy says no")

enum {
#define DLAZY_STATUS_ENUM(name, number, text) DLAZY_##name = (number),
	DLAZY_STATUS_MAP(DLAZY_STATUS_ENUM)
#undef DLAZY_STATUS_ENUM
};

/*
 * Flags of dlazy_open() and of what adds to a registry: any flag of dlopen(),
 * or 0 for RTLD_NOW | RTLD_LOCAL, or'ed with these. RTLD_GLOBAL implies
 * DLAZY_EAGER, as a later module may need its symbols.
 */
#define DLAZY_EAGER 0x01000000	 /* load at once, in dlazy_open() */
#define DLAZY_ON_SYM 0x02000000	 /* dlazy_sym() loads: real addresses */
#define DLAZY_DISCARD 0x04000000 /* dlazy_unload() really unmaps */
/* dlazy_open() and dlazy_registry_find() fail where dlazy_check() would.
 * Since: 0.2 */
#define DLAZY_CHECK 0x08000000
/* dlazy_registry_add_dir(), _add_path(): directories below, too, in the order of
 * their names; no symbolic links to directories. The names of their plugins are
 * paths then: "foo.lv2/foo". Since: 0.2 */
#define DLAZY_RECURSIVE 0x10000000

/*
 * Where a module stands:
 *
 *   DECLARED --first touch--> LOADING --ok--> LOADED --discard--> DECLARED
 *                                | fails
 *                                v
 *                             FAILED --the cause changed, dlazy_load--> LOADING
 *
 * LOADED is seen only after the module's constructors have returned.
 */
enum dlazy_state {
	DLAZY_DECLARED = 0,
	DLAZY_LOADING = 1,
	DLAZY_LOADED = 2,
	DLAZY_FAILED = 3
};

/* A function pointer of the host to be filled: see dlazy_bind(). */
struct dlazy_import {
	const char *symbol;    /* a function's name, or "name@VERSION" */
	void **address;	       /* the pointer; lives until dlazy_close() or
				  dlazy_unbind() */
	const char *signature; /* NULL, or as in dlazy_call(): lets CPUs that
				  have no assembly stubs be lazy too */
};

/* One symbol of a built-in module: see dlazy_registry_add_builtin(). */
struct dlazy_symbol {
	const char *name;
	void *address;
};

/*
 * What a failure hook is told. The strings and the struct are valid during
 * the call.
 */
#ifndef DLAZY_FAILURE /* <dlazy/stub.h> has it, too */
#define DLAZY_FAILURE
struct dlazy_failure {
	size_t size;		     /* of this struct, as the library has it */
	struct dlazy_module *module; /* that could not be loaded */
	const char *symbol;	     /* that was called */
	int status;		     /* a negated DLAZY_E... */
	const char *message;	     /* what was tried, what came back */
	const void *caller;	     /* the return address of the call */
	int *once;		     /* set to 1: the replacement is for this
					call only. Since: 0.2 */
};
#endif

/*
 * Called when a stub cannot reach its symbol, on the calling thread, with no
 * lock held. Returns a replacement: the address of a function of the same
 * type, to which this call and later ones go until the module can be
 * loaded; or NULL for the default: the process-wide hook if this was a
 * module's, else a message on standard error and abort().
 */
typedef void *dlazy_failure_fn(const struct dlazy_failure *failure, void *data);

enum dlazy_event_kind {
	DLAZY_EVENT_TOUCH = 1, /* first use of a symbol through its stub */
	DLAZY_EVENT_LOADING,   /* the dynamic linker is about to be asked */
	DLAZY_EVENT_LOADED,    /* the module is ready, constructors have run */
	DLAZY_EVENT_FAILED,    /* it could not be loaded; see status */
	DLAZY_EVENT_UNLOADED,  /* discarded; declared again */
	/* What dlazy_registry_refresh() has found. Since: 0.2 */
	DLAZY_EVENT_ADDED,   /* a plugin of that name is there now */
	DLAZY_EVENT_REMOVED, /* it is gone */
	DLAZY_EVENT_REPLACED /* its file is another */
};

/* What happened. The strings and the struct are valid during the call. */
struct dlazy_event {
	size_t size; /* of this struct, as the library has it */
	enum dlazy_event_kind kind;
	int status;		     /* 0, or a negated DLAZY_E... */
	struct dlazy_module *module; /* NULL: a plugin that nobody has asked
					for yet */
	const char *symbol;   /* that was touched, or NULL (dlazy_load) */
	const void *caller;   /* who touched it: a code address, or NULL */
	uint64_t time_ns;     /* CLOCK_MONOTONIC at the event, nanoseconds */
	uint64_t duration_ns; /* LOADED, FAILED: time in the dynamic linker and
				 in constructors; else 0 */
	struct dlazy_registry *registry; /* of ADDED, REMOVED, REPLACED; else
					    NULL. Since: 0.2 */
	const char *name; /* of the plugin, there; else NULL. Since: 0.2 */
};

/* Called on the touching thread, with no lock held. */
typedef void dlazy_event_fn(const struct dlazy_event *event, void *data);

/* ------------------------------------------------------------------ */
/* Modules                                                            */

/*
 * Declares the shared object `path`: reads its ELF file, loads nothing.
 *
 * A path with a slash is taken as it is; if it is no file and has $ORIGIN, $LIB
 * or $PLATFORM in it, these are expanded as dlopen() does for the object that
 * calls. A bare name is searched for at once, as dlopen() would for it: an
 * already loaded SONAME, that object's RPATH/RUNPATH, LD_LIBRARY_PATH,
 * ld.so.cache, the default directories. The dynamic linker is later asked for
 * the absolute path found.
 *
 * One file (device, inode) is one module, by whichever path, whatever its times
 * and mode: opening it again returns the same handle with one more reference. A
 * replaced file is a new module. One that was overwritten in place is read anew;
 * while its module is loaded it is refused, as what is mapped is neither the old
 * nor the new one.
 *
 * flags: see DLAZY_EAGER. Returns NULL and sets
 *   DLAZY_ENOENT    the file is absent (a needed library's absence is not
 *                   looked at, without DLAZY_CHECK; it shows at first touch,
 *                   and can heal)
 *   DLAZY_EFORMAT   not ELF, damaged, or not a shared object; overwritten
 *                   while it is loaded
 *   DLAZY_EMACHINE  of another class, byte order or machine
 *   DLAZY_EIO       could not be read
 *   DLAZY_EINVAL    path NULL or empty; an unknown flag
 *   and, with DLAZY_EAGER or RTLD_GLOBAL, what dlazy_load() can return; with
 *   DLAZY_CHECK, what dlazy_check() can.
 * Since: 0.1
 */
DLAZY_PUBLIC DLAZY_MUST_CHECK struct dlazy_module *dlazy_open(const char *path,
							      int flags);

/*
 * The address of an exported symbol of the module's own file: `symbol` for the
 * default version, "symbol@VERSION" for one version.
 *
 * A function (an IFUNC too) gives a stub: callable at once, the same for each
 * request, valid for the life of the process; its first call loads. An object,
 * a thread-local object, a symbol without type or a function of a variant
 * calling convention cannot be deferred: the module is loaded now and the
 * real address returned. With DLAZY_ON_SYM, or on a CPU without stubs, so it
 * is for all.
 *
 * Returns NULL and sets DLAZY_ENOSYM if the file does not export it (nothing is
 * loaded: asking is free), DLAZY_EINVAL, DLAZY_ENOMEM, or what dlazy_load()
 * sets where it had to load.
 * Since: 0.1
 */
DLAZY_PUBLIC void *dlazy_sym(struct dlazy_module *m, const char *symbol);

/*
 * As dlazy_sym(), but looks also, by reading, in the libraries that the file
 * needs: what dlsym() finds through a handle. What <dlazy/dlfcn.h> calls.
 * Since: 0.1
 */
DLAZY_PUBLIC void *dlazy_sym_closure(struct dlazy_module *m,
				     const char *symbol);

/*
 * Loads the module and returns exactly what dlsym() (for "symbol@VERSION",
 * dlvsym()) answers, its dependencies' symbols included. The host has a real
 * address from then on, so the module will not be discarded any more.
 *
 * Returns NULL and sets DLAZY_ENOSYM or what dlazy_load() sets. A symbol whose
 * value is legally NULL gives NULL with dlazy_error() NULL.
 * Since: 0.1
 */
DLAZY_PUBLIC void *dlazy_resolve(struct dlazy_module *m, const char *symbol);

/*
 * Loads the module now: before a sandbox, a signal handler, a hot path. Tries
 * again, too, what has failed before. Returns 0 or
 *   -DLAZY_EDEPEND  a library it needs is missing; the message says which
 *   -DLAZY_ELOAD    the dynamic linker refused otherwise; its words follow
 *   -DLAZY_ENOENT, -DLAZY_EFORMAT, -DLAZY_EMACHINE  the file has changed
 *   -DLAZY_EDEADLK  the module's constructor waits for this very thread
 *   -DLAZY_EBUSY    loading is forbidden now: see dlazy_forbid_loading()
 *   -DLAZY_EINVAL   not an open module
 * Since: 0.1
 */
DLAZY_PUBLIC int dlazy_load(struct dlazy_module *m);

/*
 * Would dlazy_load() succeed, as far as reading tells? Looked at are the file's
 * segments; the libraries that it needs, at any remove, and the versions that
 * they must have; the symbols that must be defined by these, by any object of
 * the process, or by a plugin of a registry that has the module. Of a module
 * opened with RTLD_LAZY, functions that are bound at their first call are not
 * asked for. Loads nothing, runs nothing.
 *
 * That all is well is remembered in the process, for as long as the files stay
 * as they are. What is wrong is looked at again at each call.
 *
 * Returns 0 (also if it is loaded), or what dlazy_load() would:
 *   -DLAZY_EDEPEND  a library is missing
 *   -DLAZY_ELOAD    a library is damaged, a version or a symbol is missing
 *   -DLAZY_ENOENT, -DLAZY_EFORMAT, -DLAZY_EMACHINE  the file itself
 *   -DLAZY_ENOMEM, -DLAZY_EIO  it cannot be told now
 *   -DLAZY_EINVAL   not an open module
 * A constructor can still fail. Since: 0.2
 */
DLAZY_PUBLIC int dlazy_check(struct dlazy_module *m);

/*
 * Asks for dlazy_load() to be done soon, by a thread of the library, and
 * returns at once. Who touches the module meanwhile waits for that load as for
 * any other thread's. Its constructors run on that thread; a failure is
 * remembered by the module.
 *
 * Returns 0 (also if it is loaded), -DLAZY_ENOMEM (no thread), -DLAZY_EBUSY
 * (loading is forbidden now), -DLAZY_EINVAL.
 * Since: 0.1
 */
DLAZY_PUBLIC int dlazy_prefetch(struct dlazy_module *m);

/*
 * Discards a module opened with DLAZY_DISCARD (by all that opened it): unmaps
 * it, and declares it again; its stubs stay callable and load it anew. With
 * the flag the host promises that, now, no call is in progress in the module
 * and nothing of it is kept but stubs. What requires it goes before it.
 *
 * Returns 0 (also if it was not loaded), -DLAZY_EINVAL, or -DLAZY_EBUSY with
 * the reason: opened without the flag, NODELETE, unique symbols, thread-local
 * storage, a load in progress, other references of the dynamic linker, a real
 * address given out; one that requires it cannot go, or an object of that stays
 * mapped after its reload.
 * Since: 0.1
 */
DLAZY_PUBLIC int dlazy_unload(struct dlazy_module *m);

/*
 * Drops one reference, and forgets the pointers that the calling object has
 * given to dlazy_bind(). After the last the handle is invalid, but stubs stay
 * callable and a loaded object stays mapped.
 *
 * Returns 0, or -DLAZY_EINVAL for what is not open, or is borrowed from a
 * registry.
 * Since: 0.1
 */
DLAZY_PUBLIC int dlazy_close(struct dlazy_module *m);

/* Where the module stands; DLAZY_FAILED for an invalid handle. Since: 0.1 */
DLAZY_PUBLIC enum dlazy_state dlazy_module_state(struct dlazy_module *m);

/*
 * The plugin's name: as first declared; by default the file name up to ".so".
 * Valid for the life of the process; NULL for an invalid handle. Since: 0.1
 */
DLAZY_PUBLIC const char *dlazy_module_name(struct dlazy_module *m);

/*
 * The absolute path of its file; "" for a built-in module. Valid for the life
 * of the process; NULL for an invalid handle. Since: 0.1
 */
DLAZY_PUBLIC const char *dlazy_module_path(struct dlazy_module *m);

/*
 * What the plugin says of itself, as a JSON object: what is in NAME.dlazy.json
 * beside NAME.so, and else what DLAZY_PLUGIN() of <dlazy/plugin.h> put into its
 * file, key by key. Read when it is asked for, as the files are then. Loads
 * nothing of the plugin (the first text that is met loads a module of this
 * library's own, for JSON).
 *
 * Returns UTF-8 that lives as long as the process, or NULL: dlazy_error() is
 * NULL if the plugin says nothing, else what is wrong (DLAZY_EFORMAT: not
 * usable, as it is no JSON, say; DLAZY_ENOSYS: this library was built without
 * jansson; DLAZY_EINVAL; or what kept the files from being read). Any thread.
 * Since: 0.2
 */
DLAZY_PUBLIC const char *dlazy_module_metadata(struct dlazy_module *m);

/*
 * One value of that. key: a key of the object ("name"), or a JSON Pointer
 * (RFC 6901), which begins with a slash: "/provides/0/id".
 *
 * Returns text, the digits of a number, "true" or "false", which live as long
 * as the process; NULL, with dlazy_error() NULL, where there is no such value,
 * or it is null, an object or an array; NULL as dlazy_module_metadata(). Any
 * thread. Since: 0.2
 */
DLAZY_PUBLIC const char *dlazy_module_property(struct dlazy_module *m,
					       const char *key);

#define DLAZY_READ_INITIAL 1 /* also what can be written to: its first value */

/*
 * Reads an exported object out of the module's file, as far as its bytes are
 * known without loading: a descriptor that holds no pointers, say. symbol: as
 * in dlazy_sym(). buf: gets the object's bytes, at most size; of an object
 * without bytes in the file, zeros. flags: 0 or DLAZY_READ_INITIAL. Loads
 * nothing.
 *
 * Returns how many bytes the object has, which may be more than size, or
 *   -DLAZY_ENOSYM  the file does not export it
 *   -DLAZY_EKIND   a function, or thread-local; an object that can be written
 *                  to (unless DLAZY_READ_INITIAL); one that relocations write
 *                  to, as it holds addresses; a built-in module's
 *   -DLAZY_EINVAL, or what dlazy_open() sets of a file that has changed
 * Any thread. Since: 0.2
 */
DLAZY_PUBLIC ptrdiff_t dlazy_read_constant(struct dlazy_module *m,
					   const char *symbol, void *buf,
					   size_t size, int flags);

/*
 * The version of this header, major * 10000 + minor * 100 + patch, and of the
 * library that is used, as text: "0.2.0". The text is constant. Since: 0.2
 */
#define DLAZY_VERSION 200
DLAZY_PUBLIC const char *dlazy_version(void);

/*
 * This thread's last message, then NULL until the next failure, as dlerror().
 * Valid until this thread's next call of a function of this library.
 * Since: 0.1
 */
DLAZY_PUBLIC const char *dlazy_error(void);

/*
 * The negated status of this thread's last failure, kept until its next one;
 * 0 if nothing has failed yet. Since: 0.1
 */
DLAZY_PUBLIC int dlazy_last_status(void);

/* ------------------------------------------------------------------ */
/* Registries                                                         */

/* A new, empty registry, or NULL and DLAZY_ENOMEM. Since: 0.1 */
DLAZY_PUBLIC DLAZY_MUST_CHECK struct dlazy_registry *dlazy_registry_new(void);

/*
 * Frees a registry (NULL is fine). The handles borrowed from it end with it;
 * stubs stay callable. Not to be called while another thread uses it.
 * Since: 0.1
 */
DLAZY_PUBLIC void dlazy_registry_free(struct dlazy_registry *r);

/*
 * Declares every plugin of a directory (not of those below it). With a fresh
 * catalog (DIR/dlazy.catalog, or one in the user's cache) the time taken is
 * constant, whatever the number of plugins; else the directory is scanned
 * and the cache written.
 *
 * flags: for each of its modules, see DLAZY_EAGER. Returns 0, -DLAZY_ENOENT,
 * -DLAZY_EIO, -DLAZY_ENOMEM or -DLAZY_EINVAL. A plugin that is not usable
 * fails nothing here: dlazy_registry_find() says why. With DLAZY_EAGER each
 * module is loaded; one that fails is FAILED and keeps its cause. So is one whose
 * metadata say "load": "eager", unless a policy says otherwise that comes before
 * (dlazy_registry_filter()); a thread of the library loads those that say
 * "prefetch".
 * Since: 0.1
 */
DLAZY_PUBLIC int dlazy_registry_add_dir(struct dlazy_registry *r,
					const char *dir, int flags);

/*
 * dlazy_registry_add_dir() for each directory of "A:B:C", as in LADSPA_PATH, in
 * that order. Empty parts, what is not there, and what stands in the path before
 * are passed over.
 *
 * Returns how many directories were added, or as dlazy_registry_add_dir();
 * those before the failure stay added. Since: 0.2
 */
DLAZY_PUBLIC int dlazy_registry_add_path(struct dlazy_registry *r,
					 const char *path, int flags);

/*
 * The host offers its plugins the interface NAME/major.minor. May be called for
 * several: other names, or other majors of one. From then on
 * dlazy_registry_find() refuses plugins whose metadata
 * (dlazy_module_metadata()) say "interface" with that name, and another major
 * or a later minor than any that is offered. Those that say nothing, or another
 * name, are as before.
 *
 * name is copied. Returns 0, -DLAZY_ENOMEM or -DLAZY_EINVAL. Since: 0.2
 */
DLAZY_PUBLIC int dlazy_registry_interface(struct dlazy_registry *r,
					  const char *name, unsigned major,
					  unsigned minor);

/*
 * Declares one file under a name of the host's choice (NULL: the file's own).
 * Returns 0 or what dlazy_open() sets. Since: 0.1
 */
DLAZY_PUBLIC int dlazy_registry_add_file(struct dlazy_registry *r,
					 const char *name, const char *path,
					 int flags);

/*
 * Declares a module that is linked into the host: n symbols with their
 * addresses, which must stay valid. It is LOADED from the start. Returns 0,
 * -DLAZY_EINVAL or -DLAZY_ENOMEM. Since: 0.1
 */
DLAZY_PUBLIC int dlazy_registry_add_builtin(struct dlazy_registry *r,
					    const char *name,
					    const struct dlazy_symbol *symbols,
					    size_t n);

/*
 * Whether the catalog that was there for a directory (as it was added) is used:
 * one that is fresh, whole, and of somebody who is trusted. Then its plugins'
 * files are read when they are needed, and not before.
 *
 * Returns 1 if so; 0 if its files had to be read, and dlazy_error() says why
 * (no catalog, not trusted, damaged, the directory has changed); -DLAZY_ENOENT
 * if it is no directory of the registry; -DLAZY_EINVAL. Since: 0.2
 */
DLAZY_PUBLIC int dlazy_registry_catalog_state(struct dlazy_registry *r,
					      const char *dir);

/* How many distinct names are declared; 0 for NULL. Since: 0.1 */
DLAZY_PUBLIC size_t dlazy_registry_count(struct dlazy_registry *r);

/*
 * The module of that name, borrowed: valid until dlazy_registry_free(), not to
 * be closed. What was added first wins. Loads nothing.
 *
 * Returns NULL and sets DLAZY_ENOENT, or what is wrong with the file of that
 * name (DLAZY_EFORMAT, DLAZY_EMACHINE, ...), or DLAZY_EINTERFACE: see
 * dlazy_registry_interface(). If it was added with DLAZY_CHECK, also what
 * dlazy_check() returns. Since: 0.1
 */
DLAZY_PUBLIC DLAZY_MUST_CHECK struct dlazy_module *dlazy_registry_find(
	struct dlazy_registry *r, const char *name);

/*
 * Walks the modules: NULL gives the first, the last gives NULL. Directories,
 * files and built-ins in the order in which they were added, the plugins of a
 * directory by name, bytewise; shadowed names, unusable files and further
 * names of one file are skipped. Borrowed, as from dlazy_registry_find().
 * Loads nothing. Since: 0.1
 */
DLAZY_PUBLIC DLAZY_MUST_CHECK struct dlazy_module *dlazy_registry_next(
	struct dlazy_registry *r, const struct dlazy_module *after);

/* ------------------------------------------------------------------ */
/* Binding, calling, watching                                         */

/*
 * Fills n function pointers of the host with stubs. When the module is loaded
 * each is overwritten with the real address, so that a call through it costs
 * what it costs with dlsym(). (Not so for DLAZY_DISCARD modules, whose
 * pointers stay stubs.) All or nothing.
 *
 * The pointers belong to the object (program or library) whose code calls this
 * function. When that object calls dlazy_close(), they stay as they are and are
 * not written to any more, whoever else has the module open. If it has opened
 * the module more than once, its first close does that for all of them. See
 * dlazy_unbind().
 *
 * Returns 0, or, with no pointer written, -DLAZY_ENOSYM, -DLAZY_EKIND (a data
 * symbol), -DLAZY_EINVAL, -DLAZY_ENOMEM, or what dlazy_load() returns where
 * no stub can be had and the module had to be loaded. Since: 0.1
 */
DLAZY_PUBLIC int dlazy_bind(struct dlazy_module *m,
			    const struct dlazy_import *imports, size_t n);

/*
 * Gives back pointers that were given to dlazy_bind() (symbol and signature are
 * not looked at): they are not written to any more when this has returned. What
 * they hold stays callable. Also of a module that is borrowed from a registry.
 * What was not bound is passed over.
 *
 * Returns 0 or -DLAZY_EINVAL. Since: 0.2
 */
DLAZY_PUBLIC int dlazy_unbind(struct dlazy_module *m,
			      const struct dlazy_import *imports, size_t n);

/*
 * Calls a function whose type is known only now, through libffi (which is
 * loaded by the first such call).
 *
 * signature: "ret(args)", each a letter: v void; b B 8, h H 16, i I 32, l L
 * long, q Q 64 bits, signed and unsigned; f float, d double, D long double;
 * p pointer; s string. '.' begins the variadic part: "i(s.id)".
 * ret: NULL for void, else an object of exactly the result's type.
 * args: args[k] points at the value of argument k.
 *
 * Returns 0, -DLAZY_EINVAL (signature), -DLAZY_ENOSYM, -DLAZY_EKIND (not a
 * function), -DLAZY_ENOSYS (no libffi module), or what dlazy_load() returns.
 * Since: 0.1
 */
DLAZY_PUBLIC int dlazy_call(struct dlazy_module *m, const char *symbol,
			    const char *signature, void *ret, void **args);

/*
 * Sets the failure hook of a module, or with m NULL of the process; fn NULL
 * takes it away. A module's hook belongs to the object whose code sets it, as
 * bound pointers do (dlazy_bind()), until that object's last dlazy_close(). A
 * call from an object that has set a hook asks that one; a call from any other
 * asks the one that was set last. Returns 0, -DLAZY_EINVAL or -DLAZY_ENOMEM.
 * Since: 0.1
 */
DLAZY_PUBLIC int dlazy_on_failure(struct dlazy_module *m, dlazy_failure_fn *fn,
				  void *data);

/*
 * Begins a phase of the program in which no module may be loaded, by any
 * thread: a sandbox, a loop that must not wait, or the life of a program whose
 * start-up is over. phase: its name, for messages (of 127 bytes at most; what
 * is longer is cut); NULL ends it. There is one at a time: a second begins in
 * place of the first, and phases do not nest.
 *
 * What is loaded stays usable, other functions of it included. What would load
 * fails with DLAZY_EBUSY, and words that name both who touched it and who
 * called this function: dlazy_load(), dlazy_resolve() and the like return that;
 * a stub goes the way of any failure (dlazy_on_failure()), so by default writes
 * it to standard error and aborts. A replacement that a hook returns holds for
 * that one call. The module stays as it was, and can be loaded when the phase
 * has ended. Observers are told (DLAZY_EVENT_FAILED). Loads that have begun go
 * on.
 *
 * The environment can forbid loads, too, until this function is first called,
 * with whatever argument: see DLAZY_FORBID and DLAZY_ALLOW in dlazy(3). Who
 * does not obey is aborted then, whatever it called.
 *
 * Returns 0, or -DLAZY_EINVAL for an empty name. Since: 0.1
 */
DLAZY_PUBLIC int dlazy_forbid_loading(const char *phase);

/*
 * Adds an observer of events; observers add up, also the same one twice.
 * Returns 0, -DLAZY_EINVAL or -DLAZY_ENOMEM. Since: 0.1
 */
DLAZY_PUBLIC int dlazy_observe(dlazy_event_fn *fn, void *data);

/*
 * Takes an observer away, once if it was added more often. A call of it that
 * another thread has begun may still be running afterwards. Returns 0, or
 * -DLAZY_ENOENT if there is none such. Since: 0.1
 */
DLAZY_PUBLIC int dlazy_unobserve(dlazy_event_fn *fn, void *data);

/*
 * Writes the ledger, which is kept if DLAZY_TRACE names a file in the
 * environment, as it is now: what was loaded, who touched it, what that cost,
 * what was never touched. path: where to; NULL: to that file, as at exit. The
 * file is replaced whole. Returns 0, -DLAZY_ENOENT if no ledger is kept,
 * -DLAZY_EIO or -DLAZY_ENOMEM. Since: 0.1
 */
DLAZY_PUBLIC int dlazy_trace_write(const char *path);

#ifdef __cplusplus
}
#endif

#endif /* DLAZY_DLAZY_H */
