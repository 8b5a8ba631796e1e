/* SPDX-License-Identifier: MIT */
/*
 * A job's items go through these states, and are in the job's array all the time:
 *
 *   WAITING --a worker takes it--> BEGUN --> FINISHED --job_next()--> TAKEN
 *
 * All of it is under load_lock, which is not held over a load. A job that loads
 * has one worker, as the dynamic linker loads one object at a time; one that
 * warms has several. The last worker to go frees a job whose host could not wait
 * for it.
 *
 * The descriptor is an eventfd: it is readable exactly while there is something
 * that dlazy_job_next() would not call pending. A child of fork(2) shares it with
 * its parent, so the child puts one of its own in its place.
 */
#include "registry/job.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/event.h"
#include "base/hash.h"
#include "base/lock.h"
#include "base/map.h"
#include "elf/search.h"
#include "elf/warm.h"
#include "load/dl.h"
#include "load/load.h"
#include "load/loading.h"
#include "registry/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define WARMERS_MAX 4
#define WAIT_NS UINT64_C(1000000000)

enum item_state { ITEM_WAITING, ITEM_BEGUN, ITEM_FINISHED, ITEM_TAKEN };

struct item {
	struct dlazy_module *module;
	enum item_state state;
	int status;
	char *message; /* of a failure; NULL: no memory for it */
};

struct dlazy_job {
	struct dlazy_job *next; /* of all jobs */
	struct item *items;
	size_t count;
	size_t *order; /* of indexes: those that wait, from `begun` on */
	size_t begun;
	size_t *finished; /* of indexes, as they finish */
	size_t finished_count, taken;
	const void *caller;
	struct map warmed; /* hash of a path that was read -> the job */
	int flags;
	int fd;
	bool readable;
	bool canceled;	/* nothing more begins */
	bool abandoned; /* the last worker frees it */
	unsigned workers;
};

static struct dlazy_job *jobs; /* under load_lock */
static pthread_cond_t workers_changed;

/* The job that this thread works for. */
static _Thread_local const struct dlazy_job *own_job
	__attribute__((tls_model("initial-exec")));

void job_begin(void)
{
	lock_condition_init(&workers_changed);
}

/* ------------------------------------------------------------------ */
/* Results                                                            */

static void set_readable_locked(struct dlazy_job *j)
{
	bool now = j->finished_count > j->taken || j->taken == j->count;
	uint64_t one = 1;

	if (now == j->readable)
		return;
	if (now && write(j->fd, &one, sizeof(one)) < 0)
		return;
	if (!now && read(j->fd, &one, sizeof(one)) < 0)
		return;
	j->readable = now;
}

static void finish_locked(struct dlazy_job *j, size_t i, int status,
			  char *message)
{
	j->items[i].state = ITEM_FINISHED;
	j->items[i].status = status;
	j->items[i].message = message;
	j->finished[j->finished_count++] = i;
	set_readable_locked(j);
}

ptrdiff_t job_next(struct dlazy_job *j, int *ret_status)
{
	_cleanup_free_ char *message = NULL;
	size_t i;
	int status;
	{
		LOCKED(&load_lock);
		if (j->taken == j->finished_count)
			return j->taken == j->count ? -DLAZY_ENOENT
						    : -DLAZY_EPENDING;
		i = j->finished[j->taken++];
		j->items[i].state = ITEM_TAKEN;
		status = j->items[i].status;
		message = TAKE_PTR(j->items[i].message);
		set_readable_locked(j);
	}
	if (status < 0)
		status_fail(-status, "%s",
			    message ? message : status_text(status));
	if (ret_status)
		*ret_status = status;
	return (ptrdiff_t)i;
}

int job_fd(struct dlazy_job *j)
{
	return j->fd;
}

int job_raise(struct dlazy_job *j, size_t i)
{
	if (i >= j->count)
		return status_fail(DLAZY_EINVAL,
				   "dlazy_job_raise: index %zu of %zu modules",
				   i, j->count);
	LOCKED(&load_lock);
	size_t at = j->begun;
	while (at < j->count && j->order[at] != i)
		at++;
	if (at == j->count)
		return 0; /* it has begun */
	memmove(&j->order[j->begun + 1], &j->order[j->begun],
		(at - j->begun) * sizeof(*j->order));
	j->order[j->begun] = i;
	return 0;
}

/* ------------------------------------------------------------------ */
/* Workers                                                            */

/* Whether nobody has read this file for the job yet; notes that it is read. */
static bool is_cold(struct dlazy_job *j, const char *path)
{
	uint64_t key = hash_string(path);

	if (!module_make_room(&j->warmed))
		return false;
	LOCKED(&load_lock);
	return !map_get(&j->warmed, key) && map_put(&j->warmed, key, j);
}

static bool warm_needed(const char *name, const char *found,
			const char *needed_by, void *data)
{
	struct dlazy_job *j = data;

	(void)needed_by;
	if (!found || !is_cold(j, found))
		return true;
	_cleanup_free_ char *loaded = dl_loaded_path(name);
	if (!loaded)
		elf_warm(found);
	return true;
}

/* What is missing, or not usable, the load will say. */
static int warm_module(struct dlazy_job *j, struct dlazy_module *m)
{
	const char *path = m->path;

	if (module_is_builtin(m) || atomic_load(&m->handle))
		return 0;
	int status = is_cold(j, path) ? elf_warm(path) : 0;
	if (status == 0)
		status = search_closure(path, warm_needed, j);
	return status;
}

static int load_one(struct dlazy_job *j, struct dlazy_module *m)
{
	struct touch touch = {.caller = j->caller, .again = true};
	_cleanup_load_ struct load_handle loaded = {NULL, true, false};
	int status = load_module(m, &touch, &loaded);

	return status < 0 ? status : load_promote(m);
}

static int do_item(struct dlazy_job *j, struct dlazy_module *m)
{
	if (!module_is_valid(m))
		return status_fail(DLAZY_ECANCELED,
				   "the module was closed before its turn");
	return j->flags & DLAZY_WARM ? warm_module(j, m) : load_one(j, m);
}

/* The next item to begin; false: none is left. */
static bool take_item(struct dlazy_job *j, size_t *ret)
{
	LOCKED(&load_lock);
	if (j->canceled || j->begun == j->count)
		return false;
	*ret = j->order[j->begun++];
	j->items[*ret].state = ITEM_BEGUN;
	return true;
}

static void job_clear(struct dlazy_job *j)
{
	for (size_t i = 0; i < j->count; i++)
		free(j->items[i].message);
	free(j->items);
	free(j->order);
	free(j->finished);
	map_clear(&j->warmed);
	if (j->fd >= 0)
		close(j->fd);
	free(j);
}

/* true: this was the last of an abandoned job. */
static bool leave_job(struct dlazy_job *j)
{
	LOCKED(&load_lock);
	j->workers--;
	pthread_cond_broadcast(&workers_changed);
	return !j->workers && j->abandoned;
}

static void *work(void *data)
{
	struct dlazy_job *j = data;
	size_t i = 0;

	own_job = j;
	while (take_item(j, &i)) {
		int status = do_item(j, j->items[i].module);
		char *message = status < 0 ? strdup(status_message()) : NULL;

		status_clear();
		LOCKED(&load_lock);
		finish_locked(j, i, status, message);
	}
	if (leave_job(j))
		job_clear(j);
	return NULL;
}

/* ------------------------------------------------------------------ */
/* Starting, ending                                                   */

static struct dlazy_job *job_new(struct dlazy_module *const *m, size_t n,
				 int flags, const void *caller)
{
	struct dlazy_job *j = calloc(1, sizeof(*j));

	if (!j) {
		status_no_memory("job");
		return NULL;
	}
	*j = (struct dlazy_job){
		.items = calloc(n + 1, sizeof(*j->items)),
		.order = calloc(n + 1, sizeof(*j->order)),
		.finished = calloc(n + 1, sizeof(*j->finished)),
		.count = n,
		.flags = flags,
		.caller = caller,
		.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};
	if (j->fd < 0)
		status_fail(DLAZY_EIO, "job: no descriptor: %s",
			    strerror(errno));
	else if (!j->items || !j->order || !j->finished)
		status_no_memory("job");
	if (j->fd < 0 || !j->items || !j->order || !j->finished) {
		j->count = 0;
		job_clear(j);
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		j->items[i].module = m[i];
		j->order[i] = i;
	}
	return j;
}

static void add_job(struct dlazy_job *j)
{
	LOCKED(&load_lock);
	j->next = jobs;
	jobs = j;
	set_readable_locked(j); /* of nothing, it is at its end */
}

static void remove_job_locked(struct dlazy_job *j)
{
	struct dlazy_job **at = &jobs;

	while (*at && *at != j)
		at = &(*at)->next;
	if (*at)
		*at = j->next;
}

static bool count_worker(struct dlazy_job *j, int change)
{
	LOCKED(&load_lock);
	j->workers += (unsigned)change;
	return j->workers > 0;
}

/* 0 if there is one worker at least. */
static int start_workers(struct dlazy_job *j)
{
	size_t wanted = j->flags & DLAZY_WARM ? WARMERS_MAX : 1;

	for (size_t i = 0; i < wanted && i < j->count; i++) {
		count_worker(j, 1);
		int status = worker_start(work, j, "job");
		if (status < 0)
			return count_worker(j, -1) || i > 0 ? 0 : status;
	}
	return 0;
}

struct dlazy_job *job_start(struct dlazy_module *const *m, size_t n, int flags,
			    const void *caller)
{
	struct dlazy_job *j = job_new(m, n, flags, caller);

	if (!j)
		return NULL;
	add_job(j);
	if (start_workers(j) == 0)
		return j;
	{
		LOCKED(&load_lock);
		remove_job_locked(j);
	}
	job_clear(j);
	return NULL;
}

/* A load may be waiting for what this thread does next. */
static bool must_not_wait(const struct dlazy_job *j)
{
	return own_job == j || loading_is_inside();
}

void job_free(struct dlazy_job *j)
{
	bool wait = !must_not_wait(j);
	{
		LOCKED(&load_lock);
		remove_job_locked(j);
		j->canceled = true;
		while (wait && j->workers)
			lock_wait(&load_lock, &workers_changed,
				  event_now() + WAIT_NS);
		j->abandoned = j->workers > 0;
		if (j->abandoned)
			return;
	}
	job_clear(j);
}

static void cancel_rest_locked(struct dlazy_job *j)
{
	for (size_t i = 0; i < j->count; i++)
		if (j->items[i].state < ITEM_FINISHED)
			finish_locked(j, i, -DLAZY_ECANCELED, NULL);
	j->begun = j->count;
}

void job_after_fork(void)
{
	job_begin();
	LOCKED(&load_lock);
	for (struct dlazy_job *j = jobs; j; j = j->next) {
		_cleanup_close_ int fresh =
			eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

		if (fresh >= 0 && dup3(fresh, j->fd, O_CLOEXEC) >= 0)
			j->readable = false;
		j->workers = 0;
		cancel_rest_locked(j);
		set_readable_locked(j);
	}
}
