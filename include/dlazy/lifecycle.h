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
 * lazy. See dlazy-demand(3) for the files.
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
 * refresh, or since it was added: `registry` and `name` say which, and `module`
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

#ifdef __cplusplus
}
#endif

#endif /* DLAZY_LIFECYCLE_H */
