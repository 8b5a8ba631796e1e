/* SPDX-License-Identifier: MIT */
/* Jobs (<dlazy/job.h>), for arguments that are checked. */
#ifndef REGISTRY_JOB_H
#define REGISTRY_JOB_H

#include <dlazy/job.h>

/* caller: the code address of who asks. */
struct dlazy_job *job_start(struct dlazy_module *const *m, size_t n, int flags,
			    const void *caller);
int job_fd(struct dlazy_job *j);
ptrdiff_t job_next(struct dlazy_job *j, int *ret_status);
int job_raise(struct dlazy_job *j, size_t i);
void job_free(struct dlazy_job *j);

/* Once, before all else here. */
void job_begin(void);

/* In the child of fork(2): there are no workers. */
void job_after_fork(void);

#endif
