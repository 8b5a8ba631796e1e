/* SPDX-License-Identifier: MIT */
/*
 * A registry: the plugins one host knows, by name. Its sources are
 * directories (each with its catalog), single files and built-ins; a module is
 * made of a directory's record when somebody asks for it by name, and not
 * before: declaring costs nothing per plugin.
 *
 * The public functions of the registry, for arguments that are checked.
 */
#ifndef REGISTRY_REGISTRY_H
#define REGISTRY_REGISTRY_H

#include "load/module.h"

struct document;

struct dlazy_registry *registry_new(void);
void registry_free(struct dlazy_registry *r);
int registry_add_dir(struct dlazy_registry *r, const char *dir, int flags,
		     const void *by);
int registry_add_file(struct dlazy_registry *r, const char *name,
		      const char *path, int flags, const void *by);
int registry_add_builtin(struct dlazy_registry *r, const char *name,
			 const struct dlazy_symbol *symbols, size_t n,
			 const void *by);
size_t registry_count(struct dlazy_registry *r);
struct dlazy_module *registry_find(struct dlazy_registry *r, const char *name);
/* The plugin of that name in one source; NULL, as registry_find(). */
struct dlazy_module *registry_find_in(struct dlazy_registry *r, size_t source,
				      const char *name);
/* Directories that have changed are scanned again (all: they are looked at for it;
 * else those that were found to be wrong). 1: some were; 0; or a state. */
int registry_look_again(struct dlazy_registry *r, bool all);
/* The host offers that interface. 0 or -DLAZY_ENOMEM. */
int registry_interface(struct dlazy_registry *r, const char *name,
		       unsigned major, unsigned minor);
/* 1: the catalog that was there for a directory (absolute path) is used; 0, with
 * message: why not; or -DLAZY_ENOENT: no directory of this registry. */
int registry_catalog_state(struct dlazy_registry *r, const char *dir);
struct dlazy_module *registry_next(struct dlazy_registry *r,
				   const struct dlazy_module *after);

/* Looks whether directories and files are as they were; what has changed is noted
 * (changes.h). 0, or, with message, the state that kept us from looking. */
int registry_look(struct dlazy_registry *r);

/* What a module's plugin says of itself: by the catalog of the registry that has
 * it, else by its files. As metadata_of_module(). */
int registry_metadata(struct dlazy_module *m, const struct document **ret);

/* As dlazy_registry_filter(), and what was set. */
void registry_filter(struct dlazy_registry *r, dlazy_policy_fn *fn, void *data);
dlazy_policy_fn *registry_filter_of(struct dlazy_registry *r, void **ret_data);

/*
 * A host may free a registry while this library uses it for something that the
 * host does not see: a first touch that looks for what is required, a cursor. Who
 * holds it can go on. It is cleared by the last holder then; nobody finds it any
 * more. In a child of fork(2) a registry that another thread held stays. registry_hold_locked() is for who has found it under registry_lock.
 */
struct dlazy_registry *registry_hold_locked(struct dlazy_registry *r);
void registry_release(struct dlazy_registry *r);

/* The registry that has a module and was made last; after one, which is released: the
 * next. It is held. NULL: no more. */
struct dlazy_registry *registry_that_has(const struct dlazy_module *m,
					 struct dlazy_registry *after);

/* The plugin of that name, or with that SONAME; NULL: there is none, or, with
 * message, a state. */
struct dlazy_module *registry_find_quietly(struct dlazy_registry *r,
					   const char *name);
struct dlazy_module *registry_find_soname(struct dlazy_registry *r,
					  const char *soname);
/* It was reloaded: the registries that have its path give it from now on, if they
 * have handed it out. */
void registry_reloaded(struct dlazy_module *m);

/* As dlazy_registry_quarantine(). */
int registry_quarantine(struct dlazy_registry *r, const char *file);

/* The flags that a module of this registry was added with. */
int registry_flags(struct dlazy_registry *r, const struct dlazy_module *m);

/* Does a registry that has `m` have a plugin that exports this symbol? A
 * load_check_elsewhere_fn. */
bool registry_defines(const struct dlazy_module *m, const char *symbol,
		      const char *version);

/* fork(2). */
void registry_fork_prepare(void);
void registry_fork_done(void);

#endif
