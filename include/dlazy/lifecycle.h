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
