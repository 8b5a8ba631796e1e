/* SPDX-License-Identifier: MIT */
/*
 * What ledgers tell of the plugins of each program: in how many runs each was
 * touched early, how many forked children loaded it themselves, and what loading it
 * took. From that follows a policy.
 */
#ifndef CLI_POLICY_EVIDENCE_H
#define CLI_POLICY_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>

/* Touched so soon after the library's first use, a plugin is part of the start. */
#define EVIDENCE_EARLY_US 1e6

struct evidence_plugin {
	char *name;
	size_t runs;	  /* that touched it early */
	size_t children;  /* that loaded it themselves */
	double load_us;	  /* what that took, at most */
	double first_us;  /* when it was touched, at the earliest */
	double child_us;  /* what it took all children together */
	double child_kib; /* pages of their own that it cost all of them */
	size_t ledger;	  /* the last one that counted it */
};

struct evidence_program {
	char *name; /* base name */
	size_t runs, children;
	struct evidence_plugin *plugins; /* in the order they were met */
	size_t count, room;
};

struct evidence {
	struct evidence_program *programs;
	size_t count, room;
	size_t ledgers;
};

/* Takes one ledger's text, valid JSON. 0, or a negated status with message:
 * DLAZY_EFORMAT if it says nothing on what is touched, DLAZY_ENOMEM. */
int evidence_add(struct evidence *e, const char *path, const char *text);

/* DLAZY_POLICY_PREFETCH or _EAGER, or _LAZY: none need be said. */
int evidence_policy(const struct evidence_program *program,
		    const struct evidence_plugin *plugin);

/* What that should save: microseconds of waiting at the first touch, or, of what
 * children load, of all children but one. */
double evidence_gain(const struct evidence_plugin *plugin);

/* Whether children are why. */
bool evidence_is_forked(const struct evidence_plugin *plugin);

void evidence_clear(struct evidence *e);

#endif
