/* SPDX-License-Identifier: MIT */
/*
 * Each thread that loads a module comes here after the linker, and one of them
 * calls the functions: the module's `preparer`. The others wait for it, as they
 * would for a constructor, but not inside the linker, so that a deadlock can be
 * told from a wait (load/wait.c). `prepared` says, under load_lock, that all
 * were called: a function that is set later is called by the thread that sets it.
 */
#include "load/onload.h"

#include "base/event.h"
#include "load/dl.h"
#include "load/loading.h"
#include "load/wait.h"

#include <stdlib.h>

/* One that was not called for this load, the oldest opener's first. */
static struct opener *next_to_call_locked(const struct dlazy_module *m)
{
	struct opener *found = NULL;

	for (struct opener *o = m->openers; o; o = o->next)
		if (o->on_load && !o->on_load_called)
			found = o;
	return found;
}

static int refuse(const struct dlazy_module *m, int status)
{
	return status_fail(-status,
			   "%s: a function that is called after its load "
			   "(dlazy_on_load()) has failed: %s",
			   m->path, status_text(status));
}

enum claim {
	CLAIM_MINE,  /* this thread calls them */
	CLAIM_DONE,  /* all were called */
	CLAIM_WAIT,  /* another thread is calling them */
	CLAIM_FAILED /* another thread's failure is this one's, too */
};

static enum claim claim(struct loading_frame *frame, bool unfinished,
			int *ret_status)
{
	LOCKED(&load_lock);
	struct dlazy_module *m = frame->module;

	if (atomic_load(&m->state) == DLAZY_LOADED)
		return CLAIM_DONE;
	if (m->preparer)
		return CLAIM_WAIT;
	if (m->refusals != frame->refusals) {
		*ret_status = m->refused;
		return CLAIM_FAILED;
	}
	if (unfinished)
		return CLAIM_DONE;
	m->prepared = !next_to_call_locked(m);
	if (m->prepared)
		return CLAIM_DONE;
	m->preparer = frame;
	return CLAIM_MINE;
}

/* What is to be called next; NULL: nothing is. */
static dlazy_load_fn *take_next(struct dlazy_module *m, void **ret_data)
{
	LOCKED(&load_lock);
	struct opener *o = next_to_call_locked(m);

	if (!o) {
		m->prepared = true;
		m->preparer = NULL;
		wait_end_locked();
		return NULL;
	}
	o->on_load_called = true;
	*ret_data = o->on_load_data;
	return o->on_load;
}

struct call {
	dlazy_load_fn *fn;
	struct dlazy_module *module;
	void *data;
	int status;
};

static void make_call(void *data)
{
	struct call *call = data;

	call->status = call->fn(call->module, call->data);
}

static int call_all(struct dlazy_module *m)
{
	struct call call = {.module = m};

	LOCK_ASSERT_NONE();
	while ((call.fn = take_next(m, &call.data))) {
		event_call_host(make_call, &call);
		int status = call.status;

		if (status == 0)
			continue;
		LOCKED(&load_lock);
		m->preparer = NULL;
		m->refusals++;
		m->refused = status < 0 ? status : -DLAZY_ELOAD;
		wait_end_locked();
		return m->refused;
	}
	return 0;
}

int onload_run(struct loading_frame *frame, bool unfinished)
{
	struct dlazy_module *m = frame->module;
	int status = 0;

	for (;;) {
		switch (claim(frame, unfinished, &status)) {
		case CLAIM_MINE:
			status = call_all(m);
			return status < 0 ? refuse(m, status) : 0;
		case CLAIM_DONE:
			return 0;
		case CLAIM_FAILED:
			return refuse(m, status);
		case CLAIM_WAIT:
			break;
		}
		enum wait_answer answer = wait_for_preparer(m);
		if (answer == WAIT_JOINED ||
		    (answer == WAIT_ASK && loading_has_linker()))
			return status_fail(
				DLAZY_EDEADLK,
				"%s: a function that is called after its load "
				"waits for this thread, and this thread for "
				"that function",
				m->path);
	}
}

bool onload_is_wanted(struct dlazy_module *m)
{
	LOCKED(&load_lock);
	for (struct opener *o = m->openers; o; o = o->next)
		if (o->on_load)
			return true;
	return false;
}

int onload_run_again(struct dlazy_module *m)
{
	{
		LOCKED(&load_lock);
		for (struct opener *o = m->openers; o; o = o->next)
			o->on_load_called = false;
	}
	int status = call_all(m);
	return status < 0 ? refuse(m, status) : 0;
}

/* true: it is too late for this load, so the caller calls it. */
static bool is_late_locked(struct dlazy_module *m, struct opener *o)
{
	if (!o->on_load || module_is_builtin(m))
		return false;
	o->on_load_called =
		atomic_load(&m->state) == DLAZY_LOADED ||
		(atomic_load(&m->state) == DLAZY_LOADING && m->prepared);
	return o->on_load_called;
}

int onload_set(struct dlazy_module *m, dlazy_load_fn *fn, void *data,
	       const void *by)
{
	_cleanup_free_ struct opener *fresh = calloc(1, sizeof(*fresh));
	const void *object = dl_object(by);
	{
		LOCKED(&load_lock);
		struct opener *o = module_opener_locked(m, object, &fresh);
		if (!o)
			return status_no_memory(m->name);
		o->on_load = fn;
		o->on_load_data = data;
		if (!is_late_locked(m, o))
			return 0;
	}
	int status = fn(m, data);
	if (status == 0)
		return 0;
	LOCKED(&load_lock);
	struct opener *o = module_opener_locked(m, object, &fresh);
	if (o && o->on_load == fn)
		o->on_load = NULL;
	return refuse(m, status < 0 ? status : -DLAZY_ELOAD);
}
