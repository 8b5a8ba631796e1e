/* SPDX-License-Identifier: MIT */
/*
 * Sealing. First nothing more may be loaded or unloaded (forbid.c), then what of that
 * has begun is waited for, then each stub of what is loaded gets its address, and then,
 * under load_lock, under which all slots are written, the tables become read-only. From
 * then on nothing here opens a file or maps memory, so that a sandbox may follow. If
 * any of that fails, all is as it was.
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

static bool is_busy_elsewhere(void)
{
	return loading_is_elsewhere() || forbid_is_discarding();
}

/* false: the time is over. */
static bool wait_a_moment(uint64_t until_ns)
{
	const struct timespec moment = {.tv_nsec = 1000000};

	if (event_now() >= until_ns)
		return false;
	nanosleep(&moment, NULL);
	return true;
}

static int wait_for_others(uint64_t until_ns)
{
	while (is_busy_elsewhere())
		if (!wait_a_moment(until_ns))
			return status_fail(DLAZY_EBUSY,
					   "dlazy_seal: another thread is "
					   "loading or unloading a module, and "
					   "does not end");
	return 0;
}

static int complete_bindings(void)
{
	_cleanup_free_ struct module_seen *all = NULL;
	size_t n = module_list(&all);

	if (!all)
		return status_no_memory("dlazy_seal");
	for (size_t i = 0; i < n; i++)
		if (all[i].state == DLAZY_LOADED)
			binding_complete(
				(struct dlazy_module *)(uintptr_t)all[i]
					.module);
	return 0;
}

static int seal(uint64_t until_ns)
{
	int status = wait_for_others(until_ns);

	if (status == 0)
		status = complete_bindings();
	if (status < 0)
		return status;
	dl_keep((const void *)(uintptr_t)&seal_process);
	LOCKED(&load_lock);
	return stub_seal();
}

int seal_process(const void *caller)
{
	uint64_t until_ns = event_now() + SEAL_WAIT_NS;

	if (loading_is_inside() || forbid_is_discarding_here())
		return status_fail(DLAZY_EBUSY,
				   "dlazy_seal: this thread is loading or "
				   "unloading a module");
	for (;;) {
		switch (forbid_seal(caller)) {
		case FORBID_SEAL_DONE:
			return 0;
		case FORBID_SEAL_BEGUN:
			break;
		case FORBID_SEAL_ELSEWHERE:
			if (!wait_a_moment(until_ns))
				return status_fail(DLAZY_EBUSY,
						   "dlazy_seal: another thread "
						   "is sealing, and does not "
						   "end");
			continue;
		}
		int status = seal(until_ns);
		forbid_end_seal(status == 0);
		return status;
	}
}
