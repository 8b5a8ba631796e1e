/* SPDX-License-Identifier: MIT */
/*
 * Probes: one module for each family of plugins, which knows how a plugin of it
 * is asked what it is. A child process of `dlazy scan` loads the module through
 * dlazy, and calls it for plugin after plugin (src/cli/probe/); it may crash or
 * hang there.
 *
 * Each exports exactly dlazy_probe_family(). (A host's own probe exports
 * dlazy_probe(), which is given the handle alone: doc/man/dlazy.1.)
 */
#ifndef PROBE_PROBE_H
#define PROBE_PROBE_H

#define PROBE_ENTRY "dlazy_probe_family"

/* A plugin that is asked. */
struct probe_plugin {
	const char *path; /* absolute */
	void *handle;	  /* of dlopen; NULL: the family is asked without */
	/* dlsym; NULL: it has no such symbol */
	void *(*symbol)(void *handle, const char *name);
};

/* malloc'd JSON text: an object of metadata; NULL: it is none of the family, or,
 * with errno ENOMEM, there is no memory. Of a family that is asked without a handle
 * errno 0 is the former, any other what could not be read. */
typedef char *probe_family_fn(const struct probe_plugin *plugin);

__attribute__((visibility("default"))) char *dlazy_probe_family(
	const struct probe_plugin *plugin);

#endif
