/* SPDX-License-Identifier: MIT */
/*
 * The life of plugins in a running host: what happens around a load, what changes
 * in its directories, and what is unloaded, reloaded and held.
 *
 * Conventions are those of <dlazy/dlazy.h>.
 */
#ifndef DLAZY_LIFECYCLE_H
#define DLAZY_LIFECYCLE_H

#include <dlazy/dlazy.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------ */
/* On demand                                                          */

/*
 * Called after a load of m: its constructors have run, and no call but this
 * function's own goes in yet. Returns 0, or a negated DLAZY_E...: the load has
 * failed then, with that status.
 */
typedef int dlazy_load_fn(struct dlazy_module *m, void *data);

/*
 * Has fn called after each load of the module, once, on the thread that loads
 * it and with no lock held; until it has returned 0 the module is not LOADED and
 * other threads' calls wait. What fn itself calls of the module goes in. Where
 * the module is loaded already (DLAZY_EAGER, say, or a policy), fn is called at
 * once, on this thread.
 *
 * A function belongs to the object whose code sets it, as failure hooks do
 * (dlazy_on_failure()): setting another takes its place, fn NULL takes it away,
 * and so does that object's last dlazy_close(). Several objects' functions are
 * called one after the other; the first that fails ends that. A failed load is
 * remembered as any other is: dlazy_load() tries again.
 *
 * fn may throw, as constructors may; the module is unusable then. Built-in
 * modules are loaded from the start.
 *
 * Returns 0, -DLAZY_EINVAL, -DLAZY_ENOMEM, or what fn returned if it was called
 * at once. Any thread. Since: 0.2
 */
DLAZY_PUBLIC int dlazy_on_load(struct dlazy_module *m, dlazy_load_fn *fn,
			       void *data);

#define DLAZY_WHILE_LOADING 1 /* also while it is being loaded */

/*
 * Has functions of `other` (a built-in, say) called in the place of m's: where m
 * cannot be loaded, a call of one of its stubs goes to the function of the same name
 * in `other`, which is loaded for that if need be. When m can be loaded (a missing
 * library is there), a later call finds that out. This comes before any failure
 * hook; where `other` lacks the function, or cannot be loaded itself, hooks are
 * asked as ever.
 *
 * flags: 0; or DLAZY_WHILE_LOADING: the caller never waits. `other` is loaded now.
 * A first touch of m has it loaded by a thread of the library and goes to `other` at
 * once, and so do calls until m is LOADED; those after that go to m. If the load
 * fails they stay with `other`, until dlazy_load() succeeds. A function of `other`
 * that is an IFUNC is not called meanwhile: that caller waits.
 *
 * There is one fallback for each module: the last that was set; other NULL takes it
 * away. `other` stays loaded, as its functions may be called at any time.
 *
 * Returns 0, -DLAZY_EINVAL (m and other are one, an unknown flag, not open), or,
 * with DLAZY_WHILE_LOADING, what dlazy_load(other) returns, or -DLAZY_ENOMEM (no
 * thread). Any thread. Since: 0.2
 */
DLAZY_PUBLIC int dlazy_fallback(struct dlazy_module *m,
				struct dlazy_module *other, int flags);

/*
 * The plugin of a registry that provides an id best: of those whose metadata have it
 * under "provides", that of the highest rank which passes dlazy_check(), and no
 * policy forbids; of equal ones, the one that was added first. Loads nothing, but
 * with DLAZY_EAGER, where it is the best that can be loaded, and is.
 *
 * flags: 0 or DLAZY_EAGER. ret_symbol (may be NULL): gets the symbol that the plugin
 * names for the id, which lives as long as the process, or NULL.
 *
 * Returns a borrowed module, as dlazy_registry_find(), or NULL and sets DLAZY_ENOENT
 * (no plugin provides it), DLAZY_EINVAL, DLAZY_ENOMEM, DLAZY_EIO, or what is wrong
 * with the best; dlazy_error() has what is wrong with each, and its "hint".
 * Any thread. Since: 0.2
 */
DLAZY_PUBLIC DLAZY_MUST_CHECK struct dlazy_module *dlazy_registry_provider(
	struct dlazy_registry *r, const char *id, int flags,
	const char **ret_symbol);

#define DLAZY_POLICY_DEFAULT 0	/* nothing is said */
#define DLAZY_POLICY_LAZY 1	/* loaded by the first touch */
#define DLAZY_POLICY_PREFETCH 2 /* a thread of the library loads it */
#define DLAZY_POLICY_EAGER 3	/* loaded at once */
#define DLAZY_POLICY_NEVER 4	/* not loaded: -DLAZY_EPOLICY */

/* What is to be done with a module: one of these. Called without a lock. */
typedef int dlazy_policy_fn(struct dlazy_module *m, void *data);

/*
 * Has fn asked by each dlazy_registry_find() of a registry; fn NULL ends that. Who
 * decides is the first that speaks: "never" in a file of /etc/dlazy.d; this function,
 * and then the flags of what was added (DLAZY_EAGER); the file that DLAZY_POLICY in the
 * environment names; /etc/dlazy.d; "load" in the plugin's metadata; else it is
 * lazy. What a directory's catalog lists as eager or prefetch is loaded when the
 * directory is added: a filter that is to speak of these is set before. See
 * dlazy-demand(3) for the files.
 *
 * Returns 0 or -DLAZY_EINVAL. Any thread. Since: 0.2
 */
DLAZY_PUBLIC int dlazy_registry_filter(struct dlazy_registry *r,
				       dlazy_policy_fn *fn, void *data);

/* ------------------------------------------------------------------ */
/* Changes of directories                                             */

/*
 * Looks at what was added to the registry: directories that have changed, and files.
 * Observers (dlazy_observe()) are told of each plugin that is new
 * (DLAZY_EVENT_ADDED), gone (_REMOVED) or another file (_REPLACED) since the last
 * refresh, or since it was added (with DLAZY_RECURSIVE also in directories that are
 * new below it): `registry` and `name` say which, and `module`
 * is what the registry has handed out under that name, or NULL. A file that is
 * no usable plugin is none; a name that an earlier directory has, too, changes
 * nothing. Loads nothing, unloads nothing, and keeps handles valid: see
 * dlazy_reload().
 *
 * Returns how many changes were told, or -DLAZY_EINVAL, or what kept it from
 * looking (-DLAZY_EIO, -DLAZY_ENOMEM); those found are told by the next one then.
 * Any thread; a walk (dlazy_registry_next()) goes on behind where it stands: it
 * shows each plugin that stays once, new ones if they come later by name, and none
 * that is gone. Since: 0.2
 */
DLAZY_PUBLIC int dlazy_registry_refresh(struct dlazy_registry *r);

/*
 * A descriptor for poll(): readable when a refresh is due, as something has changed
 * in one of the directories. It is the registry's, the same at each call, closed
 * by dlazy_registry_free(), and is not to be read from: dlazy_registry_refresh()
 * empties it. Directories that are added later are watched, too.
 *
 * Returns the descriptor, or -DLAZY_EIO (the limit of inotify instances or
 * watches, file descriptors), -DLAZY_ENOSYS, -DLAZY_ENOMEM, -DLAZY_EINVAL.
 * Since: 0.2
 */
DLAZY_PUBLIC int dlazy_registry_watch(struct dlazy_registry *r);

/* ------------------------------------------------------------------ */
/* Reloading                                                          */

/*
 * The module becomes what its path is now: a plugin that was built anew, while the
 * host runs. The path must be another file (written beside the old one and renamed
 * over it): what is overwritten in place changes the code that runs.
 *
 * If it is loaded, the new object is loaded beside the old one, after what its file
 * requires. When its constructors have run, and functions of dlazy_on_load(), stubs
 * and bound pointers go to it, all in one step, also those of other plugins that
 * bound them by this library; calls in progress finish in the old object. That is unmapped only if every opener gave DLAZY_DISCARD (with
 * which the host promises what dlazy_unload() asks for), no pin is held and no real
 * address was given out. Else it stays, with its data: what dlazy_sym() and
 * dlazy_resolve() gave of objects and real addresses goes on to work, in the old
 * one. So does one with thread-local storage or unique symbols (STB_GNU_UNIQUE,
 * which the new one shares). What stays although every opener gave DLAZY_DISCARD is
 * told: the result is 0, and dlazy_error() says why.
 *
 * If it is not loaded, its next touch loads the new file; if that has failed before,
 * it is loaded now. dlazy_registry_find() of its name and later opens of the path
 * give this module. A symbol that the new file does not have fails at its call.
 * The library of stubs (NAME_module() of `dlazy stub`) is reloaded like a plugin.
 *
 * Returns 0, or, with nothing changed,
 *   -DLAZY_EFORMAT  the path is the same file as before, or no shared object
 *   -DLAZY_EBUSY    an object that is loaded needs it (DT_NEEDED); it is built in,
 *                   or a library that `dlazy run` made lazy; a load of it is in
 *                   progress; its file changed meanwhile; loading is forbidden now
 *   -DLAZY_EINVAL   not an open module
 *   or what dlazy_load() returns of the new file.
 * Any thread. Since: 0.2
 */
DLAZY_PUBLIC int dlazy_reload(struct dlazy_module *m);

/* ------------------------------------------------------------------ */
/* Residency                                                          */

/*
 * How many plugin files of the registry may be loaded, and how many bytes of address
 * space they may take together; 0: any. Evicts nothing: dlazy_registry_trim() does.
 *
 * From then on each load has the stubs of other modules that were opened with
 * DLAZY_DISCARD look once more where to go at their next call, so that it is seen
 * which are in use. Returns 0 or -DLAZY_EINVAL. Any thread. Since: 0.2
 */
DLAZY_PUBLIC int dlazy_registry_limit(struct dlazy_registry *r, size_t modules,
				      uint64_t bytes);

#define DLAZY_TRIM_PAGES 1 /* nothing is unmapped; no promise is needed */

/*
 * Discards modules until the limits hold, those first that were used least recently,
 * by a load, a first call or a pin. With this call the host promises, of every
 * module of the registry that is not pinned and that all who opened it gave
 * DLAZY_DISCARD, what dlazy_unload() asks for: no call is in progress in it, and
 * nothing of it is kept but stubs. What dlazy_unload() would refuse stays.
 *
 * flags: 0, or DLAZY_TRIM_PAGES: nothing is discarded, whatever the limits; pages of
 * modules that were not used since the last such call (the first time: of all that
 * are not pinned) that are read-only, and as their file has them, are given back to
 * the kernel. The next access reads them again. Nothing is done in a process that is
 * traced.
 *
 * Returns how many modules were discarded (or gave pages back), -DLAZY_ENOMEM or
 * -DLAZY_EINVAL. Any thread. Since: 0.2
 */
DLAZY_PUBLIC int dlazy_registry_trim(struct dlazy_registry *r, int flags);

/*
 * Keeps the module from being discarded, by dlazy_registry_trim(), dlazy_unload() or
 * dlazy_reload(), until dlazy_unpin(); counted. A pin covers a call: threads that call
 * plugins between the two need no promise about calls while another trims. Loads
 * nothing. Takes no lock, but the first time that a module is pinned.
 *
 * Returns 0, or -DLAZY_EINVAL: not an open module; not pinned. Any thread.
 * Since: 0.2
 */
DLAZY_PUBLIC int dlazy_pin(struct dlazy_module *m);
DLAZY_PUBLIC int dlazy_unpin(struct dlazy_module *m);

/* ------------------------------------------------------------------ */
/* Quarantine                                                         */

/*
 * Refuses plugins that a host has died of. From now on a marker is written into `file`
 * (made if need be; its directory must exist) before a plugin of this registry is
 * loaded, and taken out after. A load whose process died in it leaves its marker: that
 * plugin fails with -DLAZY_EPOLICY, in this process and in later ones, until its file
 * changes or `file` is removed. Several processes may share it. What is not a whole
 * marker, as a power cut may leave it, counts for nothing.
 *
 * A process that ends by exit() while another thread loads has not died of that load.
 * One that was killed in the middle, by whomever, cannot be told from one that died.
 *
 * Observers are told of each plugin that is refused now: DLAZY_EVENT_FAILED with
 * status -DLAZY_EPOLICY, `registry` and `name`; `module` may be NULL. Returns 0, or
 * -DLAZY_EINVAL, -DLAZY_ENOMEM, or why the file cannot be used (-DLAZY_EIO,
 * -DLAZY_ENOENT). A marker that cannot be written fails the load. Since: 0.2
 */
DLAZY_PUBLIC int dlazy_registry_quarantine(struct dlazy_registry *r,
					   const char *file);

/* ------------------------------------------------------------------ */
/* Sealing                                                            */

/*
 * For a host that has loaded all that it needs, before it takes privileges or system
 * calls from itself. For good, and in all threads: nothing more is loaded, unloaded,
 * reloaded or trimmed, and the tables of stubs are read-only (and cannot be mapped
 * otherwise where the kernel has mseal, Linux 6.10). What is loaded stays usable, also
 * functions of it that were not called yet; dlazy_sym() of one that was not asked for
 * before gives its real address. Pointers of dlazy_bind() are the host's, and stay as
 * they are. A touch of what is not loaded fails as in a phase of
 * dlazy_forbid_loading(), with words that name who touched it and who sealed; a
 * replacement of a hook is for that one call.
 *
 * Loads and unloads of other threads that have begun are waited for, for ten seconds
 * at most; what such a load needs is loaded, too. Calls of stubs of what is loaded do
 * not make a system call afterwards. Returns 0 (also the second time), or, with
 * nothing changed, -DLAZY_EBUSY (this thread is loading or unloading a module, or
 * another does not end), -DLAZY_ENOMEM. Any thread. Since: 0.2
 */
DLAZY_PUBLIC int dlazy_seal(void);

#ifdef __cplusplus
}
#endif

#endif /* DLAZY_LIFECYCLE_H */
