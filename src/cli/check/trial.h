/* SPDX-License-Identifier: MIT */
/*
 * Trials: plugins are loaded, each in a child process of its own with a
 * deadline, as many at a time as there are CPUs. Whatever a constructor does
 * (crash, hang, exit) it does to that child.
 */
#ifndef CLI_CHECK_TRIAL_H
#define CLI_CHECK_TRIAL_H

#include "cli/check/subject.h"

/* Called as trials end, for a progress bar. */
typedef void trial_progress_fn(size_t done, size_t all, void *data);

/*
 * Loads each subject that reading found nothing against which would make the
 * dynamic linker refuse it, and notes what came of it. seconds: the deadline of
 * each. 0, or -DLAZY_EIO with message (no child can be had).
 */
int trial_each(struct subject *subjects, size_t count, unsigned seconds,
	       trial_progress_fn *progress, void *data);

#endif
