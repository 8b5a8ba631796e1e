/* SPDX-License-Identifier: MIT */
/*
 * Sources that are not what the registry has of them any more are scanned again.
 */
#ifndef REGISTRY_RESCAN_H
#define REGISTRY_RESCAN_H

#include "registry/source.h"

/* How much of a source is compared with what is there now. */
enum compare {
	COMPARE_NOTHING,   /* it is refreshed if it is in doubt */
	COMPARE_DIRECTORY, /* what was added, and what was removed */
	COMPARE_ALL,	   /* and files that were bad */
	COMPARE_FILES,	   /* and each file with what was known of it */
};

/* How often a source may turn out to be wrong again while it is looked at. */
#define RESCANS_MAX 4

/* All of its sources; 1 if one of them has a new catalog; 0; or, with message, a
 * state that kept us from looking. */
int rescan_all(struct dlazy_registry *r, enum compare compare);

/* Whether a file that the catalog has as bad is so still. One that could not be read
 * then has no identity: it is in doubt each time. */
bool rescan_is_bad_still(int dirfd, const struct record *bad);

#endif
