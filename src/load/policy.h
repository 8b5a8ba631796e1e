/* SPDX-License-Identifier: MIT */
/*
 * Policies: whether a plugin is loaded at its first use, soon, at once, or never.
 * They come, the first that speaks, from: "never" of the system's files
 * (/etc/dlazy.d), the host, the file that DLAZY_POLICY names, the system's files,
 * the plugin's metadata.
 */
#ifndef LOAD_POLICY_H
#define LOAD_POLICY_H

#include "load/module.h"

struct policy_decision {
	int policy;    /* DLAZY_POLICY_LAZY to _NEVER */
	char by[1024]; /* who decided: "FILE:LINE", or words */
};

/*
 * Decides about a plugin. host: what the host says, DLAZY_POLICY_DEFAULT: nothing;
 * load: what its metadata say under that key, or NULL; program: whose sections
 * count, NULL: this one's. 0 or, with message, the state that kept a file from being
 * read.
 */
int policy_decide(const char *name, int host, const char *load,
		  const char *program, struct policy_decision *ret);

/* "lazy" and so on. */
const char *policy_word(int policy);

/* What files say of a module that is opened by its path, unless a host's filter has
 * spoken; DLAZY_POLICY_DEFAULT: there are none, or they cannot be read now. */
int policy_by_files(const struct dlazy_module *m);

/* A module is about to be loaded: 0, or -DLAZY_EPOLICY or a state, with message. */
int policy_check(const struct dlazy_module *m);

/* Whether that can say no: there are files that say anything, or that cannot be read
 * now, and it is a plugin. */
bool policy_is_needed(const struct dlazy_module *m);

/* Reads the files early, so that a later load depends less on the state of the
 * process; what fails is tried again. */
void policy_begin(void);

/* Where the system's files are, instead of /etc/dlazy.d: for tests. What was read
 * is forgotten. */
void policy_use_directory(const char *path);

#endif
