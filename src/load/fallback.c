/* SPDX-License-Identifier: MIT */
/*
 * A module has at most one other that stands in. That one is borrowed, so that it
 * stays, and pinned once an address of it was handed out. Guarded by load_lock.
 *
 * With DLAZY_WHILE_LOADING it is loaded beforehand and its functions are found by
 * the offsets that its file records: dlsym() would wait for the linker's lock, which
 * another thread has while constructors run.
 */
#include "load/fallback.h"

#include "load/dl.h"
#include "load/load.h"

static int load_beforehand(struct dlazy_module *other, uintptr_t *ret_base)
{
	struct touch touch = {.symbol = NULL};
	_cleanup_load_ struct load_handle loaded = {NULL, true, false};

	*ret_base = 0;
	if (module_is_builtin(other))
		return 0;
	int status = load_module(other, &touch, &loaded);
	if (status < 0)
		return status_prefix("dlazy_fallback");
	if (!loaded.published)
		return status_fail(DLAZY_EBUSY,
				   "dlazy_fallback: %s is being loaded by this "
				   "thread",
				   other->name);
	*ret_base = dl_base(loaded.handle);
	return 0;
}

int fallback_set(struct dlazy_module *m, struct dlazy_module *other, int flags,
		 fallback_queue_fn *queue)
{
	uintptr_t base = 0;
	int status = other && flags & DLAZY_WHILE_LOADING
			     ? load_beforehand(other, &base)
			     : 0;
	struct dlazy_module *old;

	if (status < 0)
		return status;
	{
		LOCKED(&load_lock);
		if (other)
			other->borrows++;
		if (other && flags & DLAZY_WHILE_LOADING) {
			other->pinned = true;
			other->base = base;
		}
		old = m->fallback;
		m->fallback = other;
		m->fallback_queue =
			other && flags & DLAZY_WHILE_LOADING ? queue : NULL;
		atomic_store(&m->has_fallback, other != NULL);
	}
	if (old)
		module_return(old);
	return 0;
}

bool fallback_of(struct dlazy_module *m, struct fallback *ret)
{
	if (!atomic_load(&m->has_fallback))
		return false;
	LOCKED(&load_lock);
	*ret = (struct fallback){m->fallback, m->fallback_queue};
	return m->fallback;
}
