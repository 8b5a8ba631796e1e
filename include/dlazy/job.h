/* SPDX-License-Identifier: MIT */
/*
 * Loading while the program goes on: a job loads several modules on a thread of
 * the library, and gives each result as it comes, for poll loops.
 *
 *	struct dlazy_job *j = dlazy_load_async(modules, n, 0);
 *	... poll dlazy_job_fd(j) for POLLIN ...
 *	while ((i = dlazy_job_next(j, &status)) >= 0)
 *		use(modules[i], status);
 *	if (i == -DLAZY_ENOENT)
 *		dlazy_job_free(j);
 *
 * Conventions are those of <dlazy/dlazy.h>.
 */
#ifndef DLAZY_JOB_H
#define DLAZY_JOB_H

#include <dlazy/dlazy.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Modules that are being loaded. */
struct dlazy_job;

/* A flag of dlazy_load_async(): read the files, load nothing. Since: 0.2 */
#define DLAZY_WARM 0x20000000

/*
 * Begins to load n modules, in that order, as dlazy_load() does, on a thread of
 * the library, and returns at once. A touch of one of them meanwhile waits for
 * that load alone. m is copied; the modules are to stay open until the job is
 * freed. A module that is closed (with its registry, say) before its turn is
 * not loaded: -DLAZY_ECANCELED.
 *
 * flags: 0; or DLAZY_WARM: the pages of the modules' files, and of the libraries
 * they need and the process does not have, are read into the page cache, several
 * files at once. Nothing of them is mapped or runs, and no state changes; a load
 * that follows does not wait for the disk.
 *
 * Returns NULL and sets DLAZY_EINVAL (an unknown flag, a module that is not
 * open), DLAZY_ENOMEM (also: no thread) or DLAZY_EIO (no descriptor).
 * Since: 0.2
 */
DLAZY_PUBLIC DLAZY_MUST_CHECK struct dlazy_job *dlazy_load_async(
	struct dlazy_module *const *m, size_t n, int flags);

/*
 * A descriptor for poll(): readable while a result waits to be taken by
 * dlazy_job_next(), and when all were. It is the job's, is not to be read from,
 * and is closed by dlazy_job_free(). Returns it, or -DLAZY_EINVAL. Since: 0.2
 */
DLAZY_PUBLIC int dlazy_job_fd(struct dlazy_job *j);

/*
 * Takes the next result: the index of a module that is finished, in the order in
 * which they finish, each once. ret_status (may be NULL) gets what dlazy_load()
 * would have returned; the words of a failure are then those of dlazy_error(),
 * on this thread. Never waits.
 *
 * Returns the index, -DLAZY_EPENDING (none is finished that was not taken),
 * -DLAZY_ENOENT (all were taken) or -DLAZY_EINVAL. Any thread. Since: 0.2
 */
DLAZY_PUBLIC ptrdiff_t dlazy_job_next(struct dlazy_job *j, int *ret_status);

/*
 * Has the module of that index come next, before all that have not begun. Returns
 * 0 (also where it has begun) or -DLAZY_EINVAL. Any thread. Since: 0.2
 */
DLAZY_PUBLIC int dlazy_job_raise(struct dlazy_job *j, size_t i);

/*
 * Ends a job (NULL is fine). What has not begun is canceled: its module stays as
 * it is. Waits for a load in progress, but not from within a constructor or a
 * function that a load calls, which that load may be waiting for. Not to be
 * called while another thread uses the job.
 *
 * In a child of fork(2), what was not finished is -DLAZY_ECANCELED; the child
 * frees its own copy of the job. Since: 0.2
 */
DLAZY_PUBLIC void dlazy_job_free(struct dlazy_job *j);

#ifdef __cplusplus
}
#endif

#endif /* DLAZY_JOB_H */
