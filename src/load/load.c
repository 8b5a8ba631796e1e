/* SPDX-License-Identifier: MIT */
/*
 * The first touch. Every thread that finds a module not loaded asks the
 * dynamic linker itself: dlopen is idempotent, the linker's lock does the
 * waiting, and the constructor still runs once. Then one thread publishes.
 *
 * LOADED must not be seen before the constructors have finished. So
 * - a constructor that calls its own module (loading_has_module) gets addresses
 *   that are not published;
 * - so does one that touches a module which was in the process before our
 *   dlopen, as that one's constructor may be what we are in.
 */
#include "load/load.h"

#include "base/cleanup.h"
#include "base/event.h"
#include "base/interrupt.h"
#include "elf/requester.h"
#include "elf/search.h"
#include "load/binding.h"
#include "load/dependents.h"
#include "load/dl.h"
#include "load/failure.h"
#include "load/forbid.h"
#include "load/loading.h"
#include "load/onload.h"
#include "load/policy.h"
#include "load/quarantine.h"
#include "load/use.h"
#include "load/wait.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct load_demand *demand;

void load_set_demand(const struct load_demand *given)
{
	demand = given;
}

/* ------------------------------------------------------------------ */
/* Failures, remembered with their cause                              */

/* Fills in a library that is needed and cannot be found. */
static bool note_missing(const char *name, const char *found,
			 const char *needed_by, void *data)
{
	struct module_failure *failure = data;
	_cleanup_free_ char *loaded = found ? NULL : dl_loaded_path(name);

	if (found || loaded || strlen(name) >= sizeof(failure->missing) ||
	    strlen(needed_by) >= sizeof(failure->needed_by))
		return true;
	strcpy(failure->missing, name);
	strcpy(failure->needed_by, needed_by);
	return false;
}

/* Makes words of the linker's refusal; returns the status to give. */
static int explain_refusal(const struct dlazy_module *m,
			   struct module_failure *failure)
{
	const char *said = failure->message; /* until it has its own */

	strcpy(failure->message, status_message());
	failure->passing = dl_refusal_passes(said);
	int status = failure->passing
			     ? 0
			     : search_closure(m->path, note_missing, failure);
	failure->passing |= status_is_state(status);
	if (status == 0 && failure->missing[0])
		return status_fail(
			DLAZY_EDEPEND,
			"%s: needs %s, which is not found (needed by %s; the "
			"dynamic linker says: %s); install the package that "
			"has it, or add its directory to LD_LIBRARY_PATH",
			m->path, failure->missing, failure->needed_by, said);
	return status_fail(DLAZY_ELOAD, "%s: the dynamic linker says: %s",
			   m->path, said);
}

/* Whether the missing library can be found now, or somebody has loaded it. */
static bool is_found_now(const struct module_failure *failure)
{
	_cleanup_close_ int fd = -1;
	_cleanup_elf_view_ struct elf_view *view = NULL;
	_cleanup_free_ char *loaded = dl_loaded_path(failure->missing);
	_cleanup_free_ char *path = NULL;

	if (loaded || file_open(AT_FDCWD, failure->needed_by, &fd, NULL) < 0 ||
	    elf_view_open(fd, failure->needed_by, &view) < 0)
		return true;
	struct search_origin origin =
		search_origin_of(view, failure->needed_by);
	return search_library(failure->missing, &origin, &path) == 0;
}

/* Who required whom of what has failed can be a circle. */
#define REQUIRED_DEPTH_MAX 8

static int recall(struct dlazy_module *m, bool again, unsigned depth);

/* Whether another try could end differently. */
static bool has_cause_changed(const struct dlazy_module *m,
			      const struct module_failure *failure,
			      unsigned depth)
{
	struct file_identity file;

	if (failure->final)
		return false;
	if (failure->passing)
		return true;
	m->kind->identify(m, &file);
	if (!file_identity_equal(&file, &failure->file) ||
	    m->path_count != failure->paths)
		return true;
	if (failure->required)
		return depth == REQUIRED_DEPTH_MAX ||
		       recall(failure->required, false, depth + 1) == 0;
	if (failure->missing[0])
		return is_found_now(failure);
	return failure->status == -DLAZY_ELOAD &&
	       dl_changes().loaded != failure->loads;
}

static int recall(struct dlazy_module *m, bool again, unsigned depth)
{
	if (atomic_load(&m->state) != DLAZY_FAILED)
		return 0;
	/* Not under the lock: an interposed malloc() may use this library. */
	_cleanup_free_ struct module_failure *failure =
		malloc(sizeof(*failure));
	if (!failure)
		return 0;
	{
		LOCKED(&load_lock);
		if (atomic_load(&m->state) != DLAZY_FAILED || !m->failure)
			return 0;
		*failure = *m->failure;
	}
	if (!failure->final && (again || has_cause_changed(m, failure, depth)))
		return 0;
	return status_fail(-failure->status, "%s", failure->message);
}

int load_recall(struct dlazy_module *m, const struct touch *touch)
{
	return recall(m, touch->again, 0);
}

/* ------------------------------------------------------------------ */
/* One try                                                            */

/* As who asks has opened it; what others want is asked for afterwards, see
 * load_promote(). */
static int flags_for(const struct loading_frame *frame)
{
	LOCKED(&load_lock);
	return module_flags_locked(frame->module, frame->asker);
}

static int open_object(struct loading_frame *frame, const char *object,
		       void **ret_handle)
{
	struct dlazy_module *m = frame->module;
	_cleanup_free_ char *path = NULL;
	_cleanup_quarantine_ struct quarantine_mark mark = {.set = false};
	int status = m->kind->check_file ? m->kind->check_file(m, &path) : 0;

	if (status == 0)
		status = quarantine_enter(m, &mark);
	if (status < 0)
		return status;
	uint64_t begin_ns = event_wanted() ? event_now() : 0;
	frame->in_linker = true;
	if (m->kind->before_open)
		m->kind->before_open(m);
	frame->flags = flags_for(frame);
	frame->object = object;
	if (!object)
		object = module_object(m);
	atomic_store(&frame->was_asked, true);
	status = dl_open(path ? path : object, frame->flags, ret_handle);
	if (status == 0 && m->kind->opened)
		m->kind->opened(m, *ret_handle);
	frame->in_linker = false;
	frame->linker_ns += begin_ns ? event_now() - begin_ns : 0;
	loading_return(frame);
	return status;
}

/* Why it could not be loaded, with the cause; the words are pending, too. `said`:
 * by the linker. Large, and a thread's stack may be small. NULL: out of memory. */
static struct module_failure *failure_new(struct dlazy_module *m, int status,
					  bool said)
{
	struct module_failure *failure = calloc(1, sizeof(*failure));

	if (!failure)
		return NULL;
	if (status == -DLAZY_ELOAD && said)
		status = explain_refusal(m, failure);
	if (demand)
		status = demand->add_hint(m, status);
	failure->passing |= status_is_state(status);
	failure->status = status;
	strcpy(failure->message, status_message());
	/* What would have to change, as it is now. */
	m->kind->identify(m, &failure->file);
	failure->paths = m->path_count;
	failure->loads = dl_changes().loaded;
	status_fail(-status, "%s", failure->message);
	return failure;
}

int load_explain(struct dlazy_module *m)
{
	_cleanup_free_ struct module_failure *failure =
		failure_new(m, -DLAZY_ELOAD, true);

	return failure ? failure->status : status_no_memory(m->path);
}

static void search_end(struct module_search *search)
{
	if (search->module->kind->end_search)
		search->module->kind->end_search(search);
}

/* Of the files that the module may be, the first that can be loaded; if none
 * can, the first that is there is the one to speak of. */
static int ask_linker(struct loading_frame *frame, void **ret_handle,
		      struct module_failure **ret_failure)
{
	struct dlazy_module *m = frame->module;
	_cleanup_(search_end) struct module_search search = {.module = m};
	_cleanup_free_ struct module_failure *failure = NULL;
	int status;

	while ((status = m->kind->next_file(&search)) == 0) {
		status = open_object(frame, search.object, ret_handle);
		if (status == 0)
			return 0;
		if (!failure && !search.aside)
			failure = failure_new(m, status, true);
		search.tried++;
	}
	if (!failure)
		failure = failure_new(m, status, true);
	if (failure)
		status_fail(-failure->status, "%s", failure->message);
	*ret_failure = TAKE_PTR(failure);
	return status_last();
}

/* Enters LOADING; true: nobody else was loading it. */
static bool begin(struct loading_frame *frame)
{
	_cleanup_free_ struct dlazy_module **old_required = NULL;
	LOCKED(&load_lock);
	struct dlazy_module *m = frame->module;
	frame->late = atomic_load(&m->state) == DLAZY_LOADED;
	bool first = !m->loaders && !frame->late;

	frame->other = m->loaders;
	m->loaders = frame;
	frame->refusals = m->refusals;
	if (!first)
		return false;
	module_move_locked(m, DLAZY_LOADING);
	old_required = TAKE_PTR(m->required);
	m->required_count = 0;
	m->prepared = false;
	for (struct opener *o = m->openers; o; o = o->next)
		o->on_load_called = false;
	return true;
}

static void forget_loader_locked(struct loading_frame *frame)
{
	struct loading_frame **at = &frame->module->loaders;

	while (*at && *at != frame)
		at = &(*at)->other;
	if (*at)
		*at = frame->other;
}

enum outcome { OUTCOME_FAILED, OUTCOME_UNFINISHED, OUTCOME_LOADED };

/*
 * Leaves LOADING. True: this thread's is the load that counts, and its handle,
 * or its failure, is the module's now.
 */
static bool end_loading(struct loading_frame *frame, enum outcome outcome,
			void *handle, struct module_failure **failure)
{
	LOCKED(&load_lock);
	struct dlazy_module *m = frame->module;
	int state = atomic_load(&m->state);

	forget_loader_locked(frame);
	if (m->preparer == frame) { /* its function has thrown */
		m->preparer = NULL;
		m->refusals++;
		m->refused = -DLAZY_ELOAD;
	}
	wait_end_locked();
	if (state == DLAZY_LOADED)
		return false;
	if (outcome == OUTCOME_LOADED) {
		atomic_store(&m->asked, frame->flags);
		if (frame->object)
			module_opened_as_locked(m, frame->object);
		binding_end_stand_ins_locked(m);
		atomic_store_explicit(&m->handle, handle, memory_order_release);
		module_move_locked(m, DLAZY_LOADED);
		return true;
	}
	if (m->loaders)
		return false;
	if (outcome == OUTCOME_UNFINISHED) {
		module_move_locked(m, DLAZY_DECLARED);
		return false;
	}
	/* The caller frees the old one: an allocator may touch a stub. */
	struct module_failure *old = m->failure;
	m->failure = *failure;
	*failure = old;
	module_move_locked(m, DLAZY_FAILED);
	return true;
}

void load_tell(enum dlazy_event_kind kind, struct dlazy_module *m,
	       const struct touch *touch, int status, uint64_t start_ns)
{
	if (!event_wanted())
		return;
	uint64_t now = event_now();
	event_emit((struct dlazy_event){
		.kind = kind,
		.status = status,
		.module = m,
		.symbol = touch->symbol,
		.caller = touch->caller,
		.time_ns = now,
		.duration_ns = start_ns ? now - start_ns : 0,
	});
}

/* A try that has begun, and must end. */
struct attempt {
	struct loading_frame *frame;
	bool ended;
};

/* Its object stays mapped, whatever becomes of the module. */
static void keep_required_for_good_locked(struct dlazy_module *m)
{
	const struct load_required required = {m->required, m->required_count,
					       NULL};

	load_keep_for_good_locked(m, &required);
}

/* A constructor threw through dlopen. The linker has the object for good then,
 * half constructed, so nobody may have it from here. */
static void attempt_abandon(struct loading_frame *frame)
{
	_cleanup_free_ struct module_failure *failure =
		calloc(1, sizeof(*failure));

	status_fail(DLAZY_ELOAD,
		    "%s: its constructor threw an exception; it stays unusable "
		    "in this process",
		    frame->module->path);
	if (failure) {
		failure->status = -DLAZY_ELOAD;
		failure->final = true;
		strcpy(failure->message, status_message());
	}
	{
		LOCKED(&load_lock);
		keep_required_for_good_locked(frame->module);
	}
	end_loading(frame, OUTCOME_FAILED, NULL, &failure);
}

/* The end of a try's scope: only an exception leaves it before `ended`. */
static void attempt_cleanup(struct attempt *attempt)
{
	const struct dlazy_module *m = attempt->frame->module;

	if (!attempt->ended)
		attempt_abandon(attempt->frame);
	loading_leave(m);
}

/* Whether the object is in the process already, and perhaps in its own
 * constructor, while we are in one. */
static bool is_there(const struct dlazy_module *m, const struct touch *touch)
{
	bool inside = touch->relocating || loading_is_inside();
	void *handle =
		inside ? dl_open_again(module_object(m), m->flags) : NULL;

	if (handle)
		dl_close(handle);
	return handle != NULL;
}

/* How it went. */
struct result {
	void *handle;
	bool counts; /* it is this try that changed the state */
	int status;
	uint64_t start_ns;
	uint64_t linker_ns; /* of that, in the linker */
};

int load_require(struct loading_frame *frame, const struct touch *touch,
		 const struct elf_view *file, struct load_required *ret)
{
	*ret = (struct load_required){.modules = NULL};
	return demand ? demand->require(frame, touch, file, ret) : 0;
}

void load_keep_required_locked(struct dlazy_module *m,
			       struct load_required *required)
{
	struct load_required old = {m->required, m->required_count, NULL};

	m->required = required->modules;
	m->required_count = required->count;
	*required = old;
}

void load_keep_for_good_locked(struct dlazy_module *m,
			       const struct load_required *required)
{
	for (size_t i = 0; i < required->count; i++)
		required->modules[i]->required_by = m;
}

/* What it requires is loaded before it. Several threads may do so, and one that the
 * linker itself asks looks for nothing. */
static int load_requirements(struct loading_frame *frame,
			     const struct touch *touch,
			     struct module_failure **ret_failure)
{
	struct load_required required;
	int status = load_require(frame, touch, NULL, &required);

	if (status == 0) {
		{
			LOCKED(&load_lock);
			if (required.count && !frame->late)
				load_keep_required_locked(frame->module,
							  &required);
		}
		free(required.modules); /* another thread's */
		return 0;
	}
	*ret_failure = failure_new(frame->module, status, false);
	if (!*ret_failure)
		return status;
	(*ret_failure)->required = required.failed;
	(*ret_failure)->passing |= !required.failed;
	return status_fail(-status, "%s", (*ret_failure)->message);
}

/* Nothing of it was given out but to the functions that refused it; what they
 * keep stays valid, unless every opener has promised to keep nothing. */
static void drop_refused(struct dlazy_module *m, struct result *r)
{
	bool discard;
	{
		LOCKED(&load_lock);
		discard = !m->keep && !m->pinned && !m->undiscardable;
		if (!discard)
			keep_required_for_good_locked(m);
	}
	if (discard)
		dl_close(r->handle);
	r->handle = NULL;
}

/* The linker has loaded it: what the host wants done before the first call. */
static void prepare(struct loading_frame *frame, bool unfinished,
		    struct result *r, struct module_failure **ret_failure)
{
	r->status = onload_run(frame, unfinished);
	if (r->status == 0)
		return;
	*ret_failure = failure_new(frame->module, r->status, false);
	drop_refused(frame->module, r);
	if (*ret_failure)
		status_fail(-r->status, "%s", (*ret_failure)->message);
}

/*
 * One try: enters LOADING, asks the linker, leaves LOADING. All of that is
 * on the loading stack, so that a fork sees a module with its loaders or without.
 */
static enum outcome try_loading(struct loading_frame *frame, bool was_there,
				const struct touch *touch, struct result *ret)
{
	_cleanup_(attempt_cleanup) struct attempt attempt = {frame, false};
	_cleanup_free_ struct module_failure *failure = NULL;
	enum outcome outcome = OUTCOME_FAILED;

	frame->asker = dl_object(touch->caller);
	if (begin(frame))
		load_tell(DLAZY_EVENT_LOADING, frame->module, touch, 0, 0);
	ret->start_ns = event_wanted() ? event_now() : 0;
	ret->status = load_requirements(frame, touch, &failure);
	if (ret->status == 0)
		ret->status = ask_linker(frame, &ret->handle, &failure);
	ret->linker_ns = frame->linker_ns;
	if (ret->status == 0)
		prepare(frame, was_there, ret, &failure);
	if (ret->status == 0)
		outcome = was_there ? OUTCOME_UNFINISHED : OUTCOME_LOADED;
	ret->counts = end_loading(frame, outcome, ret->handle, &failure);
	/* While it counts as a load: a seal that waits for it finds no slot that
	 * is to be armed. */
	if (ret->counts && outcome == OUTCOME_LOADED) {
		use_note(frame->module);
		use_arm_others(frame->module);
	}
	attempt.ended = true;
	return outcome;
}

/* Tells of a failure, whose words are pending, and stay so. */
__attribute__((noinline)) static int tell_failure(struct dlazy_module *m,
						  const struct touch *touch,
						  const struct result *r)
{
	char message[STATUS_MESSAGE_MAX];

	strcpy(message, status_message());
	atomic_store(&m->linker_ns, r->linker_ns);
	load_tell(DLAZY_EVENT_FAILED, m, touch, r->status, r->start_ns);
	return status_fail(-r->status, "%s", message);
}

bool load_is_behind(const struct dlazy_module *m)
{
	return atomic_load(&m->handle) &&
	       atomic_load(&m->flags) & ~atomic_load(&m->asked);
}

int load_promote(struct dlazy_module *m)
{
	int flags = atomic_load(&m->flags);

	if (!load_is_behind(m))
		return 0;
	int status = dl_widen(module_object(m), flags);
	if (status < 0)
		return status;
	atomic_fetch_or(&m->asked, flags);
	return 0;
}

/* Loading is forbidden, as a rule: may this module be loaded all the same? */
__attribute__((noinline)) static int obey(struct dlazy_module *m,
					  const struct touch *touch)
{
	struct result r = {.handle = NULL};
	bool final;

	r.status = forbid_check(m, touch, &final);
	if (r.status == 0)
		return 0;
	tell_failure(m, touch, &r);
	if (final)
		failure_give_up(m, touch, r.status);
	return r.status;
}

int load_enter(struct dlazy_module *m, const struct touch *touch,
	       struct loading_frame **ret)
{
	for (;;) {
		*ret = loading_enter(m);
		if (!*ret)
			return status_no_memory(m->path);
		if ((*ret)->outer || !forbid_is_on() || !forbid_is_sealed())
			return 0;
		loading_leave(m);
		int status = obey(m, touch);
		if (status < 0)
			return status;
	}
}

static bool is_loaded(const struct dlazy_module *m, struct load_handle *ret)
{
	void *handle = atomic_load_explicit(&m->handle, memory_order_acquire);
	void *next =
		atomic_load_explicit(&m->next_handle, memory_order_acquire);

	*ret = (struct load_handle){handle, !next, next};
	if (next && loading_has_module(m))
		ret->handle = next;
	return handle || module_is_builtin(m);
}

/* Waits for another thread that is loading it; but who is inside the linker, or a
 * constructor, has what that one may be waiting for. 0 or -DLAZY_EDEADLK. */
static int wait_if_loading(struct dlazy_module *m, const struct touch *touch)
{
	if (atomic_load(&m->state) != DLAZY_LOADING || loading_is_inside() ||
	    touch->relocating || wait_for_loader(m) != WAIT_JOINED)
		return 0;
	return status_fail(DLAZY_EDEADLK,
			   "%s: its constructor is waiting for this thread to "
			   "end, and this thread for its constructor; load it "
			   "before the thread is started, or do not join there",
			   m->path);
}

/* Somebody was faster, or is about to be. What is there then is the module's, and
 * perhaps reloaded since: not the object or the file that this try has seen. */
__attribute__((noinline)) static int take_others(struct dlazy_module *m,
						 const struct touch *touch,
						 enum outcome outcome,
						 const struct result *r,
						 struct load_handle *ret)
{
	char message[STATUS_MESSAGE_MAX];

	if (outcome == OUTCOME_LOADED) {
		dl_close(r->handle);
		return load_module(m, touch, ret);
	}
	strcpy(message, status_message());
	wait_if_loading(m, touch);
	status_clear();
	return is_loaded(m, ret) ? 0 : status_fail(-r->status, "%s", message);
}

static int load_now(struct dlazy_module *m, const struct touch *touch,
		    struct load_handle *ret)
{
	struct result r;

	UNINTERRUPTED(); /* or who jumped away would leave the frame */
	bool was_there = is_there(m, touch);
	struct loading_frame *frame;
	int status = load_enter(m, touch, &frame);

	if (status < 0)
		return status;
	r.handle = NULL;
	enum outcome outcome = try_loading(frame, was_there, touch, &r);

	if (outcome != OUTCOME_UNFINISHED && !r.counts)
		return take_others(m, touch, outcome, &r, ret);
	if (outcome == OUTCOME_FAILED)
		return tell_failure(m, touch, &r);
	*ret = (struct load_handle){r.handle, outcome == OUTCOME_LOADED, false};
	if (outcome == OUTCOME_UNFINISHED)
		return 0;
	if (load_promote(m) < 0) /* of who opened it meanwhile */
		status_clear();
	binding_loaded(m);
	module_release(m);
	atomic_store(&m->linker_ns, r.linker_ns);
	load_tell(DLAZY_EVENT_LOADED, m, touch, 0, r.start_ns);
	return 0;
}

int load_permit_again(struct dlazy_module *m, const struct touch *touch)
{
	return forbid_is_on() ? obey(m, touch) : 0;
}

int load_permit(struct dlazy_module *m, const struct touch *touch)
{
	bool ready = module_is_builtin(m) || atomic_load(&m->handle);

	return !ready && (forbid_is_on() || policy_is_needed(m))
		       ? obey(m, touch)
		       : 0;
}

/*
 * The object that this thread is loading: its constructors run, or it is being
 * relocated.
 */
static bool find_unfinished(const struct dlazy_module *m,
			    const struct touch *touch, struct load_handle *ret)
{
	bool loading = loading_has_module(m);
	void *handle = NULL;

	if (touch->relocating || (loading && loading_has_linker()))
		handle = dl_unrelocated(module_object(m));
	bool borrowed = handle;
	if (!handle && loading)
		handle = dl_open_again(module_object(m), m->flags);
	if (handle)
		*ret = (struct load_handle){handle, false, borrowed};
	return handle;
}

int load_module(struct dlazy_module *m, const struct touch *touch,
		struct load_handle *ret)
{
	if (is_loaded(m, ret) || find_unfinished(m, touch, ret))
		return 0;
	int status = wait_if_loading(m, touch);
	if (status < 0 || is_loaded(m, ret))
		return status;
	status = load_permit(m, touch);
	if (status == 0)
		status = load_recall(m, touch);
	return status < 0 ? status : load_now(m, touch, ret);
}

void load_release(struct load_handle *h)
{
	if (h->handle && !h->published && !h->borrowed)
		dl_close(h->handle);
	*h = (struct load_handle){NULL, true, false};
}

/* ------------------------------------------------------------------ */
/* Discarding                                                         */

static int refuse(const struct dlazy_module *m, const char *why)
{
	return status_fail(DLAZY_EBUSY, "%s: not unloaded: %s",
			   m->path[0] ? m->path : m->name, why);
}

/* Declares the module again; returns the handle, to be closed. */
static void *undeclare_locked(struct dlazy_module *m)
{
	void *handle = atomic_exchange(&m->handle, NULL);

	module_move_locked(m, DLAZY_DECLARED);
	binding_arm_locked(m);
	return handle;
}

/* Who pins it from now on reads slots that are armed (use.c); has somebody before? Then
 * it is as it was, but that stubs look once more. */
static bool is_pinned_locked(struct dlazy_module *m, void *handle)
{
	if (!use_is_pinned(m))
		return false;
	atomic_store(&m->handle, handle);
	module_move_locked(m, DLAZY_LOADED);
	return true;
}

static const char pinned[] = "it is pinned (dlazy_pin())";

/* 0, or why it cannot be discarded, as -DLAZY_EBUSY. */
static int check_discard_locked(const struct dlazy_module *m)
{
	if (module_is_builtin(m))
		return refuse(m, "it is built into the program");
	if (m->keep)
		return refuse(m, "it was opened without DLAZY_DISCARD");
	if (m->loaders)
		return refuse(m, "a load is in progress");
	if (atomic_load(&m->state) != DLAZY_LOADED)
		return 0;
	if (m->pinned)
		return refuse(m, "a real address of it was given out");
	if (m->required_by)
		return status_fail(DLAZY_EBUSY,
				   "%s: not unloaded: %s requires it, and an "
				   "object of that stays mapped",
				   m->path, m->required_by->name);
	return m->undiscardable ? refuse(m, m->undiscardable) : 0;
}

/* Takes the handle away and declares the module again; 0 with a handle to
 * close, or with NULL if it was not loaded. */
static int undeclare(struct dlazy_module *m, void **ret_handle)
{
	LOCKED(&load_lock);
	int status = check_discard_locked(m);
	bool loaded = status == 0 && atomic_load(&m->state) == DLAZY_LOADED;

	*ret_handle = loaded ? undeclare_locked(m) : NULL;
	if (!*ret_handle || !is_pinned_locked(m, *ret_handle))
		return status;
	*ret_handle = NULL;
	return refuse(m, pinned);
}

/* The object is still there: somebody else has it, so the module has too. */
static void declare_loaded(struct dlazy_module *m, void *handle)
{
	{
		LOCKED(&load_lock);
		if (!atomic_load(&m->handle)) {
			atomic_store(&m->handle, handle);
			if (atomic_load(&m->state) != DLAZY_LOADED)
				module_move_locked(m, DLAZY_LOADED);
			return;
		}
	}
	dl_close(handle);
}

/* The object that had this handle, if it is still there. The linker is asked by
 * the path, behind which another file may be by now, and be loaded. */
static void *open_same_object(const struct dlazy_module *m, const void *handle)
{
	void *again = dl_open_again(module_object(m), m->flags);

	if (!again || again == handle)
		return again;
	dl_close(again);
	return NULL;
}

static int discard(struct dlazy_module *m, void *handle)
{
	struct touch nobody = {.symbol = NULL};
	bool closed = dl_close(handle);
	void *again = open_same_object(m, handle);

	if (again) {
		declare_loaded(m, again);
		return refuse(m, closed ? "the dynamic linker has other "
					  "references to it"
					: status_message());
	}
	load_tell(DLAZY_EVENT_UNLOADED, m, &nobody, 0, 0);
	return 0;
}

static int discard_one(struct dlazy_module *m)
{
	void *handle;

	int status = undeclare(m, &handle);

	return status < 0 || !handle ? status : discard(m, handle);
}

static int refuse_for(const struct dlazy_module *m,
		      const struct dlazy_module *dependent)
{
	char why[STATUS_MESSAGE_MAX];

	snprintf(why, sizeof(why), "%s requires it: %.900s", dependent->name,
		 status_message());
	return refuse(m, why);
}

/* A pin may still come before the module is discarded, and is seen then. */
static int check_unpinned_locked(const struct dlazy_module *m)
{
	int status = check_discard_locked(m);

	return status == 0 && atomic_load(&m->handle) && atomic_load(&m->pins)
		       ? refuse(m, pinned)
		       : status;
}

/* Whether m can go, and what requires it. Nothing has gone yet. */
static int check_all(const struct dlazy_module *m,
		     struct dlazy_module *const *dependents, size_t n)
{
	LOCKED(&load_lock);
	int status = check_unpinned_locked(m);

	for (size_t i = 0; i < n && status == 0; i++)
		if (check_unpinned_locked(dependents[i]) < 0)
			status = refuse_for(m, dependents[i]);
	return status;
}

int load_discard(struct dlazy_module *m)
{
	_cleanup_free_ struct dlazy_module **dependents = NULL;
	_cleanup_discarding_ bool begun = forbid_begin_discarding();

	if (!begun)
		return refuse(m, "this process is sealed (dlazy_seal())");
	ptrdiff_t n = dependents_find(m, &dependents);
	if (n < 0)
		return status_no_memory(m->name);
	int status = check_all(m, dependents, (size_t)n);
	for (ptrdiff_t i = 0; i < n && status == 0; i++)
		if (discard_one(dependents[i]) < 0)
			status = refuse_for(m, dependents[i]);
	return status < 0 ? status : discard_one(m);
}

/* NULL: somebody has it, or wants it to stay, or it is not loaded. */
static void *undeclare_closed(struct dlazy_module *m)
{
	LOCKED(&load_lock);
	if (m->opens || m->borrows || m->keep || m->required_by || m->loaders ||
	    module_is_builtin(m) || atomic_load(&m->state) != DLAZY_LOADED)
		return NULL;
	m->pinned = false;
	void *handle = undeclare_locked(m);
	return is_pinned_locked(m, handle) ? NULL : handle;
}

void load_close(struct dlazy_module *m)
{
	_cleanup_discarding_ bool begun = forbid_begin_discarding();
	void *handle = begun ? undeclare_closed(m) : NULL;

	if (handle && discard(m, handle) < 0)
		status_clear();
	module_release(m);
}
