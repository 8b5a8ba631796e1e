/* SPDX-License-Identifier: MIT */
/*
 * Sealing. First nothing more may be loaded (forbid.c), then loads that have begun are
 * waited for, then each stub of what is loaded gets its address, and then, under
 * load_lock, under which all slots are written, the tables become read-only. From then
 * on nothing here opens a file or maps memory, so that a sandbox may follow.
 */
#include "load/seal.h"

#include "base/cleanup.h"
#include "base/event.h"
#include "load/binding.h"
#include "load/dl.h"
#include "load/forbid.h"
#include "load/loading.h"

#include <stdlib.h>
#include <time.h>

/* For a load that may wait for the thread that seals. */
#define SEAL_WAIT_NS UINT64_C(10000000000)

static bool wait_for_loads(void)
{
	const struct timespec moment = {.tv_nsec = 1000000};
	uint64_t until_ns = event_now() + SEAL_WAIT_NS;

	while (loading_is_elsewhere()) {
		if (event_now() >= until_ns)
			return false;
		nanosleep(&moment, NULL);
	}
	return true;
}

static int complete_bindings(void)
{
	_cleanup_free_ struct module_seen *all = NULL;
	size_t n = module_list(&all);

	if (!all)
		return status_fail(DLAZY_ENOMEM, "dlazy_seal: out of memory");
	for (size_t i = 0; i < n; i++)
		if (all[i].state == DLAZY_LOADED)
			binding_complete(
				(struct dlazy_module *)(uintptr_t)all[i]
					.module);
	return 0;
}

static int seal(void)
{
	int status = complete_bindings();

	if (status < 0)
		return status;
	dl_keep((const void *)(uintptr_t)&seal_process);
	LOCKED(&load_lock);
	return stub_seal();
}

int seal_process(const void *caller)
{
	if (loading_is_inside())
		return status_fail(DLAZY_EBUSY,
				   "dlazy_seal: this thread is loading a "
				   "module");
	if (!forbid_seal(caller))
		return 0;
	int status =
		wait_for_loads()
			? seal()
			: status_fail(DLAZY_EBUSY,
				      "dlazy_seal: another thread is "
				      "loading a module, and does not end");
	if (status < 0 && !stub_is_sealed())
		forbid_undo_seal();
	return status;
}
