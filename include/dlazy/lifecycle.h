/* SPDX-License-Identifier: MIT */
/*
 * The life of plugins in a running host: what changes in its directories, and what
 * is unloaded, reloaded and held.
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
