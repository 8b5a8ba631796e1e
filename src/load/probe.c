/* SPDX-License-Identifier: MIT */
/*
 * A probe is a nop, a note that says where it is and where its arguments are, and
 * a counter which who watches makes greater than 0. While all counters are 0,
 * events are not even made for probes. Where <sys/sdt.h> was missing there are
 * none.
 */
#include "load/probe.h"

#include "base/event.h"
#include "load/module.h"

#include <stdbool.h>

#if __has_include(<sys/sdt.h>)

#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>

/* The names are those that the notes have: provider_probe_semaphore. */
#define PROBE_COUNTER(probe)                                                   \
	__extension__ unsigned short dlazy_##probe##_semaphore __attribute__(( \
		section(".probes"), visibility("hidden"), used))

PROBE_COUNTER(first_touch);
PROBE_COUNTER(module_loading);
PROBE_COUNTER(module_loaded);
PROBE_COUNTER(module_failed);
PROBE_COUNTER(module_unloaded);

static bool read_counter(const unsigned short *counter)
{
	return *(const volatile unsigned short *)counter != 0;
}

static bool is_watched(void)
{
	return read_counter(&dlazy_first_touch_semaphore) ||
	       read_counter(&dlazy_module_loading_semaphore) ||
	       read_counter(&dlazy_module_loaded_semaphore) ||
	       read_counter(&dlazy_module_failed_semaphore) ||
	       read_counter(&dlazy_module_unloaded_semaphore);
}

static void tell(const struct dlazy_event *e)
{
	const char *name = e->module->name, *path = e->module->path;

	switch (e->kind) {
	case DLAZY_EVENT_TOUCH:
		STAP_PROBE3(dlazy, first_touch, name, e->symbol, e->caller);
		break;
	case DLAZY_EVENT_LOADING:
		STAP_PROBE4(dlazy, module_loading, name, path, e->symbol,
			    e->caller);
		break;
	case DLAZY_EVENT_LOADED:
		STAP_PROBE4(dlazy, module_loaded, name, path, e->symbol,
			    e->duration_ns);
		break;
	case DLAZY_EVENT_FAILED:
		STAP_PROBE4(dlazy, module_failed, name, path, e->symbol,
			    e->status);
		break;
	case DLAZY_EVENT_UNLOADED:
		STAP_PROBE2(dlazy, module_unloaded, name, path);
		break;
	}
}

void probe_begin(void)
{
	static const struct event_probe probe = {is_watched, tell};

	event_set_probe(&probe);
}

#else

void probe_begin(void)
{
}

#endif
