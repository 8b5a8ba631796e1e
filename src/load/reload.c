/* SPDX-License-Identifier: MIT */
/*
 * Reloading. The new object is opened beside the old one, under a spelling of the
 * path that the linker has not heard (module.c). Only when it is ready, its
 * constructors have run, do stubs and pointers go to it, in one step under
 * load_lock: the module's generation is another then, so that who is still looking
 * up an address in the old object does not keep it. If anything fails before that,
 * nothing has changed.
 *
 * The old object stays mapped unless all that opened the module gave DLAZY_DISCARD,
 * which is the promise that nobody is in it, and nothing of it was given out. One
 * that stays gives up its SONAME, by which the linker would bind others to it.
 */
#include "load/reload.h"

#include "base/cleanup.h"
#include "base/event.h"
#include "base/interrupt.h"
#include "load/binding.h"
#include "load/dl.h"
#include "load/held.h"
#include "load/load.h"
#include "load/loading.h"
#include "load/onload.h"
#include "load/quarantine.h"
#include "load/use.h"
#include "load/wait.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static int refuse(const struct dlazy_module *m, const char *why)
{
	return status_fail(DLAZY_EBUSY, "%s: not reloaded: %s",
			   m->path[0] ? m->path : m->name, why);
}

/* What takes the place of the old. */
struct replacement {
	struct loading_frame *frame;
	const char *object; /* its path, as the linker is told */
	struct elf_view *view;
	struct file_identity identity;
	struct load_required required;
	void *handle;
	uintptr_t base; /* of that object */
	uint64_t start_ns;
	bool begun;
};

/* Nobody else is loading it, and nobody is from now on. The module is LOADED
 * throughout, so this keeps none from calling it. */
static int begin(struct dlazy_module *m, struct replacement *new)
{
	LOCKED(&load_lock);
	if (m->loaders)
		return refuse(m, "a load is in progress");
	new->frame->other = NULL;
	m->loaders = new->frame;
	new->begun = true;
	return 0;
}

static void end_locked(struct dlazy_module *m, struct replacement *new)
{
	struct loading_frame **at = &m->loaders;

	while (*at && *at != new->frame)
		at = &(*at)->other;
	if (*at)
		*at = new->frame->other;
	wait_end_locked();
	new->begun = false;
}

/* The scope of an attempt ends, perhaps as a constructor has thrown. */
static void replacement_end(struct replacement *new)
{
	struct dlazy_module *m = new->frame ? new->frame->module : NULL;

	elf_view_close(new->view);
	if (m && new->begun) {
		LOCKED(&load_lock);
		if (new->frame->in_linker) /* which has it for good then */
			load_keep_for_good_locked(m, &new->required);
		end_locked(m, new);
	}
	free(new->required.modules);
	if (m)
		loading_leave(m);
}

static int ask_linker(struct dlazy_module *m, struct replacement *new)
{
	_cleanup_quarantine_ struct quarantine_mark mark = {.set = false};
	struct loading_frame *frame = new->frame;
	int status = quarantine_enter(m, &mark);

	if (status < 0)
		return status;
	frame->flags = dl_flags_apart(m->flags);
	frame->in_linker = true;
	status = dl_open(new->object, frame->flags, &new->handle);
	frame->in_linker = false;
	loading_return(frame);
	return status < 0 ? load_explain(m) : 0;
}

/* Is the path still the file that was read, when it has been opened? */
static bool is_that_file(const struct dlazy_module *m,
			 const struct replacement *new)
{
	struct file_identity now;
	bool same = file_identify(AT_FDCWD, m->path, &now) == 0 &&
		    file_identity_equal(&now, &new->identity);

	status_clear();
	return same;
}

static int open_new(struct dlazy_module *m, const struct touch *touch,
		    struct replacement *new)
{
	int status = load_require(new->frame, touch, new->view, &new->required);
	if (status == 0)
		status = ask_linker(m, new);
	if (status < 0)
		return status;
	if (!is_that_file(m, new)) {
		dl_close(new->handle);
		return refuse(m, "its file changed meanwhile: try again");
	}
	new->base = dl_base(new->handle);
	return 0;
}

/* Why the old object stays; NULL: it goes. */
static const char *reason_to_keep_locked(const struct dlazy_module *m)
{
	if (m->keep)
		return "not all that opened it gave DLAZY_DISCARD";
	if (m->pinned)
		return "a real address of it was given out";
	if (m->required_by)
		return "an object that stays mapped requires it";
	return m->undiscardable;
}

/* The one step. Returns the old object; *ret_why: why it stays, or NULL. */
static void *switch_objects(struct dlazy_module *m, struct replacement *new,
			    const char **ret_why)
{
	LOCKED(&load_lock);
	void *old = atomic_load(&m->handle);

	end_locked(m, new);
	*ret_why = reason_to_keep_locked(m);
	atomic_fetch_add(&m->generation, 1);
	module_replace_locked(m, new->object, &new->view, &new->identity);
	load_keep_required_locked(m, &new->required);
	m->pinned =
		m->base; /* what stands in is called without being asked for */
	m->required_by = NULL;
	if (m->base)
		m->base = new->base;
	atomic_store(&m->asked, new->frame->flags);
	atomic_store_explicit(&m->handle, new->handle, memory_order_release);
	binding_switch_locked(m);
	/* As for discarding (load.c): a later pin is for the new object. */
	if (!*ret_why && use_is_pinned(m))
		*ret_why = "it is pinned (dlazy_pin())";
	if (*ret_why)
		load_keep_for_good_locked(m, &new->required); /* the old's */
	return old;
}

/* What is left is told, where the host asked that nothing be. */
static void leave_old(struct dlazy_module *m, void *old, const char *why)
{
	if (!why || old == atomic_load(&m->handle)) {
		dl_close(old);
		return;
	}
	dl_hide_soname(old);
	if (!m->keep)
		status_fail(DLAZY_EBUSY,
			    "%s: reloaded; the old object stays mapped: %s",
			    m->path, why);
}

/* Stubs ask where to go from now on, so that the host's functions get the new
 * object, and every other thread the old one. */
static void set_next(struct dlazy_module *m, void *handle)
{
	LOCKED(&load_lock);
	atomic_fetch_add(&m->generation, 1);
	atomic_store_explicit(&m->next_handle, handle, memory_order_release);
	binding_switch_locked(m);
}

/* A function of the host's has thrown, perhaps. */
static void end_next(struct dlazy_module **m)
{
	set_next(*m, NULL);
}

static int prepare(struct dlazy_module *m, struct replacement *new)
{
	char message[STATUS_MESSAGE_MAX];
	int status;

	if (!onload_is_wanted(m))
		return 0;
	{
		_cleanup_(end_next) struct dlazy_module *preparing = m;

		set_next(preparing, new->handle);
		status = onload_run_again(m);
	}
	if (status == 0)
		return 0;
	/* All is as it was; what the functions keep of the new object is valid. */
	strcpy(message, status_message());
	{
		LOCKED(&load_lock);
		load_keep_for_good_locked(m, &new->required);
	}
	binding_loaded(m);
	return status_fail(-status, "%s", message);
}

/* Nothing has changed; the words are kept. */
__attribute__((noinline)) static int tell_failure(struct dlazy_module *m,
						  const struct touch *touch,
						  int status, uint64_t start_ns)
{
	char message[STATUS_MESSAGE_MAX];

	strcpy(message, status_message());
	load_tell(DLAZY_EVENT_FAILED, m, touch, status, start_ns);
	return status_fail(-status, "%s", message);
}

/* Its load had read the file of before, and the linker opened this one. */
static bool is_loaded_already(const struct dlazy_module *m,
			      const struct replacement *new)
{
	return new->handle == atomic_load(&m->handle);
}

static int reload_loaded(struct dlazy_module *m, const struct touch *touch,
			 struct replacement *new)
{
	char importer[512];
	const char *why;

	if (dl_needed_by(atomic_load(&m->handle), importer, sizeof(importer)))
		return status_fail(DLAZY_EBUSY,
				   "%s: not reloaded: %s needs it (DT_NEEDED), "
				   "and the dynamic linker has bound that to "
				   "the object that is loaded",
				   m->path, importer);
	int status = begin(m, new);
	if (status < 0)
		return status;
	load_tell(DLAZY_EVENT_LOADING, m, touch, 0, 0);
	new->start_ns = event_wanted() ? event_now() : 0;
	status = open_new(m, touch, new);
	if (status == 0 && !is_loaded_already(m, new))
		status = prepare(m, new);
	if (status < 0)
		return tell_failure(m, touch, status, new->start_ns);
	void *old = switch_objects(m, new, &why);
	binding_loaded(m);
	load_tell(DLAZY_EVENT_LOADED, m, touch, 0, new->start_ns);
	status_clear();
	leave_old(m, old, why);
	return 0;
}

static int load_if_failed(struct dlazy_module *m, const struct touch *touch)
{
	struct load_handle loaded;

	if (atomic_load(&m->state) != DLAZY_FAILED)
		return 0;
	int status = load_module(m, touch, &loaded);
	load_release(&loaded);
	return status;
}

/* It is what the file is now; its first touch loads it, or, if it has failed, this
 * does. */
static int reload_declared(struct dlazy_module *m, const struct touch *touch,
			   struct replacement *new)
{
	struct held *held;
	{
		LOCKED(&load_lock);
		if (atomic_load(&m->handle) || m->loaders)
			return refuse(m, "a load is in progress");
		module_replace_locked(m, new->object, &new->view,
				      &new->identity);
		held = TAKE_PTR(m->held); /* the old file */
	}
	held_free(held);
	return load_if_failed(m, touch);
}

static const char *reason_to_refuse(const struct dlazy_module *m)
{
	if (module_is_builtin(m))
		return "it is built into the program";
	return m->kind->keeps_object ? m->kind->keeps_object(m) : NULL;
}

int reload_module(struct dlazy_module *m, const void *caller)
{
	struct touch touch = {.caller = caller, .again = true};
	_cleanup_(replacement_end) struct replacement new = {.frame = NULL};

	const char *why = reason_to_refuse(m);

	if (why)
		return refuse(m, why);
	int status = load_permit_again(m, &touch);
	/* Its file is looked for at each load. */
	if (status == 0 && !module_is_file(m) && !atomic_load(&m->handle))
		return load_if_failed(m, &touch);
	if (status == 0)
		status = module_read_replaced(m, &new.view, &new.identity);
	if (status < 0)
		return status;
	new.object = module_respell(m);
	if (!new.object)
		return -DLAZY_ENOMEM;
	if (!atomic_load(&m->handle))
		return reload_declared(m, &touch, &new);
	UNINTERRUPTED();
	status = load_enter(m, &touch, &new.frame);
	if (status < 0) {
		new.frame = NULL;
		return status;
	}
	return reload_loaded(m, &touch, &new);
}
